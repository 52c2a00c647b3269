package parts

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/pipeline"
)

// Identity tells whether an input is the same.
type Identity struct {
	Path     string    `json:"path"`     // absolute; not compared
	Files    int       `json:"files"`    // images of a sequence; 1 for a video
	Bytes    int64     `json:"bytes"`    // of all files
	Modified time.Time `json:"modified"` // of the file that was modified last
	Hash     string    `json:"hash"`     // SHA-256 of the sizes of all files, and of the first and the last MiB of the first and the last file
}

// identify returns the identity of an input.
func identify(input string) (Identity, error) {
	path, err := filepath.Abs(input)
	if err != nil {
		return Identity{}, err
	}
	if decode.IsStream(input) {
		return Identity{}, fmt.Errorf("%w: standard input and pipes can be read only once; save the video to a file first", pipeline.ErrOptions)
	}
	files, err := decode.Files(input)
	if err != nil {
		return Identity{}, fmt.Errorf("cannot read %s: %w", input, err)
	}
	id, sum := Identity{Path: path, Files: len(files)}, sha256.New()
	for i, name := range files {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			return id, fmt.Errorf("cannot read %s: %w", name, decode.ErrMissing)
		}
		if err != nil {
			return id, err
		}
		fmt.Fprintln(sum, info.Size())
		id.Bytes += info.Size()
		if m := info.ModTime().UTC(); m.After(id.Modified) {
			id.Modified = m
		}
		if i == 0 || i == len(files)-1 {
			if err := hashEnds(sum, name, info.Size()); err != nil {
				return id, err
			}
		}
	}
	id.Hash = hex.EncodeToString(sum.Sum(nil))
	return id, nil
}

// hashEnds adds the first and the last MiB of a file.
func hashEnds(sum io.Writer, name string, size int64) error {
	const end = 1 << 20
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.CopyN(sum, f, min(size, end)); err != nil {
		return err
	}
	_, err = io.Copy(sum, io.NewSectionReader(f, max(0, size-end), end))
	return err
}

// differences names what differs between two identities. The time of modification differs between copies on several machines.
func (a Identity) differences(b Identity, withTime bool) (list []string) {
	switch {
	case a.Files != b.Files:
		list = append(list, fmt.Sprintf("the input had %d files, has %d", a.Files, b.Files))
	case a.Bytes != b.Bytes:
		list = append(list, fmt.Sprintf("the size of the input was %d bytes, is %d", a.Bytes, b.Bytes))
	case a.Hash != b.Hash:
		list = append(list, "the content of the input is another")
	case withTime && !a.Modified.Equal(b.Modified):
		list = append(list, fmt.Sprintf("the input was modified at %s, now at %s", a.Modified.Format(time.RFC3339Nano), b.Modified.Format(time.RFC3339Nano)))
	}
	return list
}
