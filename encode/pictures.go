package encode

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wwflow/wwflow/frame"
)

// pictures writes PNG files into a temporary folder beside the final one.
type pictures struct {
	dir, name string
	temporary string
	force     bool
	n         int
	rgba      *image.NRGBA
	encoder   png.Encoder
	said      []string
}

func newPictures(dir, name string, force bool) (*pictures, error) {
	// BestSpeed: a video makes many pictures, and a flow field compresses well at any level.
	p := &pictures{dir: dir, name: name, force: force, temporary: beside(dir), encoder: png.Encoder{CompressionLevel: png.BestSpeed}}
	return p, os.Mkdir(p.temporary, 0o777)
}

func (p *pictures) write(f *frame.Frame) error {
	if p.rgba == nil {
		p.rgba = image.NewNRGBA(image.Rect(0, 0, f.Width, f.Height))
	}
	for i, j := 0, 0; i < len(f.Pix); i, j = i+3, j+4 {
		p.rgba.Pix[j], p.rgba.Pix[j+1], p.rgba.Pix[j+2], p.rgba.Pix[j+3] = f.Pix[i], f.Pix[i+1], f.Pix[i+2], 255
	}
	file, err := os.Create(filepath.Join(p.temporary, fmt.Sprintf(p.name, p.n)))
	if err != nil {
		return err
	}
	defer file.Close()
	b := bufio.NewWriterSize(file, 1<<18)
	if err := p.encoder.Encode(b, p.rgba); err != nil {
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

// commit renames the folder, or, where one is there already, moves the pictures into it one by one.
func (p *pictures) commit() error {
	entries, err := os.ReadDir(p.dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err := rename(p.temporary, p.dir, false); err != nil {
			return err
		}
		p.temporary = ""
		return nil
	}
	if err != nil {
		return err
	}
	if len(entries) > 0 && !p.force {
		return ErrExists
	}
	for i := range p.n {
		name := fmt.Sprintf(p.name, i)
		if err := os.Rename(filepath.Join(p.temporary, name), filepath.Join(p.dir, name)); err != nil {
			return err
		}
	}
	if after, err := os.ReadDir(p.dir); err == nil && len(after) > p.n {
		p.said = append(p.said, fmt.Sprintf("%s holds %d other files from before; they were left alone", p.dir, len(after)-p.n))
	}
	return syncFolder(p.dir)
}

func (p *pictures) notices() []string { return p.said }

func (p *pictures) close() {
	if p.temporary != "" {
		os.RemoveAll(p.temporary)
		p.temporary = ""
	}
}
