// Package table writes the tables of the benchmark reports as text, CSV and JSON.
package table

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// Figure is a measured number. NaN means that there was nothing to measure: "-" in text, empty in CSV, null in JSON.
type Figure float64

// Text returns the figure with three decimals.
func (f Figure) Text() string {
	if math.IsNaN(float64(f)) {
		return "-"
	}
	return strconv.FormatFloat(float64(f), 'f', 3, 64)
}

// CSV returns the figure with all its digits.
func (f Figure) CSV() string {
	if math.IsNaN(float64(f)) {
		return ""
	}
	return strconv.FormatFloat(float64(f), 'g', -1, 64)
}

// MarshalJSON implements json.Marshaler.
func (f Figure) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(f)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(f))
}

// WriteText writes the heading and then the rows in aligned columns: the first cell of a row, which is its name, is
// aligned to the left, all others to the right.
func WriteText(w io.Writer, heading string, rows [][]string) error {
	width := 0
	for _, row := range rows {
		width = max(width, utf8.RuneCountInString(row[0]))
	}
	const padding = 2
	var aligned strings.Builder
	t := tabwriter.NewWriter(&aligned, 0, 0, padding, ' ', tabwriter.AlignRight)
	for _, row := range rows {
		fmt.Fprintf(t, "%-*s\t", width, row[0])
		for _, cell := range row[1:] {
			fmt.Fprintf(t, "%s\t", cell)
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	text := heading
	for line := range strings.Lines(aligned.String()) {
		text += line[padding:] // tabwriter pads the first column too
	}
	_, err := io.WriteString(w, text)
	return err
}

// WriteCSV writes the rows as CSV.
func WriteCSV(w io.Writer, rows [][]string) error { return csv.NewWriter(w).WriteAll(rows) }

// WriteJSON writes the object as indented JSON.
func WriteJSON(w io.Writer, object any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(object)
}
