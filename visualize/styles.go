package visualize

import (
	"math"

	"github.com/lucasb-eyer/go-colorful"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
)

// luma is the brightness of the pixel at pix, 0-255, by the weights of BT.709.
func luma(pix []byte) uint32 {
	return (54*uint32(pix[0]) + 183*uint32(pix[1]) + 19*uint32(pix[2]) + 128) >> 8
}

// overlayRow multiplies the wheel's colours by the first frame's brightness: still pixels, being white in
// the wheel, show the frame in grey. Brightness is lifted to a quarter at least, for colours need light to
// be told apart. Where the flow is unknown the frame shows at half brightness.
func (p *Painter) overlayRow(out *frame.Frame, f *field.Field, y int) {
	p.flowRow(out, f, y)
	row := out.Pix[3*out.Width*y : 3*out.Width*(y+1)]
	under := f.Pair.First.Pix[3*f.Width*y : 3*f.Width*(y+1)]
	for i := 0; i < len(row); i += 3 {
		light := luma(under[i : i+3])
		if row[i]|row[i+1]|row[i+2] == 0 {
			row[i], row[i+1], row[i+2] = uint8(light/2), uint8(light/2), uint8(light/2)
			continue
		}
		light = 64 + light*191/255
		for c := range 3 {
			row[i+c] = uint8((uint32(row[i+c])*light + 127) / 255)
		}
	}
}

func (p *Painter) sideBySideRow(out *frame.Frame, f *field.Field, y int) {
	row := out.Pix[3*out.Width*y : 3*out.Width*(y+1)]
	n := copy(row, f.Pair.First.Pix[3*f.Width*y:3*f.Width*(y+1)])
	wheelRow(row[n:], f.Vectors[2*f.Width*y:2*f.Width*(y+1)], p.scale)
}

// dimRow is the ground under the arrows: the first frame in grey, at half brightness.
func (p *Painter) dimRow(out *frame.Frame, f *field.Field, y int) {
	row := out.Pix[3*out.Width*y : 3*out.Width*(y+1)]
	under := f.Pair.First.Pix[3*f.Width*y : 3*f.Width*(y+1)]
	for i := 0; i < len(row); i += 3 {
		g := uint8(luma(under[i:i+3]) / 2)
		row[i], row[i+1], row[i+2] = g, g, g
	}
}

// ramp is the colours of confidence 0, 1/255 ... 1: from dark violet over green to yellow, with steps that
// look equal (blended in Oklab) and lightness that only rises, so it also reads in grey.
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

func (p *Painter) confidenceRow(out *frame.Frame, f *field.Field, y int) {
	row := out.Pix[3*out.Width*y : 3*out.Width*(y+1)]
	for x, c := range f.Confidence[f.Width*y : f.Width*(y+1)] {
		if u, v := f.At(x, y); !field.Known(u, v) || c != c {
			continue // out is black
		}
		level := ramp[int(math.Round(255*float64(min(max(c, 0), 1))))]
		copy(row[3*x:], level[:])
	}
}
