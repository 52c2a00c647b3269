package testutil

import (
	"errors"
	"io/fs"
	"os/exec"
	"strings"
	"testing"
)

// Python runs a script after `import MODULES`, with Debian's Python, because another one earlier in PATH may lack its packages. It
// returns what the script printed. The test is skipped if Python or a module is missing, and fails if the script does.
func Python(t testing.TB, modules, script string, args ...string) string {
	t.Helper()
	const missing = 77
	script = "import sys\ntry:\n    import " + modules + "\nexcept ImportError as e:\n    print(e)\n    sys.exit(77)\n" + script
	out, err := exec.Command("/usr/bin/python3", append([]string{"-c", script}, args...)...).CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.As(err, &exit) && exit.ExitCode() == missing:
		Skip(t, "Python with %s is missing: %v: %s", modules, err, out)
	case err != nil:
		t.Fatalf("%v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}
