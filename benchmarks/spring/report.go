package spring

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Report is the outcome of an evaluation.
type Report struct {
	Rule      string // Rule or Rule16
	Source    string // where the flow came from
	Split     string
	Flows     int // how many were scored
	All       Tallies
	Sequences []Sequence // in order
}

// Sequence is the part of a report that comes from one sequence.
type Sequence struct {
	Name  string
	Flows int
	Tallies
}

func newReport(o Options, source string, jobs []*job) *Report {
	r := &Report{Rule: Rule, Source: source, Split: o.Split, Flows: len(jobs)}
	if o.Float16 {
		r.Rule = Rule16
	}
	// In the order of the jobs, whichever was done first: a sum of floats depends on its order.
	for _, j := range jobs {
		if n := len(r.Sequences); n == 0 || r.Sequences[n-1].Name != j.Sequence {
			r.Sequences = append(r.Sequences, Sequence{Name: j.Sequence})
		}
		s := &r.Sequences[len(r.Sequences)-1]
		s.Flows++
		s.add(&j.tallies)
		r.All.add(&j.tallies)
	}
	return r
}

// row is one line of a table.
type row struct {
	sequence, subset string
	Tally
}

func (r *Report) rows(perSequence bool) []row {
	var rows []row
	for i, t := range r.All {
		rows = append(rows, row{"all", Subsets[i], t})
	}
	if perSequence {
		for _, s := range r.Sequences {
			for i, t := range s.Tallies {
				rows = append(rows, row{s.Name, Subsets[i], t})
			}
		}
	}
	return rows
}

// WriteText writes the table for people: a line for each subset and, if perSequence, then one for each sequence.
func (r *Report) WriteText(w io.Writer, perSequence bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Spring, split %s, %d flows, flow from %s\nRule: %s\n\n", r.Split, r.Flows, r.Source, r.Rule)
	var lines strings.Builder
	t := tabwriter.NewWriter(&lines, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(name string, tally Tally) {
		f := tally.Figures()
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t\n", name, text(f.Px1), text(f.EPE), text(f.Fl), text(f.WAUC), tally.Pixels)
	}
	width := 0
	for _, name := range Subsets {
		width = max(width, len(name))
	}
	pad := func(name string) string { return fmt.Sprintf("%-*s", width, name) } // names stay on the left
	fmt.Fprintf(t, "%s\t1px %%\tEPE px\tFl %%\tWAUC %%\tpixels\t\n", pad("subset"))
	for i, tally := range r.All {
		line(pad(Subsets[i]), tally)
	}
	if perSequence {
		fmt.Fprintf(t, "%s\t\t\t\t\t\t\n%s\t1px %%\tEPE px\tFl %%\tWAUC %%\tpixels\t\n", pad(""), pad("sequence"))
		for _, s := range r.Sequences {
			line(pad(s.Name), s.Tallies[0])
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(lines.String()) {
		b.WriteString(strings.TrimPrefix(line, "  ")) // the space before the first column
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// text is a figure with three digits after the point, or a dash for none.
func text(v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}

// WriteCSV writes a line for each subset of all sequences and, if perSequence, of each one. A figure of no pixels is empty.
func (r *Report) WriteCSV(w io.Writer, perSequence bool) error {
	c := csv.NewWriter(w)
	lines := [][]string{{"sequence", "subset", "px1_percent", "epe_pixels", "fl_percent", "wauc_percent", "pixels", "rule"}}
	number := func(v float64) string {
		if math.IsNaN(v) {
			return ""
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	for _, l := range r.rows(perSequence) {
		f := l.Figures()
		lines = append(lines, []string{
			l.sequence, l.subset, number(f.Px1), number(f.EPE), number(f.Fl), number(f.WAUC), strconv.FormatInt(l.Pixels, 10), r.Rule,
		})
	}
	return c.WriteAll(lines)
}

// WriteJSON writes the report as one object. A figure of no pixels is null.
func (r *Report) WriteJSON(w io.Writer, perSequence bool) error {
	type figures struct {
		Px1    *float64 `json:"px1_percent"`
		EPE    *float64 `json:"epe_pixels"`
		Fl     *float64 `json:"fl_percent"`
		WAUC   *float64 `json:"wauc_percent"`
		Pixels int64    `json:"pixels"`
	}
	number := func(v float64) *float64 {
		if math.IsNaN(v) {
			return nil
		}
		return &v
	}
	table := func(t Tallies) map[string]figures {
		m := map[string]figures{}
		for i, tally := range t {
			f := tally.Figures()
			m[Subsets[i]] = figures{number(f.Px1), number(f.EPE), number(f.Fl), number(f.WAUC), tally.Pixels}
		}
		return m
	}
	out := struct {
		Benchmark string                        `json:"benchmark"`
		Rule      string                        `json:"rule"`
		Source    string                        `json:"flow_from"`
		Split     string                        `json:"split"`
		Flows     int                           `json:"flows"`
		Subsets   map[string]figures            `json:"subsets"`
		Sequences map[string]map[string]figures `json:"sequences,omitempty"`
	}{"Spring", r.Rule, r.Source, r.Split, r.Flows, table(r.All), nil}
	if perSequence {
		out.Sequences = map[string]map[string]figures{}
		for _, s := range r.Sequences {
			out.Sequences[s.Name] = table(s.Tallies)
		}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(out)
}
