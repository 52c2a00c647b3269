package flow

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/internal/testutil"
)

// TestGPURuntimeScriptRefuses runs scripts/gpu-runtime.sh with damaged pieces and with pieces of another library. It must
// install nothing.
func TestGPURuntimeScriptRefuses(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the libraries exist for amd64 only")
	}
	script, err := filepath.Abs(filepath.Join(testutil.Repository(), "scripts", "gpu-runtime.sh"))
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(name, says string, args ...string) {
		t.Helper()
		cache := t.TempDir()
		command := exec.Command("bash", append([]string{script}, args...)...)
		command.Env = append(os.Environ(), "XDG_CACHE_HOME="+cache)
		out, err := command.CombinedOutput()
		if err == nil || !strings.Contains(string(out), says) {
			t.Errorf("%s: %v, %q; want %q", name, err, out, says)
		}
		if left, _ := filepath.Glob(filepath.Join(cache, "wwflow", "*")); len(left) > 0 {
			t.Errorf("%s: it left the files %v", name, left)
		}
	}
	pieces := t.TempDir()
	refuse("no pieces", "no SHA256SUMS", "join", pieces)
	refuse("unknown command", "usage", "unpack", pieces)

	work := t.TempDir()
	if err := os.WriteFile(filepath.Join(work, "libonnxruntime.so.1"), []byte("another library"), 0o600); err != nil {
		t.Fatal(err)
	}
	packed, err := exec.Command("tar", "-C", work, "-czf", "-", "libonnxruntime.so.1").Output()
	if err != nil {
		t.Fatal(err)
	}
	var sums strings.Builder
	for i, part := range [][]byte{packed[:40], packed[40:]} {
		name := fmt.Sprintf("gpu-runtime.tar.gz.%02d", i)
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(part), name)
		if err := os.WriteFile(filepath.Join(pieces, name), part, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(pieces, "SHA256SUMS"), []byte(sums.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	refuse("another library", "other hashes than expected", "join", pieces)
	if err := os.Truncate(filepath.Join(pieces, "gpu-runtime.tar.gz.01"), 3); err != nil {
		t.Fatal(err)
	}
	refuse("a damaged piece", "gpu-runtime.tar.gz.01", "join", pieces)
}
