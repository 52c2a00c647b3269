package spring

import (
	"bytes"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/internal/testutil"
)

// example is a command in a fenced block of README.md, and the output that is shown below it.
type example struct{ arguments, output string }

var springCommand = regexp.MustCompile(`(?m)^\$ (?:\./)?wwflow spring (.*)\n((?:[^$\x60].*\n|\n)*)`)

func readmeExamples(text string) []example {
	var examples []example
	for _, match := range springCommand.FindAllStringSubmatch(text, -1) {
		examples = append(examples, example{match[1], match[2]})
	}
	return examples
}

// run returns what the command prints.
func (e example) run(t *testing.T) string {
	t.Helper()
	var o Options
	flags := flag.NewFlagSet("wwflow spring", flag.ContinueOnError)
	flags.StringVar(&o.Root, "root", "", "")
	flags.StringVar(&o.Split, "split", "train", "")
	flags.StringVar(&o.Direction, "direction", "", "")
	flags.StringVar(&o.Camera, "camera", "", "")
	flags.StringVar(&o.FlowDir, "flow", "", "")
	flags.BoolVar(&o.Float16, "float16", false, "")
	perSequence := flags.Bool("per-sequence", false, "")
	if err := flags.Parse(strings.Fields(e.arguments)); err != nil || flags.NArg() > 0 {
		t.Fatalf("%s: this test knows no %v: %v", e.arguments, flags.Args(), err)
	}
	r, err := Evaluate(t.Context(), o)
	if err != nil {
		t.Fatalf("%s: %v", e.arguments, err)
	}
	var out bytes.Buffer
	if err := r.WriteText(&out, *perSequence); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestReadme: the output of "$ ./wwflow spring ..." in README.md is the output of the program.
func TestReadme(t *testing.T) {
	t.Chdir(testutil.Repository())
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := readmeExamples(string(text))
	if len(examples) == 0 {
		t.Fatal("README.md has no line that begins with \"$ ./wwflow spring\"")
	}
	for _, e := range examples {
		if got := e.run(t); got != e.output {
			t.Errorf("$ ./wwflow spring %s\nprints\n%s\nREADME.md has\n%s", e.arguments, got, e.output)
		}
	}
}

func TestReadmeExamples(t *testing.T) {
	text := "Text\n```\n$ ./wwflow spring --root a\none\n\ntwo\n```\n```\n$ wwflow spring --root b\nthree\n$ ls\n```\n"
	got := readmeExamples(text)
	want := []example{{"--root a", "one\n\ntwo\n"}, {"--root b", "three\n"}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("examples %q, want %q", got, want)
	}
}
