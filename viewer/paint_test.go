package viewer

import (
	"encoding/base64"
	"fmt"
	"math"
	"testing"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/visualize"
)

// paintScript defines paint(painter, packet, frame, pane), which returns the pixels of a picture of the page's painters.
const paintScript = `
globalThis.paint = async (name, packet, frame, pane) => {
  const { GLPainter } = await import('./gl.js');
  const { RasterPainter } = await import('./raster.js');
  const { Colours } = await import('./colours.js');
  const { parsePacket } = await import('./packet.js');
  const { Picture } = await import('./picture.js');
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const field = await parsePacket(bytes(packet).buffer);
  const { columns, rows, cell } = field;
  const canvas = Object.assign(document.createElement('canvas'), { width: columns, height: rows });
  const colours = new Colours(await (await fetch('api/session')).json());
  const painter = new { gl: GLPainter, raster: RasterPainter }[name](canvas, colours);
  const rgba = new ImageData(new Uint8ClampedArray(bytes(frame)), columns, rows);
  painter.setField('a', field);
  painter.setPicture('frame', new Picture(await createImageBitmap(rgba, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' }), cell, field));
  painter.draw([{ rect: [0, 0, columns, rows], size: [field.width, field.height], origin: [0, 0], zoom: 1 / cell, a: 'a', b: 'a', picture: 'frame', range: 1, ...pane }]);
  let text = '';
  for (const b of painter.pixels()) text += String.fromCharCode(b);
  return btoa(text);
}`

// TestPaintersMatchGo paints fields with both painters of the page, and compares them with package visualize. Of one field the page
// gets the means of cells, as while frames are scrubbed: they have to look like the painted means.
func TestPaintersMatchGo(t *testing.T) {
	_, url := serve(t, flows(t))
	b := newTab(t, url, 400, 300)
	b.do(paintScript)
	normal, half := chart(160, 120), chart(160, 120)
	half.Vectors[2*9000] = 1e6
	for _, f := range []*field.Field{normal, half} { // the confidence of an infinite vector is not shown
		f.Vectors[len(f.Vectors)-2] = field.Unknown()
	}
	cells := chart(323, 243)
	for _, c := range []struct {
		name   string
		field  *field.Field // that the packet is made of
		want   *field.Field // what is painted
		cell   int
		packed bool
	}{
		{"16-bit numbers", normal, normal, 1, false},
		{"half floats", half, half, 1, true},
		{"cells", cells, meansOf(cells, 3), 3, false},
	} {
		p := newPacket(c.field, 0, c.cell)
		f := c.want
		first := pictureOf(newPacket(f, 0, 1))
		f.Pair = &frame.Pair{First: first, Second: first}
		data, err := p.encode(c.packed)
		if err != nil {
			t.Fatal(err)
		}
		for _, style := range []visualize.Style{visualize.Flow, visualize.Overlay, visualize.Confidence} {
			painter, err := visualize.New(visualize.Options{Style: style, MaxFlow: 10})
			if err != nil {
				t.Fatal(err)
			}
			want, err := painter.Paint(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, with := range []string{"gl", "raster"} {
				pixels, err := base64.StdEncoding.DecodeString(eval[string](b, fmt.Sprintf("paint(%q, %q, %q, {style: %q, scale: 10, mix: 0.5})",
					with, base64.StdEncoding.EncodeToString(data), base64.StdEncoding.EncodeToString(first.Image().Pix), style)))
				if err != nil {
					t.Fatal(err)
				}
				comparePixels(t, fmt.Sprintf("%s, %s, %s", with, style, c.name), pixels, want, f, style != visualize.Confidence)
			}
		}
	}
}

// comparePixels compares RGBA pixels with a frame. Where the flow is as long as full saturation, rounding decides between two
// very different colours: these pixels are left out.
func comparePixels(t *testing.T, what string, pixels []byte, want *frame.Frame, f *field.Field, edge bool) {
	t.Helper()
	if len(pixels) != 4*want.Width*want.Height {
		t.Fatalf("%s: %d bytes", what, len(pixels))
	}
	compared, worst := 0, 0
	for i := range want.Width * want.Height {
		if length := math.Hypot(float64(f.Vectors[2*i]), float64(f.Vectors[2*i+1])); edge && math.Abs(length/10-1) < 1.0/1024 {
			continue
		}
		compared++
		for c := range 3 {
			d := int(pixels[4*i+c]) - int(want.Pix[3*i+c])
			worst = max(worst, d, -d)
			if d > 1 || d < -1 {
				t.Fatalf("%s: pixel %d, %d is %v, want %v", what, i%want.Width, i/want.Width, pixels[4*i:4*i+3], want.Pix[3*i:3*i+3])
			}
		}
	}
	if compared < 9*len(pixels)/40 {
		t.Errorf("%s: only %d pixels are compared", what, compared)
	}
	t.Logf("%s: %d pixels, largest difference %d", what, compared, worst)
}
