package cli

import "testing"

func TestWrappedRows(t *testing.T) {
	for _, c := range []struct{ characters, columns, want int }{
		{0, 40, 0}, {39, 40, 0}, {40, 40, 0}, {41, 40, 1}, {100, 40, 2}, {100, 0, 0},
	} {
		if got := wrappedRows(c.characters, c.columns); got != c.want {
			t.Errorf("%d characters in %d columns: %d rows, want %d", c.characters, c.columns, got, c.want)
		}
	}
}
