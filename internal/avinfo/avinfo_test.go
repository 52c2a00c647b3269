package avinfo

import (
	"os/exec"
	"strings"
	"testing"
)

// pkg-config and the library itself must mean one version: headers and library fit.
func TestVersionsAreThoseOfTheHeaders(t *testing.T) {
	for _, l := range Libraries() {
		out, err := exec.Command("pkg-config", "--modversion", l.Name).Output()
		if err != nil {
			t.Fatalf("pkg-config %s: %v", l.Name, err)
		}
		if want := strings.TrimSpace(string(out)); l.Version != want {
			t.Errorf("%s is %s, and its headers are %s", l.Name, l.Version, want)
		}
	}
	if Release() == "" {
		t.Error("FFmpeg has no release")
	}
}
