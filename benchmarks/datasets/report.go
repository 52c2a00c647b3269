package datasets

import (
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/wwflow/wwflow/benchmarks/internal/table"
	"github.com/wwflow/wwflow/field"
)

// Report is the result of an evaluation.
type Report struct {
	Dataset   string
	Rule      string   // the measures
	Source    string   // where the flow came from
	Columns   []string // names of the figures; the last is "density %" if the flow of some pixels is unknown
	Rows      []Row    // of sets of pairs
	PerPair   []Row    // of each pair
	showPairs bool     // the table has PerPair in any case
}

// Row is a row of the table.
type Row struct {
	Name    string
	Pairs   int
	Figures []float64 // one for each column; NaN if no pixel was scored
}

func (d *dataset) report(o *Options, pairs []pair, results [][]field.Errors) *Report {
	r := &Report{Dataset: d.title, Rule: d.rule, Source: o.Source, Columns: d.columns, showPairs: d.showPairs}
	if o.FlowDir != "" {
		r.Source = o.FlowDir
	}
	dense := pool(results, d.classes...).Unknown == 0
	if !dense {
		r.Rule += "; only pixels of known flow are scored; density: their share of the pixels with ground truth"
		r.Columns = append(slices.Clone(r.Columns), "density %")
	}
	row := func(name string, results [][]field.Errors) Row {
		figures := d.figures(results)
		if !dense {
			figures = append(figures, pool(results, d.classes...).Density())
		}
		return Row{name, len(results), figures}
	}
	var names []string
	sets := map[string][][]field.Errors{}
	for i, p := range pairs {
		if sets[p.row] == nil {
			names = append(names, p.row)
		}
		sets[p.row] = append(sets[p.row], results[i])
		r.PerPair = append(r.PerPair, row(p.name, results[i:i+1]))
	}
	for _, name := range names {
		r.Rows = append(r.Rows, row(name, sets[name]))
	}
	return r
}

// rows returns the rows of the table. Single pairs come first.
func (r *Report) rows(perPair bool) []Row {
	if perPair || r.showPairs {
		return slices.Concat(r.PerPair, r.Rows)
	}
	return r.Rows
}

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer, perPair bool) error {
	rows := [][]string{append([]string{"", "pairs"}, r.Columns...)}
	for _, row := range r.rows(perPair) {
		cells := []string{row.Name, strconv.Itoa(row.Pairs)}
		for _, v := range row.Figures {
			cells = append(cells, table.Figure(v).Text())
		}
		rows = append(rows, cells)
	}
	return table.WriteText(w, fmt.Sprintf("%s, flow from %s\nRule: %s\n\n", r.Dataset, r.Source, r.Rule), rows)
}

// WriteCSV writes a line for each row.
func (r *Report) WriteCSV(w io.Writer, perPair bool) error {
	rows := [][]string{append([]string{"dataset", "row", "pairs"}, r.Columns...)}
	for _, row := range r.rows(perPair) {
		cells := []string{r.Dataset, row.Name, strconv.Itoa(row.Pairs)}
		for _, v := range row.Figures {
			cells = append(cells, table.Figure(v).CSV())
		}
		rows = append(rows, cells)
	}
	return table.WriteCSV(w, rows)
}

// rowJSON is a row of the table in JSON.
type rowJSON struct {
	Name    string                  `json:"name"`
	Pairs   int                     `json:"pairs"`
	Figures map[string]table.Figure `json:"figures"` // by the name of the column
}

// WriteJSON writes the report as one object.
func (r *Report) WriteJSON(w io.Writer, perPair bool) error {
	out := struct {
		Dataset string    `json:"dataset"`
		Rule    string    `json:"rule"`
		Source  string    `json:"flow_from"`
		Rows    []rowJSON `json:"rows"`
	}{r.Dataset, r.Rule, r.Source, nil}
	for _, row := range r.rows(perPair) {
		out.Rows = append(out.Rows, asJSON(row, r.Columns, row.Figures))
	}
	return table.WriteJSON(w, out)
}

func asJSON(row Row, columns []string, figures []float64) rowJSON {
	named := map[string]table.Figure{}
	for i, v := range figures {
		named[columns[i]] = table.Figure(v)
	}
	return rowJSON{row.Name, row.Pairs, named}
}
