package cli

import (
	"strings"
	"testing"
)

// TestBarOnNarrowedTerminal draws on a terminal that becomes narrower: the old line has wrapped, and all of its rows are
// erased.
func TestBarOnNarrowedTerminal(t *testing.T) {
	var out strings.Builder
	columns := 120
	m := &barMeter{out: &out, columns: func() int { return columns }, noun: "frame"}
	m.update(1, 30)
	if line := out.String(); !strings.HasPrefix(line, "\r\x1b[J[") || !strings.HasSuffix(line, "] 1 of 30 frames") || len(line)-4 > 117 {
		t.Fatalf("the bar is %q", line)
	}
	out.Reset()
	columns = 40 // 115 characters take three rows
	m.update(30, 30)
	if line := out.String(); !strings.HasPrefix(line, "\x1b[2A\r\x1b[J") || len(line)-8 > 37 {
		t.Errorf("after the change of size the bar is %q", line)
	}
	out.Reset()
	m.stop()
	if got := out.String(); got != "\r\x1b[J" {
		t.Errorf("the bar is removed by %q", got)
	}
	out.Reset()
	if m.stop(); out.Len() > 0 {
		t.Errorf("a second stop prints %q", out.String())
	}
}
