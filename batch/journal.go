package batch

import (
	"bytes"
	"path/filepath"
	"time"

	"github.com/wwflow/wwflow/internal/journal"
	"github.com/wwflow/wwflow/parts"
	"github.com/wwflow/wwflow/stats"
)

// State is what an entry of the journal says about a video.
type State string

// The states. A video whose last entry is Started or Stopped is done again.
const (
	Started State = "started"
	Done    State = "done"
	Failed  State = "failed"
	Stopped State = "stopped" // by a signal, a full disk or a lost device
	// Table is not about a video: Output is the path of the table that Options.Stats names. The batch may replace it.
	Table State = "table"
)

// Entry is one line of the journal.
type Entry struct {
	Time     time.Time         `json:"time"`
	State    State             `json:"state"`
	Output   string            `json:"output"` // relative to the output folder; identifies the video
	Input    Input             `json:"input,omitzero"`
	Options  map[string]string `json:"options,omitempty"` // those that differ from the defaults
	Frames   int               `json:"frames,omitempty"`  // images written
	Seconds  float64           `json:"seconds,omitempty"`
	Bytes    int64             `json:"bytes,omitempty"`  // of the output
	Motion   *stats.Video      `json:"motion,omitempty"` // with Options.Stats
	Error    string            `json:"error,omitempty"`
	ExitCode int               `json:"exit_code,omitempty"` // of wwflow run for the same error
}

// Input identifies the file of an input.
type Input struct {
	Path     string    `json:"path"` // absolute
	Bytes    int64     `json:"bytes"`
	Modified time.Time `json:"modified"`
}

func journalPath(dir string, p parts.Part) string {
	return filepath.Join(dir, "wwflow-batch"+suffix(p)+".jsonl")
}

// readJournals returns the last entry of each output in all journals of a folder, and the paths of the batch's tables. Of
// entries in several journals the one with the latest time counts.
func readJournals(dir string) (last map[string]*Entry, tables map[string]bool, err error) {
	paths, err := filepath.Glob(filepath.Join(globEscape(dir), "wwflow-batch*.jsonl"))
	if err != nil {
		return nil, nil, err
	}
	last, tables = map[string]*Entry{}, map[string]bool{}
	for _, path := range paths {
		entries, err := journal.Read[Entry](path)
		if err != nil {
			return nil, nil, err
		}
		own := map[string]*Entry{}
		for _, e := range entries {
			if e.State == Table {
				tables[e.Output] = true
			} else {
				own[e.Output] = e
			}
		}
		for output, e := range own {
			if known := last[output]; known == nil || e.Time.After(known.Time) {
				last[output] = e
			}
		}
	}
	return last, tables, nil
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
