package visualize

import (
	"math"
	"slices"

	"github.com/lucasb-eyer/go-colorful"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
)

// row returns row y of the pixels of a frame.
func row(f *frame.Frame, y int) []byte { return f.Pix[3*f.Width*y : 3*f.Width*(y+1)] }

// vectorRow returns row y of the vectors of a field.
func vectorRow(f *field.Field, y int) []float32 { return f.Vectors[2*f.Width*y : 2*f.Width*(y+1)] }

func (p *Painter) flowRow(out *frame.Frame, f *field.Field, y int) {
	wheelRow(row(out, y), vectorRow(f, y), p.scale)
}

func (p *Painter) sideBySideRow(out *frame.Frame, f *field.Field, y int) {
	n := copy(row(out, y), row(f.Pair.First, y))
	wheelRow(row(out, y)[n:], vectorRow(f, y), p.scale)
}

// luma returns the brightness of a pixel, 0 to 255, with the weights of BT.709.
func luma(pix []byte) uint32 {
	return (54*uint32(pix[0]) + 183*uint32(pix[1]) + 19*uint32(pix[2]) + 128) >> 8
}

// ground returns channel c of a pixel of the first frame, as it is shown under the flow.
func (p *Painter) ground(pix []byte, c int) uint32 {
	if p.o.Gray {
		return luma(pix)
	}
	return uint32(pix[c])
}

// overlayRow multiplies the wheel's colour, which is white for zero flow, with the first frame. The stronger the colour
// is, the more the frame's own colour gives way to its brightness, which is raised to a quarter at least so that the
// wheel's colours can be told apart. Unknown flow shows the frame at half brightness.
func (p *Painter) overlayRow(out *frame.Frame, f *field.Field, y int) {
	p.flowRow(out, f, y)
	row, first := row(out, y), row(f.Pair.First, y)
	for i := 0; i < len(row); i += 3 {
		pix, under := row[i:i+3:i+3], first[i:i+3:i+3]
		if pix[0]|pix[1]|pix[2] == 0 {
			for c := range pix {
				pix[c] = uint8(p.ground(under, c) / 2)
			}
			continue
		}
		strength := 255 - uint32(min(pix[0], pix[1], pix[2])) // 255 * length / MaxFlow
		light := 64 + luma(under)*191/255
		for c := range pix {
			base := light
			if !p.o.Gray {
				base = (light*strength + uint32(under[c])*(255-strength) + 127) / 255
			}
			pix[c] = uint8((uint32(pix[c])*base + 127) / 255)
		}
	}
}

// dimRow paints the ground under the arrows: the first frame at half brightness.
func (p *Painter) dimRow(out *frame.Frame, f *field.Field, y int) {
	row, first := row(out, y), row(f.Pair.First, y)
	for i := 0; i < len(row); i += 3 {
		for c := range 3 {
			row[i+c] = uint8(p.ground(first[i:i+3], c) / 2)
		}
	}
}

// ramp holds the colours of confidence 0, 1/255 ... 1: from dark violet over green to yellow. The steps look equal
// (blended in Oklab) and lightness only rises, so the ramp can also be read in grey.
var ramp = func() (t [256][3]uint8) {
	stops := []colorful.Color{
		colorful.Hcl(300, 0.45, 0.14), colorful.Hcl(280, 0.35, 0.38), colorful.Hcl(195, 0.30, 0.60), colorful.Hcl(105, 0.75, 0.92),
	}
	for i := range t {
		x := float64(i) / 255 * float64(len(stops)-1)
		k := min(int(x), len(stops)-2)
		t[i][0], t[i][1], t[i][2] = stops[k].BlendOkLab(stops[k+1], x-float64(k)).Clamped().RGB255()
	}
	return t
}()

// Ramp returns the colours of confidence 0, 1/255 ... 1.
func Ramp() [][3]uint8 { return slices.Clone(ramp[:]) }

func (p *Painter) confidenceRow(out *frame.Frame, f *field.Field, y int) {
	row := row(out, y)
	for x, c := range f.Confidence[f.Width*y : f.Width*(y+1)] {
		if u, v := f.At(x, y); !field.Known(u, v) || c != c {
			continue // out is black
		}
		level := ramp[int(math.Round(255*float64(min(max(c, 0), 1))))]
		copy(row[3*x:], level[:])
	}
}

// The colours of style Occlusion: orange and blue of Okabe and Ito, which colour-blind people tell apart too.
var (
	occludedColour = [3]uint8{230, 159, 0}
	outsideColour  = [3]uint8{0, 114, 178}
)

// occlusionRow paints the first frame in grey at half brightness. Occluded and outside pixels have their colour, lighter where
// the frame is. Unchecked pixels are black.
func occlusionRow(out *frame.Frame, f *field.Field, y int) {
	row, first := row(out, y), row(f.Pair.First, y)
	for x, v := range f.Visibility[f.Width*y : f.Width*(y+1)] {
		pix, light := row[3*x:3*x+3:3*x+3], luma(first[3*x:])
		colour := occludedColour
		switch v {
		case field.Visible:
			pix[0], pix[1], pix[2] = uint8(light/2), uint8(light/2), uint8(light/2)
			continue
		case field.Unchecked:
			continue // out is black
		case field.Outside:
			colour = outsideColour
		}
		for c := range pix {
			pix[c] = uint8(uint32(colour[c]) * (255 + light) / 510)
		}
	}
}
