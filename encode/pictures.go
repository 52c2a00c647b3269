package encode

import (
	"bufio"
	"errors"
	"fmt"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/atomicfile"
)

// pictures writes PNG files into a temporary folder beside the final one.
type pictures struct {
	destination
	force     bool
	temporary *atomicfile.Folder
	n         int // files written
	encoder   png.Encoder
	said      []string
}

func newPictures(d destination, force bool) (_ *pictures, err error) {
	// BestSpeed: there are many images, and flow compresses well at any level.
	p := &pictures{destination: d, force: force, encoder: png.Encoder{CompressionLevel: png.BestSpeed}}
	p.temporary, err = atomicfile.CreateFolder(d.folder)
	return p, err
}

func (p *pictures) fileName(i int) string { return fmt.Sprintf(p.pattern, i) }

func (p *pictures) write(f *frame.Frame) error {
	file, err := os.Create(filepath.Join(p.temporary.Name(), p.fileName(p.n)))
	if err != nil {
		return err
	}
	defer file.Close()
	b := bufio.NewWriterSize(file, 1<<18)
	if err := p.encoder.Encode(b, f.Image()); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	p.n++
	return file.Close()
}

// commit renames the temporary folder. If the final one exists, it moves the files into it.
func (p *pictures) commit() error {
	if _, err := os.Lstat(p.folder); errors.Is(err, fs.ErrNotExist) {
		return p.temporary.Commit()
	}
	if !p.force {
		// Other outputs may have created the folder in the meantime. Only the names of the images must be free.
		for i := range p.n {
			if _, err := os.Lstat(filepath.Join(p.folder, p.fileName(i))); !errors.Is(err, fs.ErrNotExist) {
				return ErrExists
			}
		}
	}
	for i := range p.n {
		name := p.fileName(i)
		if err := os.Rename(filepath.Join(p.temporary.Name(), name), filepath.Join(p.folder, name)); err != nil {
			return err
		}
	}
	if err := p.removeRest(); err != nil {
		return err
	}
	if files, err := listFiles(p.folder); err == nil && len(files) > p.n {
		p.said = append(p.said, fmt.Sprintf("%s contains %d other files, which were not changed", p.folder, len(files)-p.n))
	}
	d, err := os.Open(p.folder)
	if err != nil {
		return err
	}
	defer d.Close()
	_ = d.Sync() // some file systems cannot
	return nil
}

// removeRest deletes the rest of a longer sequence that has been replaced, up to the first gap in its numbers.
func (p *pictures) removeRest() error {
	for i := p.n; p.force; i++ {
		path := filepath.Join(p.folder, p.fileName(i))
		if s, err := os.Lstat(path); err != nil || !s.Mode().IsRegular() {
			return nil
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

func (p *pictures) notices() []string { return p.said }

func (p *pictures) close() { p.temporary.Close() }
