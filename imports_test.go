package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/wwflow/wwflow"

// mayImport is the rule of ARCHITECTURE.md: which of our packages a package may import. Helpers under an
// internal folder and models are free to all but data; main and commands under internal may import all.
var mayImport = map[string][]string{
	"frame":      {},
	"field":      {"frame"},
	"decode":     {"frame"},
	"pairing":    {"frame"},
	"encode":     {"frame"},
	"flow":       {"frame", "field"},
	"visualize":  {"frame", "field"},
	"benchmarks": {"frame", "field", "flow"}, // and each folder below it
	"models":     {},
}

type goPackage struct {
	ImportPath, Name string
	Imports          []string
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Name,Imports", "./...").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var packages []goPackage
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := decoder.Decode(&p); err == io.EOF {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// ruleOf is the rule for a package, by its folder.
func ruleOf(folder string) (rule []string, stated bool) {
	if strings.HasPrefix(folder, "benchmarks/") {
		folder = "benchmarks"
	}
	rule, stated = mayImport[folder]
	return rule, stated
}

// allowed says whether a package of ours may import another one; both by their folder.
func allowed(from, to string) bool {
	rule, stated := ruleOf(from)
	switch {
	case slices.Contains(rule, to):
		return true
	case from == "frame" || from == "models":
		return false
	case isInternal(to), to == "models":
		// A helper below a package's own folder is closed to others by the compiler.
		return true
	case isInternal(from):
		return to == "frame" || to == "field"
	}
	return !stated
}

func isInternal(folder string) bool {
	return strings.HasPrefix(folder, "internal/") || strings.Contains(folder, "/internal/")
}

func TestImportRule(t *testing.T) {
	packages := listPackages(t)
	for folder := range mayImport {
		path := module + "/" + folder
		if !slices.ContainsFunc(packages, func(p goPackage) bool { return p.ImportPath == path || strings.HasPrefix(p.ImportPath, path+"/") }) {
			t.Errorf("the rule names %s, and there is no such package", folder)
		}
	}
	for _, p := range packages {
		folder := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if p.Name == "main" {
			continue
		}
		if _, stated := ruleOf(folder); !stated && !isInternal(folder) {
			t.Errorf("%s has no rule: give it one here and in ARCHITECTURE.md", folder)
		}
		for _, imported := range p.Imports {
			to, ours := strings.CutPrefix(imported, module+"/")
			if ours && !allowed(folder, to) {
				t.Errorf("%s may not import %s: stages import data, data imports no stage, main imports all", folder, to)
			}
			// The libraries that touch C memory stay where their owners are.
			if strings.Contains(imported, "go-astiav") && folder != "decode" && folder != "encode" && !strings.HasPrefix(folder, "internal/") {
				t.Errorf("%s may not import %s: that is for decode and encode", folder, imported)
			}
			if strings.Contains(imported, "onnxruntime_go") && folder != "flow" && !strings.HasPrefix(folder, "flow/internal/") {
				t.Errorf("%s may not import %s: that is for flow", folder, imported)
			}
		}
	}
}

func TestImportRuleBites(t *testing.T) {
	for _, test := range []struct {
		from, to string
		want     bool
	}{
		{"visualize", "flow", false},
		{"visualize", "field", true},
		{"frame", "internal/libav", false},
		{"field", "frame", true},
		{"field", "decode", false},
		{"flow", "decode", false},
		{"flow", "internal/ortlib", true},
		{"flow", "models", true},
		{"decode", "encode", false},
		{"decode", "internal/libav", true},
		{"internal/libav", "decode", false},
		{"internal/libav", "frame", true},
		{"benchmarks/spring", "flow", true},
		{"benchmarks/spring", "encode", false},
		{"models", "flow", false},
	} {
		if got := allowed(test.from, test.to); got != test.want {
			t.Errorf("may %s import %s? %v, want %v", test.from, test.to, got, test.want)
		}
	}
}
