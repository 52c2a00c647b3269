package libav

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestGoScript checks which module file scripts/go.sh chooses for a version of libavcodec.
func TestGoScript(t *testing.T) {
	script, err := filepath.Abs("../../scripts/go.sh")
	if err != nil {
		t.Fatal(err)
	}
	for version, want := range map[string]string{
		"echo 59.37.100": "",
		"echo 61.19.101": "-modfile=" + filepath.Dir(filepath.Dir(script)) + "/ffmpeg7.mod",
		"echo 58.134.10": "another FFmpeg (libavcodec 58.134.10). wwflow builds with FFmpeg 5.1 (Debian 12) and 7.1 (Debian 13)",
		"echo 60.31.102": "another FFmpeg (libavcodec 60.31.102)",
		"echo 61.3.100":  "another FFmpeg (libavcodec 61.3.100)",
		"echo 62.11.100": "another FFmpeg (libavcodec 62.11.100)",
		"exit 1":         "FFmpeg's headers are missing",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "pkg-config"), []byte("#!/bin/sh\n"+version+"\n"), 0o777); err != nil {
			t.Fatal(err)
		}
		c := exec.Command(script, "env", "GOFLAGS")
		c.Dir = "/"
		c.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "GOFLAGS=")
		out, err := c.CombinedOutput()
		if text := string(out); !strings.Contains(text, want) || (want == "" && strings.Contains(text, "modfile")) {
			t.Errorf("%s: %s, want %q", version, text, want)
		} else if fails := !strings.HasPrefix(want, "-modfile") && want != ""; fails != (err != nil) {
			t.Errorf("%s: %v", version, err)
		}
	}
}
