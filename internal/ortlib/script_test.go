package ortlib

import (
	"os"
	"strings"
	"testing"
)

// The script that fetches the library and the program that looks for it must mean the same file.
func TestTheScriptFetchesWhatLocateFinds(t *testing.T) {
	script, err := os.ReadFile("../../scripts/onnxruntime.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"version=" + Version + "\n",
		`/.cache}/wwflow/onnxruntime-$version"` + "\n",
		`library="$folder/` + Soname + `"` + "\n",
	} {
		if !strings.Contains(string(script), line) {
			t.Errorf("scripts/onnxruntime.sh has no line with %q", line)
		}
	}
}
