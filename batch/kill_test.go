package batch

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wwflow/wwflow/internal/testutil"
	"github.com/wwflow/wwflow/parts"
)

// TestMain lets the test binary be a process that can be killed: with WWFLOW_BATCH it runs the batch of a folder.
func TestMain(m *testing.M) {
	if folder := os.Getenv("WWFLOW_BATCH"); folder != "" {
		fmt.Println("started")
		videos, err := Collect([]string{filepath.Join(folder, "in")}, Source{Dir: filepath.Join(folder, "out"), Base: base(), Name: nameOutput})
		if err == nil {
			o := Options{Dir: filepath.Join(folder, "out"), Videos: videos, Network: fakeNetwork()}
			if os.Getenv("WWFLOW_BATCH_RESUME") != "" {
				o.Resume, o.Segment = true, segment
			}
			_, err = Run(context.Background(), o)
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// process starts the batch of a folder in a process of its own, and waits until it runs.
func process(t *testing.T, folder string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "WWFLOW_BATCH="+folder)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return c
}

// kills is the number of batches that TestKilled kills.
var kills = testutil.Count("WWFLOW_KILLS", 6)

// segment is the number of pairs in a segment of the tests.
const segment = 7

// TestKilled kills a batch with SIGKILL at random moments, twice, and then lets it end. The outputs are those of a batch
// that was not interrupted, and no temporary file is left. WWFLOW_KILLS sets the number of batches that are killed twice.
func TestKilled(t *testing.T) {
	_, o := clips(t, 40, 30, 50, 20)
	killed(t, o, kills)
}

// TestKilledResume is TestKilled with Options.Resume. It goes on until a batch that was killed has left segments.
func TestKilledResume(t *testing.T) {
	t.Setenv("WWFLOW_BATCH_RESUME", "1")
	_, o := clips(t, 40, 30, 50, 20)
	o.Resume, o.Segment = true, segment
	if left := killed(t, o, kills/2); left == 0 {
		t.Error("no batch that was killed left segments")
	}
}

// killed kills n batches, and returns how often segments were left.
func killed(t *testing.T, o Options, n int) (left int) {
	t.Helper()
	folder := filepath.Dir(o.Dir)
	begin := time.Now()
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	span := time.Since(begin)
	want := tree(t, o.Dir)
	killed := 0
	for i := 0; i < n || o.Resume && left == 0 && i < 10*n; i++ { // on a busy machine a run may be slower than the measured one
		if err := os.RemoveAll(o.Dir); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second kill comes while it continues
			c := process(t, folder)
			time.Sleep(time.Duration(rand.Int64N(int64(span))))
			_ = c.Process.Kill()
			if err := c.Wait(); err != nil && !c.ProcessState.Exited() {
				killed++
			}
			if found, _ := filepath.Glob(filepath.Join(o.Dir, "*.parts", "part-1-of-1-*")); len(found) > 0 {
				left++
			}
		}
		if err := process(t, folder).Wait(); err != nil {
			t.Fatal(err)
		}
		if got := tree(t, o.Dir); !maps.Equal(got, want) {
			t.Fatalf("the files are %v, want %v with the same contents", names(got), names(want))
		}
		states(t, journalPath(o.Dir, parts.Part{})) // each line is valid
	}
	t.Logf("killed %d times within %v; segments were left %d times", killed, span, left)
	if killed == 0 {
		t.Error("no process was killed")
	}
	return left
}

// TestKilledAfterCommit has an output whose end is missing in the journal.
func TestKilledAfterCommit(t *testing.T) {
	_, o := clips(t, 3, 3)
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	path := journalPath(o.Dir, parts.Part{})
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(data), "\n")
	// The last line, half written: the second video is begun, and not done.
	if err := os.WriteFile(path, []byte(strings.Join(lines[:3], "")+lines[3][:len(lines[3])/2]), 0o666); err != nil {
		t.Fatal(err)
	}
	ended, _, err := watched(t.Context(), o)
	equal(t, "after a half-written line", ended, "b-flow.mkv done")
	if err != nil {
		t.Error(err)
	}
	equal(t, "journal", sorted(states(t, path)), "a-flow.mkv started", "a-flow.mkv done", "b-flow.mkv started", "b-flow.mkv started", "b-flow.mkv done")
}

// TestJournalRefusesOtherDamage has an invalid line in the middle.
func TestJournalRefusesOtherDamage(t *testing.T) {
	_, o := clips(t, 3)
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	path := journalPath(o.Dir, parts.Part{})
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append([]byte("{\"time\":\n"), data...), 0o666); err != nil {
		t.Fatal(err)
	}
	var syntax *json.SyntaxError
	if _, err := Run(t.Context(), o); !errors.As(err, &syntax) || !strings.Contains(err.Error(), "wwflow-batch.jsonl, line 1") {
		t.Error(err)
	}
}

// TestLock runs a batch on a folder that another process works on.
func TestLock(t *testing.T) {
	folder, o := clips(t, 400)
	c := process(t, folder)
	defer c.Wait()
	defer c.Process.Kill()
	for journal := journalPath(o.Dir, parts.Part{}); ; time.Sleep(10 * time.Millisecond) {
		if data, _ := os.ReadFile(journal); len(data) > 0 {
			break
		}
	}
	for _, part := range []parts.Part{{}, {Number: 1, Of: 2}} {
		second := o
		second.Part = part
		_, err := Run(t.Context(), second)
		if !errors.Is(err, ErrTemporary) || !strings.Contains(err.Error(), fmt.Sprintf("process %d on ", c.Process.Pid)) {
			t.Errorf("part %v: %v, want one that names process %d", part, err, c.Process.Pid)
		}
	}
	equal(t, "journal", states(t, journalPath(o.Dir, parts.Part{})), "a-flow.mkv started")
	_ = c.Process.Kill()
	_ = c.Wait()
	if _, err := Run(t.Context(), o); err != nil {
		t.Errorf("after the other process was killed: %v", err)
	}
}
