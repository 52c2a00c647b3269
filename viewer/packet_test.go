package viewer

import (
	"bytes"
	"math"
	"testing"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
)

// pictureOf returns a frame of a packet's size with coloured bars.
func pictureOf(p *packet) *frame.Frame {
	f := frame.New(p.header.Width, p.header.Height)
	for i := range f.Width * f.Height {
		x, y := i%f.Width, i/f.Width
		f.Pix[3*i], f.Pix[3*i+1], f.Pix[3*i+2] = uint8(255*x/f.Width), uint8(x/4%2*255), uint8(255*y/f.Height)
	}
	return f
}

func TestPacketPrecision(t *testing.T) {
	for _, c := range []struct {
		name      string
		largest   float32
		step      float64
		tolerance func(v float64) float64
	}{
		{"still", 0, 1.0 / (1 << 20), func(float64) float64 { return 0 }},
		{"small", 0.7, 1.0 / (1 << 15), func(float64) float64 { return 1.0 / (1 << 16) }},
		{"usual", 100, 1.0 / 256, func(float64) float64 { return 1.0 / 512 }},
		{"large", 511, 1.0 / 64, func(float64) float64 { return 1.0 / 128 }},
		{"one wrong vector", 1e6, 0, func(v float64) float64 { return v/2048 + 1e-7 }},
	} {
		f := chart(64, 48)
		if c.largest < 20 {
			for i := range f.Vectors {
				f.Vectors[i] *= c.largest / 20
			}
		}
		f.Vectors[200], f.Vectors[201] = c.largest, -c.largest/3
		f.Vectors[6142], f.Vectors[6143] = float32(math.Inf(1)), 0
		p := newPacket(f, 7, 1)
		if p.header.Step != c.step {
			t.Errorf("%s: the step is %v, want %v", c.name, p.header.Step, c.step)
		}
		g := p.field()
		if u, v := g.At(63, 47); u == u && v == v {
			t.Errorf("%s: the last vector is (%v, %v), want unknown", c.name, u, v)
		}
		if u, v := float64(g.Vectors[200]), float64(g.Vectors[201]); c.largest > halfMax && (u != halfMax || math.Abs(u/v+3) > 0.01) {
			t.Errorf("%s: the wrong vector became (%v, %v)", c.name, u, v)
		}
		for i, v := range f.Vectors[:6142] {
			got := float64(g.Vectors[i])
			if (v == v) != (got == got) || v == v && i/2 != 100 && math.Abs(got-float64(v)) > c.tolerance(math.Abs(float64(v))) {
				t.Fatalf("%s: component %d is %v, want %v", c.name, i, got, v)
			}
		}
	}
}

func TestPacketEncoding(t *testing.T) {
	for _, confidence := range []bool{false, true} {
		f := chart(37, 23)
		if !confidence {
			f.Confidence = nil
		}
		p := newPacket(f, 12, 1)
		for _, packed := range []bool{false, true} {
			data, err := p.encode(packed)
			if err != nil {
				t.Fatal(err)
			}
			got, err := decodePacket(data)
			if err != nil {
				t.Fatal(err)
			}
			if got.header != p.header || !bytes.Equal(got.payload, p.payload) {
				t.Errorf("packed %v, confidence %v: the packet has changed: %+v, want %+v", packed, confidence, got.header, p.header)
			}
			for _, n := range []int{0, 4, 11, 20, len(data) / 2, len(data) - 1} {
				if _, err := decodePacket(data[:n]); err == nil {
					t.Errorf("%d of %d bytes are taken for a packet", n, len(data))
				}
			}
			data[len(data)-6] ^= 1
			if _, err := decodePacket(data); err == nil {
				t.Error("a changed byte is not noticed")
			}
		}
	}
}

func TestPacketCountsUnknown(t *testing.T) {
	f := field.New(10, 10)
	f.Vectors[0], f.Vectors[7] = field.Unknown(), float32(math.Inf(1))
	if h := newPacket(f, 0, 1).header; h.Unknown != 2 {
		t.Errorf("the header is %+v", h)
	}
}
