package batch

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/pipeline"
)

// TestCollect names videos in every way, from a folder that is not the working directory.
func TestCollect(t *testing.T) {
	folder := t.TempDir()
	path := func(s string) string { return filepath.Join(folder, s) }
	write := func(name, text string) {
		if err := os.MkdirAll(filepath.Dir(path(name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path(name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"in/a.mp4", "in/deep/er/b.MOV", "in/notes.pdf", "in/.hidden.mp4", "in/.trash/c.mp4", "in/out/old-flow.mp4"} {
		write(name, "")
	}
	write("lists/all.txt", "\ufeff# comment\r\n\r\n  x.mp4 \r\nsub/y.mp4\n../in/a.mp4\n/abs/z.mp4\n")
	write("lists/all.jsonl", `{"input": "x.mp4", "max_flow": 20, "start": 1.5, "duration": 2, "frames": 7}`+"\n\n"+`{"input": "../q.mp4", "output": "named/q.mkv"}`+"\n")
	for _, c := range []struct{ arg, want string }{
		{"in/a.mp4", "in/a.mp4 > a-flow.mkv"},
		{"missing.mp4", "missing.mp4 > missing-flow.mkv"},
		{"in", "in/a.mp4 > a-flow.mkv, in/deep/er/b.MOV > deep/er/b-flow.mkv"},
		{"lists/all.txt", "lists/x.mp4 > x-flow.mkv, lists/sub/y.mp4 > sub/y-flow.mkv, in/a.mp4 > a-flow.mkv, /abs/z.mp4 > z-flow.mkv"},
		{"lists/all.jsonl", "lists/x.mp4 > x-flow.mkv, q.mp4 > named/q.mkv"},
	} {
		b := base()
		b.Exports = []pipeline.Export{{Format: flowfile.Flo}}
		videos, err := Collect([]string{path(c.arg)}, Source{Dir: path("in/out"), Base: b, Name: nameOutput})
		if err != nil {
			t.Errorf("%s: %v", c.arg, err)
		}
		var got []string
		for _, v := range videos {
			got = append(got, strings.TrimPrefix(v.Input, folder+"/")+" > "+v.Output)
			if want := strings.TrimSuffix(v.Output, ".mkv") + "-flo"; v.Exports[0].Dir != want {
				t.Errorf("%s: the flow files are in %s, want %s", c.arg, v.Exports[0].Dir, want)
			}
		}
		if text := strings.Join(got, ", "); text != c.want {
			t.Errorf("%s: %s, want %s", c.arg, text, c.want)
		}
		if c.arg == "lists/all.jsonl" {
			if v := videos[0]; v.Paint.MaxFlow != 20 || v.Decode.Start != 1500*time.Millisecond || v.Decode.Duration != 2*time.Second || v.Decode.Frames != 7 {
				t.Errorf("options %+v", v)
			}
			if v := videos[1]; v.Paint.MaxFlow != base().Paint.MaxFlow || v.Decode.Start != 0 {
				t.Errorf("options of the second line %+v", v)
			}
		}
	}
}

func TestCollectErrors(t *testing.T) {
	folder := t.TempDir()
	for i, c := range []struct{ extension, text, want string }{
		{".jsonl", "{\"input\": \"a\"}\n{\"input\": \"b\", \"codec\": \"h264\"}", "line 2"},
		{".jsonl", "{\"output\": \"a.mp4\"}", `"input" is missing`},
		{".jsonl", "{\"input\": \"a\", \"output\": \"../a.mp4\"}", "outside"},
		{".jsonl", "{\"input\": \"a\", \"max_flow\": -1}", "max_flow -1"},
		{".jsonl", "{\"input\": \"a\", \"frames\": -1}", "frames -1"},
		{".jsonl", "{\"input\": \"a\"} {}", "text after"},
		{".txt", "\n\n", "empty"},
	} {
		list := filepath.Join(folder, fmt.Sprint(i, c.extension))
		if err := os.WriteFile(list, []byte(c.text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Collect([]string{list}, Source{Name: nameOutput}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.text, err, c.want)
		}
	}
	for arg, want := range map[string]string{filepath.Join(folder, "none.txt"): "no such file", folder: "no video files"} {
		if _, err := Collect([]string{arg}, Source{Name: nameOutput}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", arg, err, want)
		}
	}
	if _, err := Collect([]string{folder}, Source{Dir: folder, Name: nameOutput}); err == nil || !strings.Contains(err.Error(), "is the input folder") {
		t.Error(err)
	}
}
