// Package journal keeps records in a file of JSON lines that is only appended to.
//
// Append writes one line and flushes it to the disk, so a record is there once Append has returned. A process that is killed
// while it writes leaves a last line without its line end. Read does not return it, and Open cuts it off.
package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// Journal is a file that is open for appending.
type Journal struct{ file *os.File }

// Open opens a journal for appending, and creates it if it does not exist.
func Open(path string) (*Journal, error) {
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
	return &Journal{file}, nil
}

// Append writes a record. After an error, such as a full disk, no part of the record is left where that can be undone.
func (j *Journal) Append(record any) error {
	line, err := json.Marshal(record)
	if err != nil {
		return err
	}
	info, err := j.file.Stat()
	if err != nil {
		return err
	}
	if _, err = j.file.Write(append(line, '\n')); err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		_ = j.file.Truncate(info.Size())
	}
	return err
}

// Close closes the file. Each record was flushed. It may be called on nil.
func (j *Journal) Close() {
	if j != nil {
		_ = j.file.Close()
	}
}

// Read returns the records of a journal. An invalid line, other than an incomplete last one, is an error.
func Read[T any](path string) (records []*T, err error) {
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
		record := new(T)
		if err := json.Unmarshal(line, record); err != nil {
			return nil, fmt.Errorf("%s, line %d: not a record of this journal: %w", path, number, err)
		}
		records = append(records, record)
	}
	return records, nil
}
