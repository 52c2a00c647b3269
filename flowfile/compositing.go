package flowfile

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/internal/atomicfile"
)

// Target is a program for which WriteMotion writes OpenEXR files. docs/compositing.md describes each.
type Target string

// The targets.
const (
	Nuke    Target = "nuke"    // channels forward.u, forward.v, backward.u, backward.v
	Blender Target = "blender" // the Vector pass of Cycles: Vector.X to Vector.W
	Natron  Target = "natron"  // as Nuke, with the forward motion also in R and G
)

// Targets returns every target.
func Targets() []Target { return []Target{Nuke, Blender, Natron} }

// ParseTarget returns the target with that name.
func ParseTarget(name string) (Target, error) {
	if slices.Contains(Targets(), Target(name)) {
		return Target(name), nil
	}
	return "", fmt.Errorf("unknown program %q: choose one of %s", name, joinTargets())
}

func joinTargets() string {
	var names []string
	for _, t := range Targets() {
		names = append(names, string(t))
	}
	return strings.Join(names, ", ")
}

// Motion is the flow from one frame to the frame after it and to the frame before it. One of them may be nil: the motion is
// then unknown.
type Motion struct{ Next, Previous *field.Field }

// Text attributes of files for compositing programs.
const (
	exrZero   = "flowZero"
	exrTarget = "flowTarget"
)

// WriteMotion writes the motion of a frame as OpenEXR for a program. y points up, as in these programs. Unknown motion is 0, not
// NaN, which filters would spread; the channels forward_mask.valid and backward_mask.valid tell it apart. Errors name the file.
func WriteMotion(path string, m Motion, t Target) error {
	size := m.Next
	if size == nil {
		size = m.Previous
	}
	if size == nil || m.Previous != nil && (m.Previous.Width != size.Width || m.Previous.Height != size.Height) {
		return fmt.Errorf("%s: %w: a frame needs a motion, and both of one size", path, field.ErrSizes)
	}
	image := &exrImage{width: size.Width, height: size.Height, text: map[string]string{
		exrAxis: exrUp, exrUnit: exrPixels, exrTarget: string(t), exrZero: "0 is no motion; unknown motion is 0 where valid is 0",
		exrDirection: "forward: from this frame to the next; backward: from this frame to the previous",
	}}
	next, previous := component(m.Next), component(m.Previous)
	switch t {
	case Blender:
		image.text[exrDirection] = "X, Y: from this frame to the previous; Z, W: from the next frame to this, reversed: minus the motion to the next"
		image.add("Vector.X", exrFloat, previous(0, 1))
		image.add("Vector.Y", exrFloat, previous(1, -1))
		image.add("Vector.Z", exrFloat, next(0, -1))
		image.add("Vector.W", exrFloat, next(1, 1))
	default:
		image.add("forward.u", exrFloat, next(0, 1))
		image.add("forward.v", exrFloat, next(1, -1))
		image.add("backward.u", exrFloat, previous(0, 1))
		image.add("backward.v", exrFloat, previous(1, -1))
	}
	if t == Natron {
		image.add("R", exrFloat, next(0, 1))
		image.add("G", exrFloat, next(1, -1))
		image.add("B", exrFloat, func(int) float32 { return 0 })
		image.add("A", exrFloat, valid(m.Next))
	}
	for name, f := range map[string]*field.Field{"forward_mask.": m.Next, "backward_mask.": m.Previous} {
		image.add(name+"valid", exrHalf, valid(f))
		if f != nil {
			image.addVisibility(name, f)
		}
	}
	return named(path, atomicfile.WriteTo(path, image.write))
}

// component returns a function that gives the channels of a field: a component times a sign, 0 where it is unknown.
func component(f *field.Field) func(k int, sign float32) func(int) float32 {
	return func(k int, sign float32) func(int) float32 {
		return func(i int) float32 {
			if f == nil || !field.Known(f.Vectors[2*i], f.Vectors[2*i+1]) {
				return 0
			}
			return sign*f.Vectors[2*i+k] + 0 // + 0 turns -0 into 0
		}
	}
}

func valid(f *field.Field) func(int) float32 {
	return func(i int) float32 { return one(f != nil && field.Known(f.Vectors[2*i], f.Vectors[2*i+1])) }
}

// exrNormalised is the unit of an STMap.
const exrNormalised = "normalised coordinates, 0 to 1, of the picture to take the pixel from"

// WriteSTMap writes a field as an STMap: R and G are the place, from 0 at the left and lower edges to 1, from which the pixel of
// the second frame of the field's pair comes, so that the map warps the second frame onto the first. A is 1 where the place is
// known and in the frame, else 0, and R and G are 0 where it is unknown. Errors name the file.
func WriteSTMap(path string, f *field.Field) error {
	place := func(i int) (s, t float64, known bool) {
		u, v := f.Vectors[2*i], f.Vectors[2*i+1]
		s = (float64(i%f.Width) + 0.5 + float64(u)) / float64(f.Width)
		t = 1 - (float64(i/f.Width)+0.5+float64(v))/float64(f.Height)
		return s, t, field.Known(u, v)
	}
	image := &exrImage{width: f.Width, height: f.Height, text: map[string]string{
		exrAxis: exrUp, exrUnit: exrNormalised, exrDirection: "the second frame is warped onto the first", exrTarget: "stmap",
		exrZero: "no motion is the pixel's own place, (x + 0.5) / width and (y + 0.5) / height",
	}}
	image.add("R", exrFloat, func(i int) float32 {
		if s, _, known := place(i); known {
			return float32(s)
		}
		return 0
	})
	image.add("G", exrFloat, func(i int) float32 {
		if _, t, known := place(i); known {
			return float32(t)
		}
		return 0
	})
	image.add("B", exrFloat, func(int) float32 { return 0 })
	image.add("A", exrFloat, func(i int) float32 {
		s, t, known := place(i)
		return one(known && s >= 0 && s < 1 && t > 0 && t <= 1)
	})
	return named(path, atomicfile.WriteTo(path, image.write))
}

// ReadSTMap reads an STMap, of this package or of another program, as flow: the vector from each pixel to the place that the map
// names. Pixels with an alpha of 0 are unknown. Errors are those of Read.
func ReadSTMap(path string) (*field.Field, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f, err := decodeEXR(file, true)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// fromSTMap turns the places of an STMap into vectors.
func fromSTMap(f *field.Field) {
	for i := 0; i < len(f.Vectors); i += 2 {
		x, y := i/2%f.Width, i/2/f.Width
		s, t := float64(f.Vectors[i]), float64(f.Vectors[i+1])
		f.Vectors[i] = float32(s*float64(f.Width) - float64(x) - 0.5)
		f.Vectors[i+1] = float32((1-t)*float64(f.Height) - float64(y) - 0.5)
	}
}

// named adds the name of the file to an error that does not have it.
func named(path string, err error) error {
	var has *os.PathError
	if err != nil && !errors.As(err, &has) {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return err
}
