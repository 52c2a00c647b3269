package parts

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/pipeline"
)

func TestParsePart(t *testing.T) {
	slurm := map[string]string{"SLURM_ARRAY_TASK_ID": "5", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "4", "SLURM_ARRAY_TASK_MAX": "7"}
	stepped := map[string]string{"SLURM_ARRAY_TASK_ID": "4", "SLURM_ARRAY_TASK_COUNT": "3", "SLURM_ARRAY_TASK_MIN": "0", "SLURM_ARRAY_TASK_MAX": "8"}
	kubernetes := map[string]string{"JOB_COMPLETION_INDEX": "0"}
	for _, c := range []struct {
		text string
		env  map[string]string
		want Part
	}{
		{"1/1", nil, Part{1, 1}}, {"2/8", nil, Part{2, 8}}, {"auto", slurm, Part{2, 4}}, {"auto/6", slurm, Part{2, 6}}, {"auto/3", kubernetes, Part{1, 3}},
		{"2/8", slurm, Part{2, 8}}, {"0/2", nil, Part{}}, {"3/2", nil, Part{}}, {"1/0", nil, Part{}}, {"1", nil, Part{}}, {"a/b", nil, Part{}},
		{"1/2/3", nil, Part{}}, {"1/2x", nil, Part{}}, {"", nil, Part{}}, {"auto", nil, Part{}}, {"auto", kubernetes, Part{}}, {"auto", stepped, Part{}},
		{"auto/x", kubernetes, Part{}}, {"auto/0", kubernetes, Part{}}, {"automatic", slurm, Part{}}, {"auto/1", slurm, Part{}},
	} {
		for _, name := range []string{"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX", "JOB_COMPLETION_INDEX"} {
			t.Setenv(name, c.env[name])
		}
		got, err := ParsePart(c.text)
		if (err != nil) != (c.want == Part{}) || err == nil && got != c.want || err != nil && !errors.Is(err, pipeline.ErrOptions) {
			t.Errorf("%q with %v is %v, %v", c.text, c.env, got, err)
		}
	}
}

// TestShares divides pairs: the shares are a partition and differ by one pair at most.
func TestShares(t *testing.T) {
	for n := 1; n < 40; n++ {
		for of := 1; of <= n; of++ {
			next := 0
			for k := range of {
				first, end := Part{k + 1, of}.share(n)
				if first != next || end-first < n/of || end-first > n/of+1 {
					t.Fatalf("part %d/%d of %d is %d to %d", k+1, of, n, first, end)
				}
				next = end
			}
			if next != n {
				t.Fatalf("%d parts of %d end at %d", of, n, next)
			}
		}
	}
}

// TestJoin computes parts, in any order and with a stop in the middle, and joins them: the result is that of a run in one piece.
func TestJoin(t *testing.T) {
	for name, change := range map[string]func(*pipeline.Options){
		"plain":    func(*pipeline.Options) {},
		"step":     func(o *pipeline.Options) { o.Step = 3 },
		"backward": func(o *pipeline.Options) { o.Backward, o.Step = true, 2 },
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, t.TempDir(), 61)
			change(&o.Video)
			want := whole(t, o)
			o.Dir = t.TempDir()
			j := JoinOptions{Dir: o.Dir, Output: o.Video.Output}
			if _, err := Join(t.Context(), j); !errors.Is(err, ErrIncomplete) {
				t.Error(err)
			}
			for _, k := range []int{3, 1, 4} {
				o.Part = Part{k, 4}
				if _, err := Compute(t.Context(), o); err != nil {
					t.Fatal(err)
				}
			}
			o.Part = Part{2, 4}
			if _, err := Join(t.Context(), j); !errors.Is(err, ErrIncomplete) || !strings.Contains(err.Error(), "part 2/4 was not begun") {
				t.Error(err)
			}
			half := o
			stopping(&half, 4)
			if _, err := Compute(t.Context(), half); !errors.Is(err, pipeline.ErrStopped) {
				t.Fatal(err)
			}
			if _, err := Join(t.Context(), j); !errors.Is(err, ErrIncomplete) || !strings.Contains(err.Error(), "part 2/4 is not complete (") {
				t.Error(err)
			}
			for range 2 { // a part that is complete is no error
				if _, err := Compute(t.Context(), o); err != nil {
					t.Fatal(err)
				}
			}
			r, err := Join(t.Context(), j)
			if err != nil || r.Frames != len(want.frames) || r.Parts != 4 {
				t.Fatalf("%+v, %v", r, err)
			}
			if d := read(t, o.Video.Output).differs(want); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestJoinRefuses parts that do not belong together, and names the difference.
func TestJoinRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, o *Options)
		text   string
	}{
		"input": {func(t *testing.T, o *Options) {
			o.Video.Input = t.TempDir() + "/in.mkv"
			writeClip(t, o.Video.Input, 30, 9)
		}, "of the input"},
		"option": {func(_ *testing.T, o *Options) { o.Video.Cuts = true }, "cuts was the default, is true"},
		"number": {func(_ *testing.T, o *Options) { o.Part.Of = 3 }, "some are of 2, some of 3"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, t.TempDir(), 30)
			o.Dir = t.TempDir()
			o.Part = Part{1, 2}
			if _, err := Compute(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			o.Part = Part{2, 2}
			c.change(t, &o)
			if _, err := Compute(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			if _, err := Join(t.Context(), JoinOptions{Dir: o.Dir, Output: o.Video.Output}); !errors.Is(err, ErrUnequal) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("%v, want %q", err, c.text)
			}
		})
	}
	o := options(t, t.TempDir(), 3)
	o.Dir, o.Part = t.TempDir(), Part{1, 3}
	if _, err := Compute(t.Context(), o); !errors.Is(err, pipeline.ErrOptions) {
		t.Errorf("three parts of two pairs: %v", err)
	}
}

// TestDamagedPart has a part all of whose frames are damaged, as in a file that was cut off: the joined parts are the run in one piece.
func TestDamagedPart(t *testing.T) {
	o := options(t, t.TempDir(), 30)
	images := filepath.Join(t.TempDir(), "images") + "/"
	writeClip(t, images, 30, 1)
	for i := 18; i < 30; i++ {
		if err := os.Truncate(fmt.Sprintf("%s%06d.png", images, i), 40); err != nil {
			t.Fatal(err)
		}
	}
	o.Video.Input, o.Dir = images, t.TempDir()
	want := whole(t, o)
	for k := range 3 {
		o.Part = Part{k + 1, 3}
		if _, err := Compute(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Join(t.Context(), JoinOptions{Dir: o.Dir, Output: o.Video.Output}); err != nil {
		t.Fatal(err)
	}
	if d := read(t, o.Video.Output).differs(want); d != "" {
		t.Error(d)
	}
}
