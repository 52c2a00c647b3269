package pipeline

import (
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"math"
	"path/filepath"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/internal/atomicfile"
)

// JPEG is the format of an Export for code of action recognition: each component of a field is a grey 8-bit JPEG, in the
// layout of denseflow, flow_x_00000.jpg and flow_y_00000.jpg. It is lossy, and flowfile cannot read it.
const JPEG flowfile.Format = "jpg"

// defaultBound is the length in pixels at which the images of JPEG are saturated, denseflow's default.
const defaultBound = 20

// jpegQuality is that of OpenCV's imencode, which denseflow calls.
const jpegQuality = 95

// writeJPEG writes both components of a field.
func writeJPEG(e Export, f *field.Field) error {
	bound := e.Bound
	if bound == 0 {
		bound = defaultBound
	}
	for component, axis := range []string{"x", "y"} {
		path := filepath.Join(e.Dir, fmt.Sprintf("flow_%s_%05d.jpg", axis, f.Pair.First.Index))
		err := atomicfile.WriteTo(path, func(w io.Writer) error {
			return jpeg.Encode(w, component8(f, component, bound), &jpeg.Options{Quality: jpegQuality})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// component8 returns a component, 0 for x and 1 for y, as an image: -bound pixels are 0, bound pixels 255, and unknown flow
// is the value of no motion, because the layout has no value for it.
func component8(f *field.Field, component int, bound float64) *image.Gray {
	to := image.NewGray(image.Rect(0, 0, f.Width, f.Height))
	for i := range to.Pix {
		v := float64(f.Vectors[2*i+component])
		if v != v {
			v = 0
		}
		to.Pix[i] = uint8(math.RoundToEven(255 * (max(-bound, min(bound, v)) + bound) / (2 * bound)))
	}
	return to
}
