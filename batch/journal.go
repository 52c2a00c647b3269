package batch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// State is what an entry of the journal says about a video.
type State string

// The states. A video whose last entry is Started or Stopped is done again.
const (
	Started State = "started"
	Done    State = "done"
	Failed  State = "failed"
	Stopped State = "stopped" // by a signal, a full disk or a lost device
)

// Entry is one line of the journal.
type Entry struct {
	Time     time.Time         `json:"time"`
	State    State             `json:"state"`
	Output   string            `json:"output"` // relative to the output folder; identifies the video
	Input    Input             `json:"input"`
	Options  map[string]string `json:"options,omitempty"` // those that differ from the defaults
	Frames   int               `json:"frames,omitempty"`  // images written
	Seconds  float64           `json:"seconds,omitempty"`
	Bytes    int64             `json:"bytes,omitempty"` // of the output
	Error    string            `json:"error,omitempty"`
	ExitCode int               `json:"exit_code,omitempty"` // of wwflow run for the same error
}

// Input identifies the file of an input.
type Input struct {
	Path     string    `json:"path"` // absolute
	Bytes    int64     `json:"bytes"`
	Modified time.Time `json:"modified"`
}

// journal appends entries to a file.
type journal struct{ file *os.File }

func journalPath(dir string, p Part) string {
	return filepath.Join(dir, "wwflow-batch"+p.suffix()+".jsonl")
}

// openJournal opens the journal for appending, and removes a last line that a crash left incomplete.
func openJournal(path string) (*journal, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(file)
	if err == nil {
		err = file.Truncate(int64(bytes.LastIndexByte(data, '\n') + 1))
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return &journal{file}, nil
}

// append writes one line and flushes it to the disk.
func (j *journal) append(e Entry) error {
	e.Time = time.Now().UTC()
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return err
	}
	return j.file.Sync()
}

func (j *journal) close() { _ = j.file.Close() } // each entry was flushed

// readJournals returns the last entry of each output in all journals of a folder. Of entries in several journals the one
// with the latest time counts.
func readJournals(dir string) (map[string]*Entry, error) {
	paths, err := filepath.Glob(filepath.Join(globEscape(dir), "wwflow-batch*.jsonl"))
	if err != nil {
		return nil, err
	}
	last := map[string]*Entry{}
	for _, path := range paths {
		entries, err := readJournal(path)
		if err != nil {
			return nil, err
		}
		own := map[string]*Entry{}
		for _, e := range entries {
			own[e.Output] = e
		}
		for output, e := range own {
			if known := last[output]; known == nil || e.Time.After(known.Time) {
				last[output] = e
			}
		}
	}
	return last, nil
}

// readJournal returns the entries of a journal. A last line without its line end is left out: the process was killed
// while it wrote. Any other invalid line is an error.
func readJournal(path string) (entries []*Entry, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	number := 0
	for line := range bytes.Lines(data) {
		number++
		if !bytes.HasSuffix(line, []byte("\n")) {
			break
		}
		e := &Entry{}
		if err := json.Unmarshal(line, e); err != nil {
			return nil, fmt.Errorf("%s, line %d: not an entry of a batch journal: %w", path, number, err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// globEscape returns a path as a pattern that matches only it.
func globEscape(path string) string {
	var b bytes.Buffer
	for _, r := range path {
		if r == '*' || r == '?' || r == '[' || r == '\\' {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
