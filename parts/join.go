package parts

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/internal/errkind"
	"github.com/wwflow/wwflow/pipeline"
)

// JoinOptions says what Join does.
type JoinOptions struct {
	Dir    string // of the parts
	Output string // video file
	Input  string // of the parts, for its audio and subtitles; "" = where it was when the parts were made
	Force  bool   // replace an existing output
}

// Joined is what Join has done.
type Joined struct {
	Output  string   `json:"output"`
	Parts   int      `json:"parts"`
	Frames  int      `json:"frames"`
	Notices []string `json:"notices,omitempty"`
}

// Join makes the video of all parts in a folder, without encoding again. The folder stays as it is. The error matches
// ErrIncomplete where parts are missing or not complete, and ErrUnequal where they do not belong together.
func Join(ctx context.Context, o JoinOptions) (j Joined, err error) {
	defer func() { err = temporary(err) }()
	all, err := readParts(o.Dir)
	if err != nil {
		return j, errkind.Mark(pipeline.ErrInput, err)
	}
	if err := agree(all); err != nil {
		return j, errkind.Mark(pipeline.ErrInput, err)
	}
	for _, m := range all {
		j.Frames += m.frames()
	}
	if o.Input == "" {
		o.Input = all[0].header.Input.Path
	} else if id, err := identify(o.Input); err != nil {
		return j, errkind.Mark(pipeline.ErrInput, err)
	} else if list := all[0].header.Input.differences(id, false); len(list) > 0 {
		return j, errkind.Mark(pipeline.ErrInput, fmt.Errorf("%s is not the input of the parts: %s", o.Input, strings.Join(list, "; ")))
	}
	if err := encode.Check(o.Output, encode.Options{Codec: videoOf(all).Codec, Force: o.Force}); err != nil {
		return j, errkind.Mark(pipeline.ErrOutput, err)
	}
	j.Output, j.Parts = o.Output, len(all)
	j.Notices, err = join(ctx, all, o.Input, o.Output, o.Force)
	if errors.Is(err, encode.ErrSegment) {
		return j, errkind.Mark(pipeline.ErrInput, err)
	}
	return j, errkind.Mark(pipeline.ErrOutput, err)
}

// join makes the output of parts that are complete.
func join(ctx context.Context, all []*manifest, input, output string, force bool) ([]string, error) {
	var segments []encode.Segment
	for _, m := range all {
		for _, s := range m.segments {
			if s.File != "" {
				segments = append(segments, m.encoded(s))
			}
		}
	}
	v := videoOf(all)
	o := encode.Options{Codec: v.Codec, Width: v.Width, Height: v.Height, TimeBase: v.TimeBase, FrameRate: v.FrameRate, SampleAspect: v.SampleAspect,
		Origin: v.Origin, Start: v.Start, Duration: v.Duration, Shortest: v.Shortest, Force: force}
	if v.Copies {
		o.CopyFrom = input
	}
	return encode.Join(ctx, output, segments, o)
}

// videoOf returns what the parts have in common; agree has checked it. A part without an image does not tell.
func videoOf(all []*manifest) *Video {
	for _, m := range all {
		if m.header.Video != nil {
			return m.header.Video
		}
	}
	return &Video{}
}

// readParts reads the manifests of all parts in a folder, in their order, and checks that they are complete.
func readParts(dir string) (all []*manifest, err error) {
	paths, err := filepath.Glob(globEscape(filepath.Join(dir, "part-")) + "*.jsonl")
	if err != nil {
		return nil, err
	}
	of := 0
	for _, path := range paths {
		var p Part
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "part-"), ".jsonl")
		if n, _ := fmt.Sscanf(name, "%d-of-%d", &p.Number, &p.Of); n != 2 || p.Name() != name || p.Check() != nil {
			continue
		}
		if of != 0 && of != p.Of {
			return nil, fmt.Errorf("%s: %w: some are of %d, some of %d; keep one kind", dir, ErrUnequal, of, p.Of)
		}
		of = p.Of
	}
	if of == 0 {
		return nil, fmt.Errorf("%w: there are none in %s", ErrIncomplete, dir)
	}
	var problems []string
	for k := range of {
		m, err := readManifest(dir, Part{k + 1, of})
		if err != nil {
			return nil, err
		}
		if problem := m.incomplete(); problem != "" {
			problems = append(problems, fmt.Sprintf("part %d/%d %s", k+1, of, problem))
		}
		all = append(all, m)
		if m.ended != nil && m.ended.Size != "" {
			break // the video ends here: the resolution of the input changes
		}
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("%s: %w: %s", dir, ErrIncomplete, strings.Join(problems, "; "))
	}
	return all, nil
}

// incomplete says what a part lacks; "" for nothing.
func (m *manifest) incomplete() string {
	if m.header == nil {
		return "was not begun"
	}
	missing := m.missing(m.header.First, m.end())
	if len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf("is not complete (%d of %d frames)", m.frames(), m.end()-m.header.First)
}

// agree checks that parts come from one input with one set of options, and have one colour scale and one kind of images.
func agree(all []*manifest) error {
	first := all[0]
	if i := slices.IndexFunc(all, func(m *manifest) bool { return m.header.Video != nil }); i > 0 {
		first = all[i]
	}
	for _, m := range all {
		list := first.header.differences(m.header, false)
		a, b := first.header.Video, m.header.Video
		switch {
		case len(list) > 0:
		case a == nil || b == nil:
			continue
		case first.header.MaxFlow != m.header.MaxFlow:
			list = append(list, fmt.Sprintf("the automatic colour scale was %v pixels, is %v; give all parts --max-flow", first.header.MaxFlow, m.header.MaxFlow))
		case *a != *b:
			list = append(list, fmt.Sprintf("the images were %s of %dx%d, are %s of %dx%d", a.Codec, a.Width, a.Height, b.Codec, b.Width, b.Height))
		}
		if len(list) > 0 {
			return fmt.Errorf("%s: %w: part %d/%d differs from part %d/%d: %s", m.dir, ErrUnequal, m.part.Number, m.part.Of, first.part.Number, first.part.Of, strings.Join(list, "; "))
		}
	}
	return nil
}
