package cli

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// drawnBar is the progress bar that is on the screen. The bar library erases one row before it draws. A terminal that
// became narrower has wrapped the old bar into several rows, so the cursor must go up by the other rows first.
type drawnBar struct {
	columns    int // width of the terminal when the bar was drawn; 0 = not drawn yet
	characters int // of the bar and its text, if the terminal was wide enough
}

// resized moves the cursor up where the terminal has become narrower, and to the first column: an interrupt prints "^C"
// before it.
func (d *drawnBar) resized(terminal *os.File) {
	columns := terminalColumns(terminal)
	fmt.Fprint(terminal, "\r")
	if rows := wrappedRows(min(d.characters, d.columns), columns); rows > 0 {
		fmt.Fprintf(terminal, "\x1b[%dA", rows)
	}
	d.columns = columns
}

// wrappedRows returns the number of additional rows that a text takes on a terminal of that width.
func wrappedRows(characters, columns int) int {
	if characters == 0 || columns == 0 {
		return 0
	}
	return (characters - 1) / columns
}

// terminalColumns returns the width of a terminal, 0 if it is unknown.
func terminalColumns(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}
