package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/internal/testutil"
)

const changelog = "# Changelog\n\n## 1.2.3 (2026-01-31)\n\n### Added\n- A thing.\n\n## 1.2.2 (2026-01-01)\n- Another thing.\n"

// TestReleaseIsRefused runs release.sh in a small repository that can be released, after one change.
func TestReleaseIsRefused(t *testing.T) {
	if _, err := exec.LookPath("dpkg"); err != nil {
		testutil.Skip(t, "packages are built on Debian: %v", err)
	}
	for name, c := range map[string]struct {
		file, text string // this file has this text instead
		command    string // or this command runs
		version    string
		want       string // in the error; empty if the release is possible
	}{
		"possible":        {},
		"no version":      {version: "next", want: "make release VERSION=1.2.3"},
		"dirty":           {command: "echo x >>main.go", want: "the tree has changes; commit them or put them away first:\n M main.go"},
		"untracked":       {command: "echo x >new.go", want: "?? new.go"},
		"other version":   {version: "1.2.4", want: "the program is version 1.2.3: set release in internal/cli/version.go to 1.2.4"},
		"no section":      {file: "CHANGELOG.md", text: strings.Replace(changelog, "1.2.3", "11203", 1), want: `no section "## 1.2.3 (YYYY-MM-DD)"`},
		"unreleased":      {file: "CHANGELOG.md", text: strings.Replace(changelog, "2026-01-31", "unreleased", 1), want: `has "## 1.2.3 (unreleased)"`},
		"no entries":      {file: "CHANGELOG.md", text: strings.Replace(changelog, "- A thing.\n", "", 1), want: "no entries for 1.2.3"},
		"tag elsewhere":   {command: "git tag v1.2.3 && git commit -q --allow-empty -m later", want: "v1.2.3 is the tag of another commit"},
		"tag of this one": {command: "git tag v1.2.3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write := func(file, text string) {
				t.Helper()
				path := filepath.Join(dir, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			run := func(command ...string) (string, error) {
				run := exec.Command(command[0], command[1:]...)
				run.Dir = dir
				run.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
				out, err := run.CombinedOutput()
				return string(out), err
			}
			for _, script := range []string{"release.sh", "common.sh"} {
				text, err := os.ReadFile(script)
				if err != nil {
					t.Fatal(err)
				}
				write("packaging/"+script, string(text))
			}
			write("scripts/onnxruntime.sh", "version=1.0.0\n")
			write("internal/cli/version.go", "package cli\n\nconst release = \"1.2.3\"\n")
			write("CHANGELOG.md", changelog)
			write("main.go", "package main\n")
			if c.file != "" {
				write(c.file, c.text)
			}
			if out, err := run("sh", "-c", "git init -q && git add . && git commit -q -m first"); err != nil {
				t.Fatal(out)
			}
			if c.command != "" {
				if out, err := run("sh", "-c", c.command); err != nil {
					t.Fatal(out)
				}
			}
			version := c.version
			if version == "" {
				version = "1.2.3"
			}
			out, err := run("packaging/release.sh", "--check", version)
			if c.want == "" {
				if err != nil || out != "release.sh: 1.2.3 can be released\n" {
					t.Errorf("%v: %s", err, out)
				}
				return
			}
			if err == nil || !strings.Contains(out, c.want) {
				t.Errorf("%v: %s\nwant %q", err, out, c.want)
			}
		})
	}
}
