// Package visualize paints a flow field as a picture.
//
// It promises four things. One field always gives the same picture, whatever was painted before it:
// the scale is fixed when a Painter is made, so a video does not flicker. Still pixels are white in the
// colour wheel. Unknown flow is black, which no known flow is. The wheel has no seam.
//
// It computes nothing about motion and knows no network: it needs a field.Field and, for the styles that
// show it, the first frame of the field's pair.
package visualize

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
)

// Style says what the picture shows.
type Style string

const (
	Flow       Style = "flow"         // the colour wheel alone
	Overlay    Style = "overlay"      // the first frame in grey, tinted by its flow
	SideBySide Style = "side-by-side" // the first frame on the left, its flow on the right: twice as wide
	Arrows     Style = "arrows"       // the first frame in dim grey under a grid of arrows
	Confidence Style = "confidence"   // how sure the network is: yellow = sure, dark violet = guessed
)

// Styles lists every style, the default first.
func Styles() []Style { return []Style{Flow, Overlay, SideBySide, Arrows, Confidence} }

// ParseStyle finds the style of that name.
func ParseStyle(name string) (Style, error) {
	if s := Style(name); slices.Contains(Styles(), s) {
		return s, nil
	}
	names := make([]string, 0, len(Styles()))
	for _, s := range Styles() {
		names = append(names, string(s))
	}
	return "", fmt.Errorf("%w %q: choose one of %s", ErrStyle, name, strings.Join(names, ", "))
}

var (
	// ErrStyle is returned for a style that does not exist.
	ErrStyle = errors.New("there is no style")
	// ErrNoConfidence is returned where a field without confidence is to be painted in style Confidence.
	ErrNoConfidence = errors.New("the flow field has no confidence to show")
	// ErrNoPicture is returned where a style shows the first frame and the field has none of its size.
	ErrNoPicture = errors.New("the flow field has no frame of its size to show")
)

// Options says how to paint. The zero value of everything but MaxFlow is usable.
type Options struct {
	Style   Style   // "" = Flow
	MaxFlow float64 // pixels; this length is painted in full colour, zero in white; must be positive, but for Confidence, which shows no lengths
	Legend  bool    // draw the wheel with its scale in a corner
	Threads int     // goroutines that paint one picture; 0 = one for each core
}

// Painter paints fields by one fixed scale. It may be used by several goroutines at once.
type Painter struct {
	o     Options
	scale float32 // 1 / MaxFlow

	mu     sync.Mutex
	legend *legend // the one drawn last: it depends on the picture's size alone
}

// New makes a Painter.
func New(o Options) (*Painter, error) {
	if o.Style == "" {
		o.Style = Flow
	}
	if _, err := ParseStyle(string(o.Style)); err != nil {
		return nil, err
	}
	if o.Style != Confidence && (!(o.MaxFlow > 0) || math.IsInf(o.MaxFlow, 0)) {
		return nil, fmt.Errorf("the largest flow to paint is %v pixels: give a positive number", o.MaxFlow)
	}
	return &Painter{o: o, scale: float32(1 / o.MaxFlow)}, nil
}

// Size is the size of the picture of a field that is width x height pixels.
func (p *Painter) Size(width, height int) (int, int) {
	if p.o.Style == SideBySide {
		return 2 * width, height
	}
	return width, height
}

// Paint returns the field's picture, with the index and the presentation time of its pair's first frame.
func (p *Painter) Paint(f *field.Field) (*frame.Frame, error) {
	out := frame.New(p.Size(f.Width, f.Height))
	var first *frame.Frame
	if f.Pair != nil && f.Pair.First != nil {
		first = f.Pair.First
		out.Index, out.PTS, out.Duration, out.TimeBase = first.Index, first.PTS, first.Duration, first.TimeBase
	}
	if p.showsFrame() && (first == nil || first.Width != f.Width || first.Height != f.Height) {
		return nil, ErrNoPicture
	}
	if p.o.Style == Confidence && f.Confidence == nil {
		return nil, ErrNoConfidence
	}
	paint := map[Style]func(*frame.Frame, *field.Field, int){
		Flow: p.flowRow, Overlay: p.overlayRow, SideBySide: p.sideBySideRow, Arrows: p.dimRow, Confidence: p.confidenceRow,
	}[p.o.Style]
	eachRow(f.Height, p.o.Threads, func(y int) { paint(out, f, y) })
	if p.o.Style == Arrows {
		p.arrows(out, f)
	}
	if p.o.Legend {
		p.legendFor(out.Width, out.Height).draw(out)
	}
	return out, nil
}

func (p *Painter) showsFrame() bool {
	return p.o.Style == Overlay || p.o.Style == SideBySide || p.o.Style == Arrows
}
