package avinfo

import (
	"os/exec"
	"strings"
	"testing"
)

// TestVersionsMatchHeaders compares the versions of the loaded libraries with those that pkg-config states.
func TestVersionsMatchHeaders(t *testing.T) {
	for _, l := range Libraries() {
		out, err := exec.Command("pkg-config", "--modversion", l.Name).Output()
		if err != nil {
			t.Fatalf("pkg-config %s: %v", l.Name, err)
		}
		if want := strings.TrimSpace(string(out)); l.Version != want {
			t.Errorf("%s is %s, but its headers are %s", l.Name, l.Version, want)
		}
	}
	if Release() == "" {
		t.Error("no release")
	}
}
