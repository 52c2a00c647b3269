package viewer

import (
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/visualize"
)

// arrowsScript defines arrows(packet, frame, scale), which returns the pixels of a frame with arrows, as the page draws them: the
// painter's canvas, and the marks over it.
const arrowsScript = `
globalThis.arrows = async (packet, frame, scale) => {
  const { drawMarks } = await import('./marks.js');
  const { View } = await import('./view.js');
  const { GLPainter } = await import('./gl.js');
  const { Colours } = await import('./colours.js');
  const { parsePacket } = await import('./packet.js');
  const { Picture } = await import('./picture.js');
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const field = await parsePacket(bytes(packet).buffer);
  const { width, height } = field;
  const view = Object.assign(new View(), { size: [width, height], canvas: [width + 2, height + 2], layout: 'single' });
  const canvas = () => Object.assign(document.createElement('canvas'), { width: width + 2, height: height + 2 });
  const colours = new Colours(await (await fetch('api/session')).json());
  const [picture, marks, both] = [canvas(), canvas(), canvas()];
  const painter = new GLPainter(picture, colours);
  const rgba = new ImageData(new Uint8ClampedArray(bytes(frame)), width, height);
  painter.setField('a', field);
  painter.setPicture('frame', new Picture(await createImageBitmap(rgba, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' })));
  const [cell] = view.cells();
  painter.draw([{ rect: cell, size: view.size, origin: view.origin(cell), zoom: view.zoom(), a: 'a', b: 'b', picture: 'frame', range: 1, mix: 1, scale, style: 'arrows' }]);
  drawMarks(marks, view, { number: 0, arrows: { field, scale, colours, pane: 0 }, tracks: [] }, 1);
  const context = both.getContext('2d');
  context.drawImage(picture, 0, 0);
  context.drawImage(marks, 0, 0);
  let text = '';
  for (const b of context.getImageData(...view.origin(cell), width, height).data) text += String.fromCharCode(b);
  return btoa(text);
}`

// TestArrowsMatchGo draws arrows as the page does and as package visualize does. The two smooth edges differently, so a few pixels
// may differ; an arrow of another length, direction, width or colour changes many more.
func TestArrowsMatchGo(t *testing.T) {
	_, url := serve(t, flows(t))
	b := newTab(t, url, 400, 300)
	b.do(arrowsScript)
	f := chart(320, 240)
	f.Vectors[len(f.Vectors)-2] = 0 // the mean of a cell with an infinite vector is not defined
	p := newPacket(f, 0, 1)
	first := pictureOf(p)
	f.Pair = &frame.Pair{First: first, Second: first}
	painter, err := visualize.New(visualize.Options{Style: visualize.Arrows, MaxFlow: 15})
	if err != nil {
		t.Fatal(err)
	}
	want, err := painter.Paint(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := p.encode(false)
	if err != nil {
		t.Fatal(err)
	}
	got, err := base64.StdEncoding.DecodeString(eval[string](b, fmt.Sprintf("arrows(%q, %q, 15)",
		base64.StdEncoding.EncodeToString(data), base64.StdEncoding.EncodeToString(first.Image().Pix))))
	if err != nil {
		t.Fatal(err)
	}
	n, arrows, far, sum := want.Width*want.Height, 0, 0, 0
	if len(got) != 4*n {
		t.Fatalf("%d bytes, want %d", len(got), 4*n)
	}
	for i := range n {
		largest, drawn := 0, false
		for c := range 3 {
			d := int(got[4*i+c]) - int(want.Pix[3*i+c])
			largest = max(largest, d, -d)
			drawn = drawn || want.Pix[3*i+c] != first.Pix[3*i+c]/2
		}
		if drawn {
			arrows++
		}
		if largest > 64 {
			far++
		}
		sum += largest
	}
	t.Logf("arrows cover %d of %d pixels; %d pixels differ by more than 64 levels, the mean difference is %.2f", arrows, n, far, float64(sum)/float64(n))
	if arrows < n/4 || far > n/100 || sum > 10*n {
		t.Error("the page draws other arrows than package visualize")
	}
}
