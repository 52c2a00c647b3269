package decode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/asticode/go-astiav"
	"github.com/maruel/natural"

	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/libav"
)

// sequence reads image files as the frames of a video with a constant frame rate.
type sequence struct {
	converter
	inf     Info
	files   []string // in the selected part
	offset  int      // number of files before the selected part: files[0] has this time stamp
	at      int
	damaged int
	reason  error // why the last damaged file was damaged
}

func openSequence(ctx context.Context, name string, o Options) (_ source, err error) {
	if o.hardwareKinds() != nil && o.Hardware != "auto" {
		return nil, fmt.Errorf("%w: images are decoded in software", ErrHardware)
	}
	files, err := sequenceFiles(name)
	if err != nil {
		return nil, err
	}
	base := frame.Rational{Num: o.FrameRate.Den, Den: o.FrameRate.Num}
	first, end := window(o, 0, base)
	first, end = max(first, 0), min(end, int64(len(files)))
	if first+int64(o.First) >= end {
		return nil, ErrWindow
	}
	s := &sequence{files: files[first:end], offset: int(first), at: o.First}
	s.converter = converter{decoder: s, base: base, threads: o.Threads}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if err := s.open(); err != nil {
		return nil, err
	}
	if err := s.hold(ctx); err == io.EOF {
		return nil, fmt.Errorf("%w: %w", ErrNoFrames, s.reason)
	} else if err != nil {
		return nil, err
	}
	all := frame.Frame{PTS: int64(len(files)), TimeBase: base}
	s.inf.Path, s.inf.Duration = name, all.Time()
	s.describe(o)
	return s, nil
}

// describe fills Info from the first picture.
func (s *sequence) describe(o Options) {
	w, h := filterInputOf(s.raw, s.turn, false).uprightSize()
	s.width, s.height = scaled(w, o.Scale), scaled(h, o.Scale)
	c, assumed := completeColors(s.raw)
	i := &s.inf
	if i.Format = "folder"; !IsSequence(i.Path) {
		i.Format = "image"
	}
	i.Width, i.Height, i.Rotation = s.width, s.height, s.turn.degrees
	i.FrameRate, i.TimeBase, i.Frames, i.FramesExact = o.FrameRate, s.base, len(s.files), true
	i.PixelFormat, i.BitDepth = s.raw.PixelFormat().Name(), libav.BitDepth(s.raw.PixelFormat())
	i.ColorRange, i.ColorMatrix, i.ColorTransfer, i.ColorAssumed = c.RangeName(), c.SpaceName(), c.TransferName(), assumed
}

// decode decodes the next file that is not damaged.
func (s *sequence) decode(ctx context.Context, raw *astiav.Frame) (stamp, error) {
	for ; s.at < len(s.files); s.at++ {
		if err := ctx.Err(); err != nil {
			return stamp{}, err
		}
		path := s.files[s.at]
		codec, err := decodePicture(path, s.threads, raw)
		var damage *damageError
		if errors.As(err, &damage) {
			s.damaged, s.reason = s.damaged+1, err
			continue
		}
		if err != nil {
			return stamp{}, err
		}
		if s.inf.Codec == "" {
			s.inf.Codec = codec
		}
		at := stamp{pts: int64(s.offset + s.at), duration: 1, index: s.at, name: filepath.Base(path)}
		s.at++
		return at, nil
	}
	return stamp{}, io.EOF
}

func (s *sequence) info() *Info           { return &s.inf }
func (s *sequence) corrupt() int          { return s.damaged }
func (s *sequence) frames() int           { return s.at }
func (s *sequence) name(index int) string { return filepath.Base(s.files[index]) }

func (s *sequence) times() []int64 {
	times := make([]int64, len(s.files))
	for i := range times {
		times[i] = int64(s.offset + i)
	}
	return times
}

// kinds of image files by extension. A folder is read as the first kind of which it has files, so that depth maps in
// EXR beside the PNG frames of a data set are not taken for frames.
var kinds = [][]string{{".png", ".jpg", ".jpeg"}, {".tif", ".tiff"}, {".bmp"}, {".webp"}, {".exr"}, {".dpx"}, {".ppm", ".pgm"}}

// kindOf returns the index in kinds of a file name, or -1.
func kindOf(name string) int {
	extension := strings.ToLower(filepath.Ext(name))
	return slices.IndexFunc(kinds, func(k []string) bool { return slices.Contains(k, extension) })
}

func extensionList() string { return strings.Join(slices.Concat(kinds...), " ") }

// verb is the one verb of a pattern: %d, or %03d for numbers of at least three digits.
var verb = regexp.MustCompile(`%(0\d+)?d`)

func isPattern(name string) bool {
	base := filepath.Base(name)
	return len(verb.FindAllString(base, -1)) == 1 && strings.Count(base, "%") == 1
}

// Files returns the paths of the files of which an input consists, in their order: the images of a sequence, or the file itself.
func Files(name string) ([]string, error) { return sequenceFiles(name) }

// sequenceFiles returns the paths of the files of a folder or of a pattern, in natural order, or the path of a file.
func sequenceFiles(name string) ([]string, error) {
	if !IsSequence(name) {
		return []string{name}, nil
	}
	dir, match := name, func(string) bool { return true }
	if s, err := os.Stat(name); err != nil || !s.IsDir() {
		dir, match = filepath.Dir(name), patternMatcher(filepath.Base(name))
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot list the folder %s: %w", dir, errors.Unwrap(err))
	}
	found := make([][]string, len(kinds))
	for _, e := range entries {
		if kind := kindOf(e.Name()); kind >= 0 && !e.IsDir() && !strings.HasPrefix(e.Name(), ".") && match(e.Name()) {
			found[kind] = append(found[kind], filepath.Join(dir, e.Name()))
		}
	}
	for _, files := range found {
		if len(files) > 0 {
			slices.SortFunc(files, compareNatural)
			return files, nil
		}
	}
	return nil, ErrNoPictures
}

func compareNatural(a, b string) int {
	switch {
	case natural.Less(a, b):
		return -1
	case natural.Less(b, a):
		return 1
	}
	return 0
}

// patternMatcher returns a function that reports whether a file name is the pattern with some number.
func patternMatcher(pattern string) func(name string) bool {
	at := verb.FindStringIndex(pattern)
	digits := `\d+`
	if width := strings.Trim(pattern[at[0]:at[1]], "%d"); width != "" {
		digits = `(\d{` + width[1:] + `}|[1-9]\d{` + width[1:] + `,})`
	}
	return regexp.MustCompile(`^` + regexp.QuoteMeta(pattern[:at[0]]) + digits + regexp.QuoteMeta(pattern[at[1]:]) + `$`).MatchString
}
