// Package visualize paints a flow field as a picture.
//
// The colours are those of the Middlebury wheel: hue shows direction and saturation shows length, from white for zero
// flow to full colour for the length MaxFlow. Longer flow is darker. Unknown flow is black, which no known flow is. The
// wheel has no seam. MaxFlow is fixed when a Painter is made, so the colours of a video do not flicker.
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

// Style selects what the picture shows.
type Style string

const (
	Flow       Style = "flow"         // the flow in the colours of the wheel
	Overlay    Style = "overlay"      // the first frame, tinted with the colours of its flow
	SideBySide Style = "side-by-side" // the first frame on the left, its flow on the right: twice as wide
	Arrows     Style = "arrows"       // the first frame at half brightness under a grid of arrows
	Confidence Style = "confidence"   // the confidence of the flow, from dark violet (0) to yellow (1)
	Occlusion  Style = "occlusion"    // the first frame in grey: occluded pixels orange, those that leave the frame blue
)

// Styles returns every style, the default first.
func Styles() []Style { return []Style{Flow, Overlay, SideBySide, Arrows, Confidence, Occlusion} }

// HasScale reports whether the colours of the style show the length of flow, so that it needs Options.MaxFlow.
func (s Style) HasScale() bool { return s != Confidence && s != Occlusion }

// ParseStyle returns the style with that name.
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
	ErrStyle = errors.New("unknown style")
	// ErrNoConfidence is returned by style Confidence for a field without confidence.
	ErrNoConfidence = errors.New("the flow field has no confidence")
	// ErrNoVisibility is returned by style Occlusion for a field whose visibility was not checked.
	ErrNoVisibility = errors.New("the flow field has no visibility: it was estimated in one direction only")
	// ErrNoFrame is returned by styles that show the first frame, for a field that has no frame of its size.
	ErrNoFrame = errors.New("the flow field has no frame of its size")
)

// Options of a Painter. Only MaxFlow has no default.
type Options struct {
	Style   Style   // "" = Flow
	MaxFlow float64 // length of flow in pixels that has full colour; must be positive; ignored by styles without HasScale
	Legend  bool    // draw a legend in the lower right corner, if the picture is large enough
	Gray    bool    // show the first frame in grey in Overlay and Arrows
	Threads int     // number of goroutines per picture; 0 = number of cores
}

// Painter paints fields with one fixed scale. It is safe for concurrent use.
type Painter struct {
	o     Options
	scale float32 // 1 / MaxFlow

	mu     sync.Mutex
	legend *legend // the last one drawn; it depends only on the size of the picture
}

// New returns a Painter.
func New(o Options) (*Painter, error) {
	if o.Style == "" {
		o.Style = Flow
	}
	if _, err := ParseStyle(string(o.Style)); err != nil {
		return nil, err
	}
	if o.Style.HasScale() && (!(o.MaxFlow > 0) || math.IsInf(o.MaxFlow, 0)) {
		return nil, fmt.Errorf("MaxFlow is %v pixels: it must be positive", o.MaxFlow)
	}
	return &Painter{o: o, scale: float32(1 / o.MaxFlow)}, nil
}

// Size returns the size in pixels of the picture of a field of width x height pixels.
func (p *Painter) Size(width, height int) (int, int) {
	if p.o.Style == SideBySide {
		return 2 * width, height
	}
	return width, height
}

// Paint returns the picture of a field, with the index and the times of the first frame of its pair.
func (p *Painter) Paint(f *field.Field) (*frame.Frame, error) {
	out := frame.New(p.Size(f.Width, f.Height))
	var first *frame.Frame
	if f.Pair != nil && f.Pair.First != nil {
		first = f.Pair.First
		out.Index, out.PTS, out.Duration, out.TimeBase = first.Index, first.PTS, first.Duration, first.TimeBase
	}
	if p.showsFrame() && (first == nil || first.Width != f.Width || first.Height != f.Height) {
		return nil, ErrNoFrame
	}
	if p.o.Style == Confidence && f.Confidence == nil {
		return nil, ErrNoConfidence
	}
	if p.o.Style == Occlusion && f.Visibility == nil {
		return nil, ErrNoVisibility
	}
	paint := map[Style]func(*frame.Frame, *field.Field, int){
		Flow: p.flowRow, Overlay: p.overlayRow, SideBySide: p.sideBySideRow, Arrows: p.dimRow, Confidence: p.confidenceRow,
		Occlusion: occlusionRow,
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
	return p.o.Style == Overlay || p.o.Style == SideBySide || p.o.Style == Arrows || p.o.Style == Occlusion
}
