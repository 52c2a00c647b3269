package spring

import (
	"fmt"
	"io"
	"strconv"

	"github.com/wwflow/wwflow/benchmarks/internal/table"
)

// Report is the result of an evaluation.
type Report struct {
	Rule      string // the measure
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

// newReport adds up the results in the order of the flows: the last digits of a sum depend on the order.
func newReport(o Options, flows []Flow, results []Tallies) *Report {
	r := &Report{Source: o.Source, Split: o.Split, Flows: len(flows)}
	if o.FlowDir != "" {
		r.Source = o.FlowDir
	}
	for i, f := range flows {
		if n := len(r.Sequences); n == 0 || r.Sequences[n-1].Name != f.Sequence {
			r.Sequences = append(r.Sequences, Sequence{Name: f.Sequence})
		}
		s := &r.Sequences[len(r.Sequences)-1]
		s.Flows++
		s.add(&results[i])
		r.All.add(&results[i])
	}
	r.Rule = ruleOf(o.Float16, r.dense())
	return r
}

// dense returns whether the flow of every pixel was known. Otherwise all formats have a density as well.
func (r *Report) dense() bool { return r.All[0].Unknown == 0 }

// WriteText writes the report for people: a row for each subset and, if perSequence is set, one for each sequence.
func (r *Report) WriteText(w io.Writer, perSequence bool) error {
	heading := fmt.Sprintf("Spring, split %s, %d flows, flow from %s\nRule: %s\n\n", r.Split, r.Flows, r.Source, r.Rule)
	columns := []string{"1px %", "EPE px", "Fl %", "WAUC %", "pixels"}
	if !r.dense() {
		columns = append(columns, "density %")
	}
	head := func(name string) []string { return append([]string{name}, columns...) }
	line := func(name string, t Tally) []string {
		f := t.Figures()
		cells := []string{name}
		for _, v := range []float64{f.Px1, f.EPE, f.Fl, f.WAUC} {
			cells = append(cells, table.Figure(v).Text())
		}
		cells = append(cells, strconv.FormatInt(t.Pixels, 10))
		if !r.dense() {
			cells = append(cells, table.Figure(t.Density()).Text())
		}
		return cells
	}
	rows := [][]string{head("subset")}
	for i, t := range r.All {
		rows = append(rows, line(Subsets[i], t))
	}
	if perSequence {
		rows = append(rows, make([]string, 1+len(columns)), head("sequence"))
		for _, s := range r.Sequences {
			rows = append(rows, line(s.Name, s.Tallies[0]))
		}
	}
	return table.WriteText(w, heading, rows)
}

// WriteCSV writes a line for each subset of all sequences and, if perSequence is set, of each sequence. The column
// density_percent is there only if the flow of some pixels is unknown.
func (r *Report) WriteCSV(w io.Writer, perSequence bool) error {
	rows := [][]string{{"sequence", "subset", "px1_percent", "epe_pixels", "fl_percent", "wauc_percent", "pixels", "rule"}}
	if !r.dense() {
		rows[0] = append(rows[0], "density_percent")
	}
	add := func(sequence string, tallies Tallies) {
		for i, t := range tallies {
			f, row := t.Figures(), []string{sequence, Subsets[i]}
			for _, v := range []float64{f.Px1, f.EPE, f.Fl, f.WAUC} {
				row = append(row, table.Figure(v).CSV())
			}
			row = append(row, strconv.FormatInt(t.Pixels, 10), r.Rule)
			if !r.dense() {
				row = append(row, table.Figure(t.Density()).CSV())
			}
			rows = append(rows, row)
		}
	}
	add("all", r.All)
	if perSequence {
		for _, s := range r.Sequences {
			add(s.Name, s.Tallies)
		}
	}
	return table.WriteCSV(w, rows)
}

// figuresJSON is a row of the table in JSON.
type figuresJSON struct {
	Px1     table.Figure  `json:"px1_percent"`
	EPE     table.Figure  `json:"epe_pixels"`
	Fl      table.Figure  `json:"fl_percent"`
	WAUC    table.Figure  `json:"wauc_percent"`
	Pixels  int64         `json:"pixels"`
	Density *table.Figure `json:"density_percent,omitempty"`
}

// WriteJSON writes the report as one object. The member density_percent is there only if the flow of some pixels is unknown.
func (r *Report) WriteJSON(w io.Writer, perSequence bool) error {
	subsets := func(tallies Tallies) map[string]figuresJSON {
		m := map[string]figuresJSON{}
		for i, t := range tallies {
			f := t.Figures()
			row := figuresJSON{table.Figure(f.Px1), table.Figure(f.EPE), table.Figure(f.Fl), table.Figure(f.WAUC), t.Pixels, nil}
			if !r.dense() {
				density := table.Figure(t.Density())
				row.Density = &density
			}
			m[Subsets[i]] = row
		}
		return m
	}
	out := struct {
		Benchmark string                            `json:"benchmark"`
		Rule      string                            `json:"rule"`
		Source    string                            `json:"flow_from"`
		Split     string                            `json:"split"`
		Flows     int                               `json:"flows"`
		Subsets   map[string]figuresJSON            `json:"subsets"`
		Sequences map[string]map[string]figuresJSON `json:"sequences,omitempty"`
	}{"Spring", r.Rule, r.Source, r.Split, r.Flows, subsets(r.All), nil}
	if perSequence {
		out.Sequences = map[string]map[string]figuresJSON{}
		for _, s := range r.Sequences {
			out.Sequences[s.Name] = subsets(s.Tallies)
		}
	}
	return table.WriteJSON(w, out)
}
