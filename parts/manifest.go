package parts

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/journal"
)

// manifestFormat is the version of the manifest's format.
const manifestFormat = 1

// Header says from what a part is made. Pairs are numbered by their earlier frame.
type Header struct {
	Format  int               `json:"format"`
	Program string            `json:"program"` // version; not compared
	Part    Part              `json:"part"`
	Input   Identity          `json:"input"`
	Options map[string]string `json:"options"`
	Network string            `json:"network"`            // SHA-256 of its files
	Frames  int               `json:"frames"`             // of the whole video; 0 = unknown
	First   int               `json:"first"`              // pair of the part
	End     int               `json:"end"`                // pair after the last one; 0 = that of the last frame, which is unknown
	Images  int               `json:"images,omitempty"`   // with Options.Retiming: of the whole video, about
	MaxFlow float64           `json:"max_flow,omitempty"` // scale in pixels
	Video   *Video            `json:"video,omitempty"`    // nil if the part has no image
}

// Video is what Join needs to know about the images.
type Video struct {
	Codec        string         `json:"codec"`
	Width        int            `json:"width"`
	Height       int            `json:"height"`
	TimeBase     frame.Rational `json:"time_base"`
	FrameRate    frame.Rational `json:"frame_rate"`
	SampleAspect frame.Rational `json:"sample_aspect"`
	Origin       time.Duration  `json:"origin_ns"`
	Start        time.Duration  `json:"start_ns"`
	Duration     time.Duration  `json:"duration_ns"`
	Shortest     bool           `json:"shortest"`
	Copies       bool           `json:"copies"` // the input has audio or subtitles
}

// Segment is a run of pairs whose images are complete on disk.
type Segment struct {
	File   string   `json:"file,omitempty"` // in the folder of the parts; "" where all its pairs have a damaged frame
	First  int      `json:"first"`          // pair
	End    int      `json:"end"`            // pair after the last one
	Frames int      `json:"frames"`         // images
	New    int      `json:"new,omitempty"`  // of these, made between two frames, with Options.Retiming
	Bytes  int64    `json:"bytes"`          // of the file
	Images [2]int   `json:"images"`         // numbers of the first and the last image: those of the frames to which they belong, without Options.Retiming
	Times  [3]int64 `json:"times"`          // of the first image, of the last image, and its end, in units of Video.TimeBase
}

// record is a line of a manifest: one of its fields is set.
type record struct {
	Header  *Header  `json:"header,omitempty"`
	Segment *Segment `json:"segment,omitempty"`
	Ended   *ended   `json:"ended,omitempty"`
	Joining *joining `json:"joining,omitempty"`
}

// ended says that the input has ended, for a part without End.
type ended struct {
	End  int    `json:"end"`            // pair after the last one
	Size string `json:"size,omitempty"` // why the input ended early: a change of its resolution
}

// joining says that an output was about to get its name.
type joining struct {
	Before *stamp `json:"before,omitempty"` // the output that existed then
}

// stamp tells whether a file is the same.
type stamp struct {
	Bytes    int64     `json:"bytes"`
	Modified time.Time `json:"modified"`
}

func stampOf(path string) *stamp {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	return &stamp{info.Size(), info.ModTime().UTC()}
}

func (s *stamp) equal(t *stamp) bool {
	return s == nil && t == nil || s != nil && t != nil && s.Bytes == t.Bytes && s.Modified.Equal(t.Modified)
}

// manifest is a part as it is on disk.
type manifest struct {
	dir      string
	part     Part
	header   *Header // nil before the first image
	segments []*Segment
	ended    *ended
	joining  *joining
	journal  *journal.Journal // nil where it is only read
}

func manifestPath(dir string, p Part) string { return fileOf(dir, p, ".jsonl") }

// readManifest reads the manifest of a part; it is empty if there is none.
func readManifest(dir string, p Part) (*manifest, error) {
	m := &manifest{dir: dir, part: p}
	path := manifestPath(dir, p)
	records, err := journal.Read[record](path)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		switch {
		case r.Header != nil && r.Header.Format > manifestFormat:
			return nil, fmt.Errorf("%s has format %d, and this version of wwflow reads formats up to %d: use a newer version", path, r.Header.Format, manifestFormat)
		case r.Header != nil:
			m.header = r.Header
		case r.Segment != nil:
			m.add(r.Segment)
		case r.Ended != nil:
			m.ended = r.Ended
		case r.Joining != nil:
			m.joining = r.Joining
		}
	}
	if m.header == nil && len(records) > 0 {
		return nil, fmt.Errorf("%s has no header: it is not the manifest of a part", path)
	}
	return m, nil
}

// add adds a segment in the order of the pairs, in place of those that overlap it.
func (m *manifest) add(s *Segment) {
	m.segments = slices.DeleteFunc(m.segments, func(t *Segment) bool { return t.First < s.End && s.First < t.End })
	m.segments = append(m.segments, s)
	slices.SortFunc(m.segments, func(a, b *Segment) int { return a.First - b.First })
}

// append records r.
func (m *manifest) append(r record) (err error) {
	if m.journal == nil {
		if m.journal, err = journal.Open(manifestPath(m.dir, m.part)); err != nil {
			return err
		}
	}
	return m.journal.Append(r)
}

// close is nil-safe.
func (m *manifest) close() {
	if m != nil {
		m.journal.Close()
	}
}

// end returns the pair after the last one; 0 = unknown.
func (m *manifest) end() int {
	switch {
	case m.ended != nil:
		return m.ended.End
	case m.header != nil:
		return m.header.End
	}
	return 0
}

// span is a run of pairs. End 0 is the end of the input.
type span struct{ first, end int }

// missing returns the pairs without a segment.
func (m *manifest) missing(first, end int) (list []span) {
	for _, s := range m.segments {
		if s.First > first {
			list = append(list, span{first, s.First})
		}
		first = max(first, s.End)
	}
	if first < end || end == 0 {
		list = append(list, span{first, end})
	}
	return list
}

// frames is the number of images in the segments.
func (m *manifest) frames() (n int) {
	for _, s := range m.segments {
		n += s.Frames
	}
	return n
}

// path returns the path of a segment.
func (m *manifest) path(s *Segment) string { return filepath.Join(m.dir, s.File) }

// encoded is a segment for package encode.
func (m *manifest) encoded(s *Segment) encode.Segment {
	return encode.Segment{Path: m.path(s), Frames: s.Frames, First: s.Times[0], Last: s.Times[1], End: s.Times[2]}
}

// differences names what differs between the header of a part and another one.
func (h *Header) differences(o *Header, onePart bool) (list []string) {
	list = h.Input.differences(o.Input, onePart)
	keys := maps.Clone(h.Options)
	maps.Copy(keys, o.Options)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if a, b := h.Options[key], o.Options[key]; a != b {
			list = append(list, fmt.Sprintf("%s was %s, is %s", key, orDefault(a), orDefault(b)))
		}
	}
	if h.Network != o.Network && h.Options["network"] == o.Options["network"] {
		list = append(list, "the files of the network "+h.Options["network"]+" are others")
	}
	return list
}

func orDefault(s string) string {
	if s == "" {
		return "the default"
	}
	return s
}

// changed returns an ErrChanged that names the differences, or nil.
func (m *manifest) changed(now *Header) error {
	if m.header == nil {
		return nil
	}
	list := m.header.differences(now, true)
	if len(list) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w: %s", m.dir, ErrChanged, strings.Join(list, "; "))
}
