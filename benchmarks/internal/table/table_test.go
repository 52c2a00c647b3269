package table

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
)

func TestFigure(t *testing.T) {
	for _, c := range []struct {
		value           float64
		text, csv, json string
	}{
		{math.NaN(), "-", "", "null"},
		{0, "0.000", "0", "0"},
		{14.0405, "14.040", "14.0405", "14.0405"},
		{1e-7, "0.000", "1e-07", "1e-7"},
	} {
		f := Figure(c.value)
		b, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if f.Text() != c.text || f.CSV() != c.csv || string(b) != c.json {
			t.Errorf("%v is %q, %q, %s; want %q, %q, %s", c.value, f.Text(), f.CSV(), b, c.text, c.csv, c.json)
		}
	}
}

func TestWriteText(t *testing.T) {
	var b bytes.Buffer
	rows := [][]string{{"", "EPE", "pixels"}, {"Zürich", "1.000", "7"}, {"a", "-", "1234567"}}
	if err := WriteText(&b, "Heading\n\n", rows); err != nil {
		t.Fatal(err)
	}
	want := "Heading\n\n" +
		"          EPE   pixels\n" +
		"Zürich  1.000        7\n" +
		"a           -  1234567\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}
