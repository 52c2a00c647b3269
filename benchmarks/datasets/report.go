package datasets

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/wwflow/wwflow/field"
)

// Report is the outcome of an evaluation.
type Report struct {
	Dataset string
	Rule    string   // what the figures are
	Source  string   // where the flow came from
	Columns []string // names of the figures
	Rows    []Row    // of sets of pairs
	PerPair []Row    // of each pair
	always  bool     // pairs belong into the table in any case
}

// Row is a line of the table.
type Row struct {
	Name    string
	Pairs   int
	Figures []float64 // one for each column; NaN where no pixel counts
}

func (d *dataset) report(o *Options, pairs []pair, results [][]field.Errors) *Report {
	r := &Report{Dataset: d.title, Rule: d.rule, Source: o.Source, Columns: d.columns, always: d.perPair}
	if o.FlowDir != "" {
		r.Source = o.FlowDir
	}
	var names []string
	sets := map[string][][]field.Errors{}
	for i, p := range pairs {
		if sets[p.row] == nil {
			names = append(names, p.row)
		}
		sets[p.row] = append(sets[p.row], results[i])
		r.PerPair = append(r.PerPair, Row{p.name, 1, d.figures(results[i : i+1])})
	}
	for _, name := range names {
		r.Rows = append(r.Rows, Row{name, len(sets[name]), d.figures(sets[name])})
	}
	return r
}

// lines is what goes into the table: single pairs come first.
func (r *Report) lines(perPair bool) []Row {
	if perPair || r.always {
		return append(append([]Row(nil), r.PerPair...), r.Rows...)
	}
	return r.Rows
}

// WriteText writes the table for people.
func (r *Report) WriteText(w io.Writer, perPair bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, flow from %s\nRule: %s\n\n", r.Dataset, r.Source, r.Rule)
	width := 0
	for _, line := range r.lines(perPair) {
		width = max(width, len(line.Name))
	}
	var lines strings.Builder
	t := tabwriter.NewWriter(&lines, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "%*s\tpairs\t%s\t\n", width, "", strings.Join(r.Columns, "\t"))
	for _, line := range r.lines(perPair) {
		fmt.Fprintf(t, "%-*s\t%d\t", width, line.Name, line.Pairs)
		for _, v := range line.Figures {
			if math.IsNaN(v) {
				fmt.Fprint(t, "-\t")
			} else {
				fmt.Fprintf(t, "%.3f\t", v)
			}
		}
		fmt.Fprintln(t)
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

// WriteCSV writes a line for each row. A figure of no pixels is empty.
func (r *Report) WriteCSV(w io.Writer, perPair bool) error {
	lines := [][]string{append([]string{"dataset", "row", "pairs"}, r.Columns...)}
	for _, row := range r.lines(perPair) {
		line := []string{r.Dataset, row.Name, strconv.Itoa(row.Pairs)}
		for _, v := range row.Figures {
			s := ""
			if !math.IsNaN(v) {
				s = strconv.FormatFloat(v, 'g', -1, 64)
			}
			line = append(line, s)
		}
		lines = append(lines, line)
	}
	return csv.NewWriter(w).WriteAll(lines)
}

// WriteJSON writes the report as one object. A figure of no pixels is null.
func (r *Report) WriteJSON(w io.Writer, perPair bool) error {
	type row struct {
		Name    string              `json:"name"`
		Pairs   int                 `json:"pairs"`
		Figures map[string]*float64 `json:"figures"`
	}
	out := struct {
		Dataset string `json:"dataset"`
		Rule    string `json:"rule"`
		Source  string `json:"flow_from"`
		Rows    []row  `json:"rows"`
	}{r.Dataset, r.Rule, r.Source, nil}
	for _, line := range r.lines(perPair) {
		l := row{line.Name, line.Pairs, map[string]*float64{}}
		for i, v := range line.Figures {
			l.Figures[r.Columns[i]] = nil
			if !math.IsNaN(v) {
				l.Figures[r.Columns[i]] = &v
			}
		}
		out.Rows = append(out.Rows, l)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(out)
}
