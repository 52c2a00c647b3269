package stats

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Format is a file format of statistics.
type Format string

// The formats. CSV and JSONL have one kind of row only, pairs or videos.
const (
	CSV   Format = "csv"   // a header and a line for each row; a number that does not exist is empty
	JSON  Format = "json"  // one object: {"video": ..., "pairs": [...]} or {"videos": [...]}
	JSONL Format = "jsonl" // an object for each row, one a line
)

// Formats returns all formats.
func Formats() []Format { return []Format{CSV, JSON, JSONL} }

// FormatOf returns the format of a file name, by its extension.
func FormatOf(path string) (Format, error) {
	f := Format(strings.TrimPrefix(strings.ToLower(filepath.Ext(path)), "."))
	if !slices.Contains(Formats(), f) {
		return "", fmt.Errorf("statistics are written to .csv, .json or .jsonl files, not to %q", path)
	}
	return f, nil
}

// PairWriter writes the numbers of pairs as they come. Memory does not grow with their number.
type PairWriter struct {
	to     io.Writer
	format Format
	csv    *csv.Writer
	pairs  int
	err    error
}

// NewPairWriter returns a writer to w. It buffers nothing but a line.
func NewPairWriter(w io.Writer, format Format) *PairWriter {
	p := &PairWriter{to: w, format: format}
	switch format {
	case CSV:
		p.csv = csv.NewWriter(w)
		p.write(pairColumns.header())
	case JSON:
		_, p.err = io.WriteString(w, `{"pairs": [`)
	}
	return p
}

// Add writes a pair. After an error it does nothing and returns the same error.
func (p *PairWriter) Add(pair Pair) error {
	if p.err != nil {
		return p.err
	}
	switch p.format {
	case CSV:
		p.write(pairColumns.row(pair))
	default:
		var line []byte
		if line, p.err = json.Marshal(pair); p.err != nil {
			return p.err
		}
		switch {
		case p.format == JSONL:
			line = append(line, '\n')
		case p.pairs > 0:
			line = append([]byte(",\n"), line...)
		default:
			line = append([]byte("\n"), line...)
		}
		_, p.err = p.to.Write(line)
	}
	p.pairs++
	return p.err
}

// Close ends the file: JSON gets the numbers of the video.
func (p *PairWriter) Close(v Video) error {
	if p.format != JSON || p.err != nil {
		return p.err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.to, "\n], \"video\": %s}\n", text)
	return err
}

func (p *PairWriter) write(row []string) {
	p.err = p.csv.Write(row)
	p.csv.Flush()
	if p.err == nil {
		p.err = p.csv.Error()
	}
}

// column is a column of CSV, whose name has the unit.
type column[T any] struct {
	name string
	cell func(T) string
}

type columns[T any] []column[T]

func (c columns[T]) header() []string {
	names := make([]string, len(c))
	for i := range c {
		names[i] = c[i].name
	}
	return names
}

func (c columns[T]) row(v T) []string {
	cells := make([]string, len(c))
	for i := range c {
		cells[i] = c[i].cell(v)
	}
	return cells
}

// number writes a number with the digits that it takes to read the same number back.
func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

var pairColumns = append(columns[Pair]{
	{"frame", func(p Pair) string { return strconv.Itoa(p.Frame) }},
	{"time_s", func(p Pair) string { return number(p.Time) }},
	{"interval_s", func(p Pair) string { return number(p.Interval) }},
	{"cut", func(p Pair) string { return strconv.FormatBool(p.Cut) }},
	{"known", func(p Pair) string { return number(p.Known) }},
}, motionColumns(func(p Pair) *Motion { return p.Motion })...)

// motionColumns are the columns of a motion that a row may have. Their cells are empty where it has none.
func motionColumns[T any](of func(T) *Motion) columns[T] {
	var list columns[T]
	add := func(name string, cell func(*Motion) string) {
		list = append(list, column[T]{name, func(row T) string {
			if m := of(row); m != nil {
				return cell(m)
			}
			return ""
		}})
	}
	lengths := func(unit string, of func(*Motion) Lengths) {
		add("mean_"+unit, func(m *Motion) string { return number(of(m).Mean) })
		add("median_"+unit, func(m *Motion) string { return number(of(m).Median) })
		add("p90_"+unit, func(m *Motion) string { return number(of(m).P90) })
		add("p95_"+unit, func(m *Motion) string { return number(of(m).P95) })
		add("p99_"+unit, func(m *Motion) string { return number(of(m).P99) })
	}
	lengths("px", func(m *Motion) Lengths { return m.Length })
	lengths("share", func(m *Motion) Lengths { return m.Relative })
	add("score", func(m *Motion) string { return number(m.Score) })
	add("moving", func(m *Motion) string { return number(m.Moving) })
	direction := func(name string, of func(*Dominant) float64) {
		add(name, func(m *Motion) string {
			if m.Direction == nil {
				return ""
			}
			return number(of(m.Direction))
		})
	}
	direction("direction_deg", func(d *Dominant) float64 { return d.Degrees })
	direction("direction_share", func(d *Dominant) float64 { return d.Share })
	camera := func(name string, of func(*Camera) float64) {
		add(name, func(m *Motion) string {
			if m.Camera == nil {
				return ""
			}
			return number(of(m.Camera))
		})
	}
	camera("pan_px", func(c *Camera) float64 { return c.Pan })
	camera("tilt_px", func(c *Camera) float64 { return c.Tilt })
	camera("zoom", func(c *Camera) float64 { return c.Zoom })
	camera("roll_deg", func(c *Camera) float64 { return c.Roll })
	camera("follow", func(c *Camera) float64 { return c.Follow })
	camera("residual_px", func(c *Camera) float64 { return c.Residual })
	camera("objects_px", func(c *Camera) float64 { return c.Objects })
	add("confidence", func(m *Motion) string {
		if m.Confidence == nil {
			return ""
		}
		return number(*m.Confidence)
	})
	for i := range (Directions{}) {
		add(fmt.Sprintf("d%02d", i), func(m *Motion) string { return number(m.Directions[i]) })
	}
	return list
}
