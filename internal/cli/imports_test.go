package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/internal/testutil"
)

const module = "github.com/wwflow/wwflow"

// mayImport is the rule of ARCHITECTURE.md: which of our packages a package may import besides helpers under an
// internal folder. Stages import data, data imports no stage, the pipeline imports stages,
// parts and batch import the pipeline, the command line imports all.
var mayImport = map[string][]string{
	"frame":       {},
	"field":       {"frame"},
	"flowfile":    {"frame", "field"},
	"stats":       {"frame", "field"},
	"decode":      {"frame"},
	"pairing":     {"frame"},
	"encode":      {"frame"},
	"flow":        {"frame", "field", "models"},
	"consistency": {"frame", "field"},
	"warp":        {"frame", "field"},
	"retime":      {"frame", "field", "consistency", "warp"},
	"visualize":   {"frame", "field"},
	"plot":        {"frame", "field", "stats", "visualize"},
	"pipeline":    {"frame", "field", "flowfile", "decode", "pairing", "flow", "visualize", "encode", "consistency", "retime", "stats"},
	"parts":       {"pipeline", "flow", "decode", "encode", "frame"},
	"batch":       {"pipeline", "parts", "consistency", "flow", "decode", "visualize", "encode", "flowfile", "stats"},
	"viewer":      {"frame", "field", "flowfile", "decode", "pairing", "flow", "visualize", "batch", "stats"},
	"benchmarks":  {"frame", "field", "flowfile", "flow"}, // and each folder below it
	"models":      {},
	"examples":    {}, // tests only
	"packaging":   {}, // tests only

	"internal/testutil/cliptest": {"frame", "decode", "encode"}, // for tests
}

// noCgo are the packages that build without a C compiler.
var noCgo = []string{"./frame", "./field", "./flowfile", "./pairing", "./visualize", "./consistency", "./stats", "./plot"}

type goPackage struct {
	ImportPath, Name string
	GoFiles, Imports []string
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Name,GoFiles,Imports", module+"/...").Output()
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

// ruleOf returns the rule for a package, by its folder.
func ruleOf(folder string) (rule []string, stated bool) {
	if strings.HasPrefix(folder, "benchmarks/") {
		folder = "benchmarks"
	}
	rule, stated = mayImport[folder]
	return rule, stated
}

// allowed reports whether a package of ours may import another one, both given by their folder.
func allowed(from, to string) bool {
	rule, stated := ruleOf(from)
	switch {
	case from == "" || from == "internal/cli":
		return from != to && (from == "internal/cli" || to == "internal/cli") // main is nothing but a call of cli.Main
	case to == "internal/cli":
		return false
	case slices.Contains(rule, to):
		return true
	case from == "frame" || from == "models":
		return false
	case isInternal(to):
		return true // the compiler keeps a helper below a package's own folder from others
	case isInternal(from):
		return to == "frame" || to == "field"
	}
	return !stated
}

func isInternal(folder string) bool {
	return strings.HasPrefix(folder, "internal/") || strings.Contains(folder, "/internal/")
}

// restricted are the libraries that only some packages may import, by a part of their path.
var restricted = map[string]func(folder string) bool{
	"go-astiav":      func(f string) bool { return f == "decode" || f == "encode" || strings.HasPrefix(f, "internal/") },
	"onnxruntime_go": func(f string) bool { return f == "flow" || strings.HasPrefix(f, "flow/internal/") },
	"urfave/cli":     func(f string) bool { return f == "internal/cli" },
	"gonum.org":      func(f string) bool { return f == "plot" },
	"mpb":            func(f string) bool { return f == "internal/cli" },
}

func TestImportRule(t *testing.T) {
	packages := listPackages(t)
	for folder := range mayImport {
		path := module + "/" + folder
		if !slices.ContainsFunc(packages, func(p goPackage) bool { return p.ImportPath == path || strings.HasPrefix(p.ImportPath, path+"/") }) {
			t.Errorf("the rule names %s, which does not exist", folder)
		}
	}
	for _, p := range packages {
		for _, problem := range problems(p) {
			t.Error(problem)
		}
	}
}

// problems lists what is wrong with a package's imports.
func problems(p goPackage) (list []string) {
	folder := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
	if p.Name == "main" && folder != "" {
		return nil // a tool: it may import everything
	}
	if _, stated := ruleOf(folder); !stated && !isInternal(folder) && folder != "" {
		list = append(list, folder+" has no rule: add one here and in ARCHITECTURE.md")
	}
	for _, imported := range p.Imports {
		if to, ours := strings.CutPrefix(imported, module+"/"); ours && !allowed(folder, to) {
			list = append(list, folder+" may not import "+to)
		}
		for part, may := range restricted {
			if strings.Contains(imported, part) && !may(folder) {
				list = append(list, folder+" may not import "+imported)
			}
		}
	}
	return list
}

// TestImportRuleCanFail gives the rule packages that break it.
func TestImportRuleCanFail(t *testing.T) {
	for _, test := range []struct {
		from, to string
		want     bool
	}{
		{"visualize", "flow", false},
		{"visualize", "flowfile", false},
		{"visualize", "field", true},
		{"stats", "field", true},
		{"stats", "pairing", false},
		{"plot", "stats", true},
		{"stats", "plot", false},
		{"frame", "internal/libav", false},
		{"field", "frame", true},
		{"field", "decode", false},
		{"field", "flowfile", false},
		{"flowfile", "field", true},
		{"flow", "decode", false},
		{"flow", "internal/ortlib", true},
		{"flow", "models", true},
		{"decode", "encode", false},
		{"decode", "internal/libav", true},
		{"pipeline", "decode", true},
		{"pipeline", "internal/cli", false},
		{"decode", "pipeline", false},
		{"batch", "pipeline", true},
		{"batch", "internal/cli", false},
		{"pipeline", "batch", false},
		{"internal/libav", "decode", false},
		{"internal/libav", "frame", true},
		{"benchmarks/spring", "flow", true},
		{"benchmarks/spring", "encode", false},
		{"benchmarks/spring", "pipeline", false},
		{"models", "flow", false},
		{"", "internal/cli", true},
		{"", "pipeline", false},
		{"internal/cli", "pipeline", true},
		{"newpackage", "frame", false}, // it has no rule
	} {
		p := goPackage{ImportPath: strings.TrimSuffix(module+"/"+test.from, "/"), Imports: []string{module + "/" + test.to}}
		if got := len(problems(p)) == 0; got != test.want {
			t.Errorf("may %q import %s? %v, want %v", test.from, test.to, got, test.want)
		}
	}
	for folder, library := range map[string]string{"flow": "github.com/asticode/go-astiav", "decode": "github.com/yalue/onnxruntime_go", "pipeline": "github.com/urfave/cli/v2"} {
		if len(problems(goPackage{ImportPath: module + "/" + folder, Imports: []string{library}})) == 0 {
			t.Errorf("%s may import %s", folder, library)
		}
	}
}

// TestBuildsWithoutCgo builds the packages that need no C library.
func TestBuildsWithoutCgo(t *testing.T) {
	build := exec.Command("go", append([]string{"build"}, noCgo...)...)
	build.Dir, build.Env = testutil.Repository(), append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestOnlyTheCommandLinePrints looks for packages that write to the standard streams. encode writes the video of -o - to
// standard output, and nothing else.
func TestOnlyTheCommandLinePrints(t *testing.T) {
	prints := regexp.MustCompile(`\bfmt\.Print|\bos\.(Stdout|Stderr)\b|\blog\.|\bprintln\(`)
	for _, p := range listPackages(t) {
		folder := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if p.Name == "main" || folder == "internal/cli" {
			continue
		}
		for _, name := range p.GoFiles {
			code, err := os.ReadFile(filepath.Join(testutil.Repository(), folder, name))
			if err != nil {
				t.Fatal(err)
			}
			found := prints.Find(code)
			if folder == "encode" && string(found) == "os.Stdout" {
				continue
			}
			if found != nil {
				t.Errorf("%s/%s uses %s", folder, name, found)
			}
		}
	}
}
