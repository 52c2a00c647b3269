package decode

import "slices"

// numbers numbers the frames of a video, counting damaged ones. The decoder reports that a frame was lost, but not
// always where: the time stamps of the packets tell the place.
type numbers struct {
	times  []int64 // of all frames of the selected part, increasing; nil = unknown
	index  int     // of the next frame, if no frame was lost before it
	last   int64   // time stamp of the last frame
	placed int     // lost frames that have a number
}

// next returns the number of the frame with time stamp pts, when lost frames were lost so far. If the time stamps do
// not tell otherwise, they were lost right before this frame.
func (n *numbers) next(pts int64, lost int) int {
	if gap := lost - n.placed; gap > 0 {
		a, knownLast := slices.BinarySearch(n.times, n.last)
		b, known := slices.BinarySearch(n.times, pts)
		if known && knownLast {
			gap = min(gap, b-a-1)
		}
		n.placed += gap
		n.index += gap
	}
	n.last = pts
	n.index++
	return n.index - 1
}
