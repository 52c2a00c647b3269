package batch

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wwflow/wwflow/pipeline"
)

// textList reads a list with one path a line. Empty lines and lines that begin with # are ignored. Relative paths are
// relative to the list.
func (s Source) textList(list string) (videos []pipeline.Options, err error) {
	err = eachLine(list, func(line string) error {
		if !strings.HasPrefix(line, "#") {
			videos = append(videos, s.listed(list, line))
		}
		return nil
	})
	return videos, err
}

// listLine is a line of a list in JSON Lines. Only Input is needed. Absent options are those of Source.Base.
type listLine struct {
	Input    string   `json:"input"`
	Output   string   `json:"output"`   // relative to Dir
	MaxFlow  *float64 `json:"max_flow"` // pixels; 0 = auto
	Start    *float64 `json:"start"`    // seconds
	Duration *float64 `json:"duration"` // seconds; 0 = to the end
	Frames   *int     `json:"frames"`   // 0 = all
}

// jsonList reads a list in JSON Lines.
func (s Source) jsonList(list string) (videos []pipeline.Options, err error) {
	err = eachLine(list, func(text string) error {
		var line listLine
		d := json.NewDecoder(strings.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&line); err != nil {
			return err
		}
		if _, err := d.Token(); err != io.EOF {
			return fmt.Errorf("text after the object")
		}
		o, err := line.options(s, list)
		videos = append(videos, o)
		return err
	})
	return videos, err
}

func (l listLine) options(s Source, list string) (pipeline.Options, error) {
	if l.Input == "" {
		return pipeline.Options{}, fmt.Errorf(`"input" is missing`)
	}
	o := s.listed(list, l.Input)
	if l.Output != "" {
		if !filepath.IsLocal(l.Output) {
			return o, fmt.Errorf("output %q is outside the output folder", l.Output)
		}
		o = s.named(o.Input, filepath.Clean(l.Output))
	}
	for name, value := range map[string]*float64{"max_flow": l.MaxFlow, "start": l.Start, "duration": l.Duration} {
		if value != nil && !(*value >= 0 && *value <= 1e6) {
			return o, fmt.Errorf("%s %v is not between 0 and 1000000", name, *value)
		}
	}
	if l.MaxFlow != nil {
		o.Paint.MaxFlow = *l.MaxFlow
	}
	if l.Start != nil {
		o.Decode.Start = time.Duration(*l.Start * float64(time.Second))
	}
	if l.Duration != nil {
		o.Decode.Duration = time.Duration(*l.Duration * float64(time.Second))
	}
	if l.Frames != nil {
		if o.Decode.Frames = *l.Frames; *l.Frames < 0 {
			return o, fmt.Errorf("frames %d is below 0", *l.Frames)
		}
	}
	return o, nil
}

// listed returns the options of a path in a list. A relative path that stays below the list's folder has its folder under
// Dir.
func (s Source) listed(list, path string) pipeline.Options {
	if filepath.IsAbs(path) {
		return s.video(path, "")
	}
	folder := filepath.Dir(path)
	if !filepath.IsLocal(folder) {
		folder = ""
	}
	return s.video(filepath.Join(filepath.Dir(list), path), folder)
}

// eachLine calls f with the lines of a file that are not empty, without spaces at their ends.
func eachLine(path string, f func(line string) error) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	lines.Buffer(nil, 1<<20)
	found := false
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		found = true
		if err := f(line); err != nil {
			return fmt.Errorf("%s, line %d: %w", path, number, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if !found {
		return fmt.Errorf("%s is empty", path)
	}
	return nil
}
