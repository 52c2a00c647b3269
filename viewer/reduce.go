package viewer

import (
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/parallel"
)

// maxCell is the longest side of the cells to which fields and pictures are reduced, in pixels.
const maxCell = 64

// reduceField returns a field whose vectors are the means of the known vectors in cells of side times side pixels, and so is
// its confidence. A cell without a known vector is unknown. Cells at the right and the bottom edge may be smaller.
func reduceField(f *field.Field, side int) *field.Field {
	out := field.New(cells(f.Width, side), cells(f.Height, side))
	if f.Confidence != nil {
		out.Confidence = make([]float32, out.Width*out.Height)
	}
	parallel.Ranges(out.Height, 0, func(from, to int) {
		for row := from; row < to; row++ {
			for column := range out.Width {
				top, bottom := row*side, min((row+1)*side, f.Height)
				left, right := column*side, min((column+1)*side, f.Width)
				u, v, sure, n := sumAll(f, left, top, right, bottom)
				if u-u != 0 || v-v != 0 {
					u, v, sure, n = sumKnown(f, left, top, right, bottom)
				}
				at := row*out.Width + column
				out.Vectors[2*at], out.Vectors[2*at+1] = float32(u/n), float32(v/n) // NaN if n is 0
				if f.Confidence != nil && n > 0 {
					out.Confidence[at] = float32(sure / n)
				}
			}
		}
	})
	return out
}

// sumAll returns the sums of the vectors and of the confidence in a rectangle, and the number of its pixels. The sums are not finite if a
// vector is not: this takes half the time of looking at each.
func sumAll(f *field.Field, left, top, right, bottom int) (u, v, sure, n float64) {
	for y := top; y < bottom; y++ {
		line := f.Vectors[2*(y*f.Width+left) : 2*(y*f.Width+right)]
		for ; len(line) >= 2; line = line[2:] {
			u, v = u+float64(line[0]), v+float64(line[1])
		}
		if f.Confidence != nil {
			for _, c := range f.Confidence[y*f.Width+left : y*f.Width+right] {
				sure += float64(c)
			}
		}
	}
	return u, v, sure, float64((right - left) * (bottom - top))
}

// sumKnown is sumAll for the known vectors.
func sumKnown(f *field.Field, left, top, right, bottom int) (u, v, sure, n float64) {
	for y := top; y < bottom; y++ {
		for i := y*f.Width + left; i < y*f.Width+right; i++ {
			a, b := f.Vectors[2*i], f.Vectors[2*i+1]
			if a-a != 0 || b-b != 0 { // NaN or infinite
				continue
			}
			u, v, n = u+float64(a), v+float64(b), n+1
			if f.Confidence != nil {
				sure += float64(f.Confidence[i])
			}
		}
	}
	return u, v, sure, n
}

// reducePicture returns the means of the pixels in cells of side times side pixels.
func reducePicture(f *frame.Frame, side int) *frame.Frame {
	if side == 1 {
		return f
	}
	out := frame.New(cells(f.Width, side), cells(f.Height, side))
	parallel.Ranges(out.Height, 0, func(from, to int) {
		for row := from; row < to; row++ {
			top, bottom := row*side, min((row+1)*side, f.Height)
			for column := range out.Width {
				left, right := column*side, min((column+1)*side, f.Width)
				var red, green, blue int
				for y := top; y < bottom; y++ {
					line := f.Pix[3*(y*f.Width+left) : 3*(y*f.Width+right)]
					for ; len(line) >= 3; line = line[3:] {
						red, green, blue = red+int(line[0]), green+int(line[1]), blue+int(line[2])
					}
				}
				n := (right - left) * (bottom - top)
				pixel := out.Pix[3*(row*out.Width+column):]
				pixel[0], pixel[1], pixel[2] = uint8((red+n/2)/n), uint8((green+n/2)/n), uint8((blue+n/2)/n)
			}
		}
	})
	return out
}

// cells returns the number of cells in a row of pixels.
func cells(pixels, side int) int { return (pixels + side - 1) / side }
