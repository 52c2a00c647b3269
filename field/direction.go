package field

// Direction says from which frame of a pair a field starts.
type Direction string

const (
	Forward          Direction = "forward"  // from the earlier frame
	Backward         Direction = "backward" // from the later frame
	UnknownDirection Direction = "unknown"  // no pair, or two frames with the same index and time
)

// Direction compares the indices of the two frames, then their presentation times.
func (f *Field) Direction() Direction {
	p := f.Pair
	if p == nil || p.First == nil || p.Second == nil {
		return UnknownDirection
	}
	switch a, b := p.First, p.Second; {
	case b.Index > a.Index:
		return Forward
	case b.Index < a.Index:
		return Backward
	case b.PTS > a.PTS:
		return Forward
	case b.PTS < a.PTS:
		return Backward
	}
	return UnknownDirection
}
