package stats

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// TestReadPairs reads back what was written, number by number.
func TestReadPairs(t *testing.T) {
	for _, format := range Formats() {
		pairs, text := written(t, format)
		got, err := ReadPairs(strings.NewReader(text), format)
		if err != nil || !reflect.DeepEqual(got, pairs) {
			t.Errorf("%s: %+v, %v\nwant %+v", format, got, err, pairs)
		}
	}
}

func TestReadPairsErrors(t *testing.T) {
	rows := []Row{{Input: "a.mp4", Status: Done, Video: &Video{Pairs: 3}}, {Input: "b.mp4", Status: Failed, Error: "no video"}}
	for _, format := range Formats() {
		var b bytes.Buffer
		if err := WriteRows(&b, format, rows); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), "no video") {
			t.Errorf("%s does not say what failed: %s", format, b.String())
		}
		if _, err := ReadPairs(&b, format); !errors.Is(err, ErrVideos) {
			t.Errorf("%s: a table of videos gives %v", format, err)
		}
	}
	_, good := written(t, CSV)
	for _, c := range []struct {
		format     Format
		text, want string
	}{
		{CSV, "", "empty"}, {CSV, "a,b\n1,2\n", "no column frame"}, {CSV, strings.Replace(good, "\n3,", "\nx,", 1), "row 1: column frame"},
		{JSONL, "{\"frame\":1}\n{", "row 2"}, {JSONL, "{}\n", "row 1 has no frame"}, {JSON, "[]", "cannot unmarshal"},
	} {
		if _, err := ReadPairs(strings.NewReader(c.text), c.format); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
}
