package flowfile

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/internal/half"
)

// TestVariants writes 16-bit floats and reads them with the full formats: each number is the nearest one.
func TestVariants(t *testing.T) {
	f := field.New(33, 17)
	want := field.New(33, 17)
	for i := range f.Vectors {
		f.Vectors[i] = float32(60000 * math.Sin(float64(i)*1.37) / float64(1+i%7*i%5))
		want.Vectors[i] = half.Round(f.Vectors[i])
	}
	for _, format := range Variants() {
		f.Vectors[4], want.Vectors[4], want.Vectors[5] = field.Unknown(), field.Unknown(), field.Unknown()
		path := filepath.Join(t.TempDir(), "a"+format.Extension())
		if err := WriteAs(path, f, format); err != nil {
			t.Fatal(err)
		}
		back, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := differ(back, want, 0); d != "" {
			t.Errorf("%s differs %s", format, d)
		}
		if got, err := ParseFormat(string(format)); got != format || err != nil || slices.Contains(Formats(), format) {
			t.Errorf("ParseFormat(%q) returned %q, %v", format, got, err)
		}
		large := golden()
		large.Vectors[2*(3*large.Width+4)+1] = 65520
		path = filepath.Join(t.TempDir(), "large"+format.Extension())
		var out *RangeError
		if err := WriteAs(path, large, format); !errors.As(err, &out) || out.X != 4 || out.Y != 3 || out.Format != format {
			t.Errorf("%s of 65520 pixels: %v", format, err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s leaves a file", format)
		}
	}
}
