package spring

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
)

// journal keeps the result of each flow in a file of JSON lines, so that an interrupted evaluation can resume. The first
// line identifies the evaluation. An incomplete last line is dropped. A nil journal keeps nothing.
type journal struct {
	mu    sync.Mutex
	file  *os.File
	lines map[string]journalLine // those that the file had at the start, by the name of the flow
}

type journalHead struct {
	Root, Source string
	Float16      bool
}

type journalLine struct {
	Flow    string
	Stamp   string `json:",omitempty"` // of the flow file
	Tallies Tallies
}

func openJournal(path string, head journalHead) (j *journal, err error) {
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, outputError(err)
	}
	j = &journal{lines: map[string]journalLine{}}
	end := bytes.LastIndexByte(b, '\n') + 1
	if end > 0 {
		lines := bytes.Split(b[:end-1], []byte("\n"))
		var old journalHead
		if err := strictJSON(lines[0], &old); err != nil {
			return nil, fmt.Errorf("%s: not the journal of an evaluation: give another file: %w", path, err)
		}
		if old != head {
			return nil, fmt.Errorf("%s: it is the journal of another evaluation (root %s, flow from %s, float16 %v): give another file or delete it", path, old.Root, old.Source, old.Float16)
		}
		for i, text := range lines[1:] {
			var line journalLine
			if err := strictJSON(text, &line); err != nil {
				return nil, fmt.Errorf("%s: line %d is damaged: delete the file to start again: %w", path, i+2, err)
			}
			j.lines[line.Flow] = line
		}
	} else if len(b) > 0 {
		return nil, fmt.Errorf("%s: not the journal of an evaluation: give another file", path)
	}
	if j.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		return nil, outputError(err)
	}
	err = j.file.Truncate(int64(end))
	if _, e := j.file.Seek(int64(end), io.SeekStart); err == nil {
		err = e
	}
	if err == nil && end == 0 {
		err = j.write(head)
	}
	if err != nil {
		return nil, outputError(errors.Join(err, j.file.Close()))
	}
	return j, nil
}

func strictJSON(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

func (j *journal) write(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = j.file.Write(append(b, '\n'))
	return err
}

// find returns the result of a flow, if the journal had it at the start and the flow file has not changed.
func (j *journal) find(flow, stamp string) (Tallies, bool) {
	if j == nil {
		return Tallies{}, false
	}
	line, ok := j.lines[flow]
	return line.Tallies, ok && line.Stamp == stamp
}

// add appends the result of a flow.
func (j *journal) add(flow, stamp string, t *Tallies) error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.write(journalLine{flow, stamp, *t})
}

func (j *journal) close() error {
	if j == nil {
		return nil
	}
	return errors.Join(j.file.Sync(), j.file.Close())
}
