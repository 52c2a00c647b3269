package flow

import (
	"cmp"
	"fmt"
	"image"
	"math"

	"golang.org/x/image/draw"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/parallel"
)

// MinDetail and MaxDetail limit Options.Detail.
const (
	MinDetail = 0.25
	MaxDetail = 2.0
)

// CheckDetail returns an error unless detail is 0, which means 1, or between MinDetail and MaxDetail.
func CheckDetail(detail float64) error {
	if detail == 0 || detail >= MinDetail && detail <= MaxDetail {
		return nil
	}
	return fmt.Errorf("detail %v is out of range: it is %v to %v", detail, MinDetail, MaxDetail)
}

// Detail returns the factor by which frames are resized for the network: Options.Detail, or 1 if that is 0.
func (m *Model) Detail() float64 { return cmp.Or(m.detail, 1) }

// InputSize returns the size in pixels at which the network sees frames of width x height: each side times Detail, rounded, at
// least 1; for a network whose graph has a fixed size, that size.
func (m *Model) InputSize(width, height int) (int, int) {
	return m.seenSize(width, height, m.Detail())
}

// seenSize returns the size at which a graph of a fixed size, or one at that detail, sees frames.
func (m *Model) seenSize(width, height int, detail float64) (int, int) {
	if m.images.width > 0 {
		return m.images.width, m.images.height
	}
	return inputSize(width, height, detail)
}

func inputSize(width, height int, detail float64) (int, int) {
	side := func(n int) int { return max(1, int(math.Round(float64(n)*detail))) }
	return side(width), side(height)
}

// resizeFrame returns the frame at a size in pixels, or the frame itself if it has that size. Both scalers widen their kernel
// when they reduce a frame, so that fine texture does not alias.
func resizeFrame(f *frame.Frame, width, height int) *frame.Frame {
	if f.Width == width && f.Height == height {
		return f
	}
	scaler := draw.CatmullRom
	if width <= f.Width && height <= f.Height {
		scaler = draw.BiLinear
	}
	from, to := f.Image(), image.NewRGBA(image.Rect(0, 0, width, height))
	scaler.Scale(to, to.Rect, from, from.Rect, draw.Src, nil)
	return frame.FromImage(to)
}

// resizeField fills to with from, interpolated bilinearly with aligned pixel centres, and scales the vectors to the pixels of
// to. A vector that depends on an unknown one is unknown. Confidences are interpolated as they are.
func resizeField(to, from *field.Field) {
	columns, rows := samples(to.Width, from.Width), samples(to.Height, from.Height)
	scaleU, scaleV := scales(to, from)
	parallel.Ranges(to.Height, 0, func(begin, end int) {
		for y := begin; y < end; y++ {
			top, bottom := rows[y].low*from.Width, rows[y].high*from.Width
			for x, column := range columns {
				i := y*to.Width + x
				// at returns channel k of n, interpolated.
				at := func(values []float32, n, k int) float32 {
					above := column.mix(values[n*(top+column.low)+k], values[n*(top+column.high)+k])
					below := column.mix(values[n*(bottom+column.low)+k], values[n*(bottom+column.high)+k])
					return rows[y].mix(above, below)
				}
				u, v := at(from.Vectors, 2, 0), at(from.Vectors, 2, 1)
				if !field.Known(u, v) {
					u, v = field.Unknown(), field.Unknown()
				}
				to.Vectors[2*i], to.Vectors[2*i+1] = float32(float64(u)*scaleU), float32(float64(v)*scaleV)
				if to.Confidence != nil {
					to.Confidence[i] = at(from.Confidence, 1, 0)
				}
			}
		}
	})
}

// scales returns the pixels of to for one pixel of from, to the right and downwards.
func scales(to, from *field.Field) (u, v float64) {
	return float64(to.Width) / float64(from.Width), float64(to.Height) / float64(from.Height)
}

// logScaleOffset returns what turns the logarithm of a length in pixels of from into that of a length in pixels of to. If the
// ratios of the sides differ, by rounding, it takes their geometric mean.
func logScaleOffset(to, from *field.Field) float32 {
	u, v := scales(to, from)
	return float32(math.Log(u*v) / 2)
}

// sample is a position between two pixels of a row or column.
type sample struct {
	low, high int     // indices; equal if the position is that of a pixel, so that its neighbour does not count
	weight    float32 // of high
}

// samples returns the positions of to pixels among from pixels that cover the same length.
func samples(to, from int) []sample {
	list := make([]sample, to)
	for i := range list {
		// The centre of pixel i is at i+0.5. Positions beyond the outermost centres take the outermost pixel.
		at := (float64(i)+0.5)*float64(from)/float64(to) - 0.5
		at = min(max(at, 0), float64(from-1))
		low := int(at)
		list[i] = sample{low: low, high: low, weight: float32(at - float64(low))}
		if list[i].weight > 0 {
			list[i].high = low + 1
		}
	}
	return list
}

// mix interpolates. Equal values stay exactly the same.
func (s sample) mix(low, high float32) float32 { return low + s.weight*(high-low) }
