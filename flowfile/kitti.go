package flowfile

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"

	"github.com/wwflow/wwflow/field"
)

// KITTI's flow map: a 16-bit RGB PNG. u = (R - 32768) / 64, v = (G - 32768) / 64, and flow is known where B is not 0.
const (
	kittiZero  = 32768
	kittiScale = 64
)

func readKITTI(r io.Reader) (*field.Field, error) {
	// The size is checked first, because the decoder allocates what the header claims.
	var head bytes.Buffer
	c, err := png.DecodeConfig(io.TeeReader(r, &head))
	if err != nil {
		return nil, pngError(err)
	}
	if err := checkSize(int64(c.Width), int64(c.Height)); err != nil {
		return nil, err
	}
	decoded, err := png.Decode(io.MultiReader(&head, r))
	if err != nil {
		return nil, pngError(err)
	}
	m, ok := decoded.(*image.RGBA64) // the decoder returns this type only for 16-bit RGB without transparency
	if !ok {
		return nil, fmt.Errorf("%w: it is not a 16-bit RGB PNG", ErrFormat)
	}
	f := field.New(c.Width, c.Height)
	for i := range f.Width * f.Height {
		// 8 bytes per pixel, without gaps: big-endian R, G, B, A.
		p := m.Pix[8*i : 8*i+6]
		if p[4]|p[5] == 0 {
			f.Vectors[2*i], f.Vectors[2*i+1] = field.Unknown(), field.Unknown()
			continue
		}
		f.Vectors[2*i] = fromKITTI(p[0], p[1])
		f.Vectors[2*i+1] = fromKITTI(p[2], p[3])
	}
	return f, nil
}

// fromKITTI is exact: a float32 can store every step.
func fromKITTI(high, low byte) float32 { return float32(int(high)<<8+int(low)-kittiZero) / kittiScale }

func pngError(err error) error {
	return fmt.Errorf("%w: %w", ErrFormat, err)
}

func writeKITTI(w io.Writer, f *field.Field) error {
	m := image.NewRGBA64(image.Rect(0, 0, f.Width, f.Height))
	for i := range f.Width * f.Height {
		p := m.Pix[8*i : 8*i+8]
		p[6], p[7] = 255, 255 // opaque, so that the encoder writes three channels
		u, v := f.Vectors[2*i], f.Vectors[2*i+1]
		if !field.Known(u, v) {
			continue // all three channels are 0, as in the devkit
		}
		a, b := toKITTI(u), toKITTI(v)
		if a < 0 || a > math.MaxUint16 || b < 0 || b > math.MaxUint16 {
			return rangeError(f, KITTI, 2*i)
		}
		p[0], p[1] = byte(uint16(a)>>8), byte(uint16(a))
		p[2], p[3] = byte(uint16(b)>>8), byte(uint16(b))
		p[5] = 1
	}
	return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, m)
}

// toKITTI rounds to the nearest step, halves up.
func toKITTI(v float32) float64 { return math.Floor(float64(v)*kittiScale + kittiZero + 0.5) }
