package datasets

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/wwflow/wwflow/benchmarks/internal/table"
)

// Comparison has the reports of several networks on one data set: each row of the data set has a line for each network.
type Comparison struct {
	Networks []string  // names, in the order of Reports
	Reports  []*Report // of the same pairs
}

// columns returns the names of the figures. Density is among them if one of the networks leaves pixels unknown.
func (c *Comparison) columns() []string { return c.widest().Columns }

// widest returns the report with the most columns. Its rule explains them all.
func (c *Comparison) widest() *Report {
	return slices.MaxFunc(c.Reports, func(a, b *Report) int { return len(a.Columns) - len(b.Columns) })
}

// figures returns the figures of a row in the columns. A network without unknown pixels has density 100 %.
func (c *Comparison) figures(r Row) []float64 {
	figures := r.Figures
	if len(figures) < len(c.columns()) {
		figures = append(slices.Clone(figures), 100)
	}
	return figures
}

// lines calls add for each network of the first row, then of the second row, and so on.
func (c *Comparison) lines(perPair bool, add func(name, network string, pairs int, figures []float64)) {
	for i := range c.Reports[0].rows(perPair) {
		for k, r := range c.Reports {
			row := r.rows(perPair)[i]
			add(row.Name, c.Networks[k], row.Pairs, c.figures(row))
		}
	}
}

// WriteText writes the comparison for people.
func (c *Comparison) WriteText(w io.Writer, perPair bool) error {
	rows := [][]string{slices.Concat([]string{"", "network", "pairs"}, c.columns())}
	last := ""
	c.lines(perPair, func(name, network string, pairs int, figures []float64) {
		cells := []string{name, network, strconv.Itoa(pairs)}
		if name == last {
			cells[0] = ""
		}
		last = name
		for _, v := range figures {
			cells = append(cells, table.Figure(v).Text())
		}
		rows = append(rows, cells)
	})
	var heading strings.Builder
	fmt.Fprintf(&heading, "%s, flow of %d networks\n", c.Reports[0].Dataset, len(c.Reports))
	for k, r := range c.Reports {
		fmt.Fprintf(&heading, "%s: %s\n", c.Networks[k], r.Source)
	}
	fmt.Fprintf(&heading, "Rule: %s\n\n", c.widest().Rule)
	return table.WriteText(w, heading.String(), rows)
}

// WriteCSV writes a line for each network and row.
func (c *Comparison) WriteCSV(w io.Writer, perPair bool) error {
	rows := [][]string{slices.Concat([]string{"dataset", "row", "network", "pairs"}, c.columns())}
	c.lines(perPair, func(name, network string, pairs int, figures []float64) {
		cells := []string{c.Reports[0].Dataset, name, network, strconv.Itoa(pairs)}
		for _, v := range figures {
			cells = append(cells, table.Figure(v).CSV())
		}
		rows = append(rows, cells)
	})
	return table.WriteCSV(w, rows)
}

// WriteJSON writes the comparison as one object.
func (c *Comparison) WriteJSON(w io.Writer, perPair bool) error {
	type network struct {
		Name   string    `json:"name"`
		Source string    `json:"flow_from"`
		Rows   []rowJSON `json:"rows"`
	}
	out := struct {
		Dataset  string    `json:"dataset"`
		Rule     string    `json:"rule"`
		Networks []network `json:"networks"`
	}{Dataset: c.Reports[0].Dataset, Rule: c.widest().Rule}
	for k, r := range c.Reports {
		one := network{Name: c.Networks[k], Source: r.Source}
		for _, row := range r.rows(perPair) {
			one.Rows = append(one.Rows, asJSON(row, c.columns(), c.figures(row)))
		}
		out.Networks = append(out.Networks, one)
	}
	return table.WriteJSON(w, out)
}
