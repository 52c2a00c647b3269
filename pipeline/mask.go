package pipeline

import (
	"fmt"
	"image"
	"image/png"
	"io"
	"path/filepath"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/internal/atomicfile"
)

// Mask is the format of an Export for the visibility of the pixels: two grey 8-bit PNG images a field, white where it holds.
// occluded_000000.png has the pixels without a counterpart in the second frame, those of unknown flow included;
// outside_000000.png has those whose flow leads out of it. It implies Both.
const Mask flowfile.Format = "mask"

// writeMasks writes both masks of a field.
func writeMasks(dir string, f *field.Field) error {
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	for name, m := range map[string]*image.Gray{
		"occluded": maskOf(f, field.Occluded, field.Unchecked),
		"outside":  maskOf(f, field.Outside, field.Outside),
	} {
		path := filepath.Join(dir, fmt.Sprintf("%s_%06d.png", name, f.Pair.First.Index))
		if err := atomicfile.WriteTo(path, func(w io.Writer) error { return encoder.Encode(w, m) }); err != nil {
			return err
		}
	}
	return nil
}

// maskOf returns an image that is white where the visibility is a or b.
func maskOf(f *field.Field, a, b field.Visibility) *image.Gray {
	to := image.NewGray(image.Rect(0, 0, f.Width, f.Height))
	for i, v := range f.Visibility {
		if v == a || v == b {
			to.Pix[i] = 255
		}
	}
	return to
}
