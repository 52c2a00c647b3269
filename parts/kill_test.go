package parts

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/testutil"
	"github.com/wwflow/wwflow/pipeline"
)

// TestMain lets the test binary be a process that can be killed: with WWFLOW_RESUME it resumes the work of a folder, which is one of
// killed by its name.
func TestMain(m *testing.M) {
	if folder := os.Getenv("WWFLOW_RESUME"); folder != "" {
		if _, err := Resume(context.Background(), killed[filepath.Base(folder)](nil, folder)); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// killed are the options of TestKilled: a flow video with flow files, and a retimed video.
var killed = map[string]func(t testing.TB, folder string) Options{
	"flow": func(t testing.TB, folder string) Options {
		o := options(t, folder, 80)
		o.Video.Exports = []pipeline.Export{{Format: flowfile.Flo, Dir: filepath.Join(folder, "flo")}}
		return o
	},
	"retime": func(t testing.TB, folder string) Options {
		return retiming(t, folder, pipeline.Retiming{Speed: frame.Rational{Num: 1, Den: 4}})
	},
}

// kills is the number of processes that TestKilled kills for each of them. WWFLOW_KILLS sets it.
var kills = testutil.Count("WWFLOW_KILLS", 6)

// TestKilled kills resumed work with SIGKILL at random moments, three times each, and then lets it end. The video is that of a
// run in one piece, with all flow files, and no other file is left.
func TestKilled(t *testing.T) {
	for name := range killed {
		t.Run(name, func(t *testing.T) { testKilled(t, name) })
	}
}

func testKilled(t *testing.T, name string) {
	folder := filepath.Join(t.TempDir(), name)
	if err := os.Mkdir(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	o := killed[name](t, folder)
	want := whole(t, o)
	files, flows := []string{"in.mkv", "out.mkv"}, filepath.Join(folder, "flo")
	if len(o.Video.Exports) > 0 {
		files = append([]string{"flo"}, files...)
	}
	command := func() *exec.Cmd {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), "WWFLOW_RESUME="+folder)
		return c
	}
	begin := time.Now()
	if out, err := command().Output(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	span := time.Since(begin)
	n, kept := 0, 0
	for n < kills || kept == 0 && n < 10*kills { // on a busy machine a run may be slower than the measured one
		if err := errors.Join(os.Remove(o.Video.Output), os.RemoveAll(flows)); err != nil {
			t.Fatal(err)
		}
		for k := range 3 { // the later kills come while it continues
			c := command()
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			wait := time.Duration(rand.Int64N(int64(span)))
			if k > 0 { // loading the libraries takes half of the time of such a short run
				wait = (span + wait) / 2
			}
			time.Sleep(wait)
			_ = c.Process.Kill()
			if err := c.Wait(); err != nil && !c.ProcessState.Exited() {
				n++
			}
			if m, err := readManifest(Folder(o.Video.Output), Part{1, 1}); err == nil && len(m.segments) > 0 {
				kept++
			}
			if _, err := os.Stat(o.Video.Output); err == nil {
				break
			}
		}
		// A run that was killed after its output got its name has nothing to do, or removes the folder.
		_, done := os.Stat(o.Video.Output)
		if out, err := command().Output(); err != nil && done != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if d := read(t, o.Video.Output).differs(want); d != "" {
			t.Fatal(d)
		}
		if names := testutil.List(t, folder); !slices.Equal(names, files) {
			t.Fatalf("there are %v", names)
		}
		if len(o.Video.Exports) > 0 && len(testutil.List(t, flows)) != 79 {
			t.Fatalf("%d flow files", len(testutil.List(t, flows)))
		}
	}
	t.Logf("killed %d processes within %v; %d left segments", n, span, kept)
	if kept == 0 {
		t.Error("no process left segments")
	}
}
