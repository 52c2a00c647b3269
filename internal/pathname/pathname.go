// Package pathname has what several packages ask about the names of inputs and outputs.
package pathname

import "os"

// Stdio is the name of standard input and standard output.
const Stdio = "-"

// IsFolder reports whether a folder has this name, links followed.
func IsFolder(name string) bool {
	s, err := os.Stat(name)
	return err == nil && s.IsDir()
}

// Input is the name of an input in sentences.
func Input(input string) string {
	if input == Stdio {
		return "standard input"
	}
	return input
}
