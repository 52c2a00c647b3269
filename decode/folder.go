package decode

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/jpeg" // registers the format
	_ "image/png"  // registers the format
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/disintegration/imaging"
	"github.com/maruel/natural"
	xdraw "golang.org/x/image/draw"

	"github.com/wwflow/wwflow/frame"
)

// folder reads a folder's pictures in natural order, FrameRate of them a second.
type folder struct {
	inf           Info
	scale         float64
	files         []string // paths in the window
	offset        int      // of files[0] among all pictures: its time stamp
	at            int
	width, height int // of the pictures, before scaling
	ahead         image.Image
	lost          int
}

func openFolder(dir string, o Options) (source, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	var files []string
	for _, e := range entries {
		switch strings.ToLower(filepath.Ext(e.Name())) {
		case ".png", ".jpg", ".jpeg":
			if !e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
				files = append(files, filepath.Join(dir, e.Name()))
			}
		}
	}
	if len(files) == 0 {
		return nil, ErrNoPictures
	}
	sort.Slice(files, func(i, j int) bool { return natural.Less(files[i], files[j]) })
	f := &folder{scale: o.Scale}
	base := frame.Rational{Num: o.FrameRate.Den, Den: o.FrameRate.Num}
	all := len(files)
	first, end := window(o, 0, base)
	first, end = max(first, 0), min(end, int64(all))
	if first >= end {
		return nil, ErrWindow
	}
	f.files, f.offset = files[first:end], int(first)
	var format string
	for ; f.at < len(f.files); f.at++ { // the first sound picture sets the size
		if f.ahead, format, err = load(f.files[f.at]); err == nil {
			break
		}
		if !damagedPicture(err) {
			return nil, err
		}
		f.lost++
	}
	if f.ahead == nil {
		return nil, ErrNoFrames
	}
	f.width, f.height = f.ahead.Bounds().Dx(), f.ahead.Bounds().Dy()
	whole := frame.Frame{PTS: int64(all), TimeBase: base}
	f.inf = Info{
		Path: dir, Format: "folder", Codec: format, PixelFormat: "rgb24",
		Width: scaled(f.width, o.Scale), Height: scaled(f.height, o.Scale),
		FrameRate: o.FrameRate, TimeBase: base, Frames: len(f.files), FramesExact: true,
		Duration: whole.Time(), BitDepth: 8, ColorRange: "pc", ColorMatrix: "gbr", ColorTransfer: "unknown",
	}
	switch f.ahead.ColorModel() {
	case color.RGBA64Model, color.NRGBA64Model, color.Gray16Model:
		f.inf.BitDepth, f.inf.PixelFormat = 16, "rgb48"
	}
	return f, nil
}

// load decodes one picture, turned as its EXIF tag says: phones store how they were held. A file that cannot be opened
// is an error of the system, not a damaged picture.
func load(path string) (image.Image, string, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, "", err
	}
	defer r.Close()
	// A damaged header may claim any size, and the memory would be taken before the pixels are missed.
	c, format, err := image.DecodeConfig(r)
	if err == nil && c.Width*c.Height > 1<<28 {
		return nil, "", fmt.Errorf("%s claims %dx%d pixels", path, c.Width, c.Height)
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, "", err
	}
	m, err := imaging.Decode(bufio.NewReader(r), imaging.AutoOrientation(true))
	if err != nil {
		return nil, "", fmt.Errorf("%s is damaged: %w", path, err)
	}
	return m, format, nil
}

func damagedPicture(err error) bool {
	var p *os.PathError
	return !errors.As(err, &p)
}

func (f *folder) info() *Info  { return &f.inf }
func (f *folder) corrupt() int { return f.lost }
func (f *folder) close()       { f.ahead, f.files = nil, nil }

func (f *folder) next(ctx context.Context) (*frame.Frame, error) {
	for ; f.at < len(f.files); f.at++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m := f.ahead
		f.ahead = nil
		if m == nil {
			var err error
			if m, _, err = load(f.files[f.at]); err != nil {
				if !damagedPicture(err) {
					return nil, err
				}
				f.lost++
				continue
			}
		}
		if b := m.Bounds(); b.Dx() != f.width || b.Dy() != f.height {
			return nil, &SizeError{filepath.Base(f.files[f.at]), b.Dx(), b.Dy(), f.width, f.height}
		}
		out := &frame.Frame{PTS: int64(f.offset + f.at), Duration: 1, TimeBase: f.inf.TimeBase,
			Width: f.inf.Width, Height: f.inf.Height, Pix: packed(m, f.inf.Width, f.inf.Height)}
		f.at++
		return out, nil
	}
	return nil, io.EOF
}

// packed is a picture as R, G, B bytes at a size; transparency is dropped, not blended.
func packed(m image.Image, width, height int) []byte {
	b := m.Bounds()
	n, ok := m.(*image.NRGBA)
	if !ok || b.Dx() != width || b.Dy() != height {
		n = image.NewNRGBA(image.Rect(0, 0, width, height))
		if b.Dx() == width && b.Dy() == height {
			draw.Draw(n, n.Rect, m, b.Min, draw.Src)
		} else {
			xdraw.CatmullRom.Scale(n, n.Rect, m, b, draw.Src, nil)
		}
	}
	pix := make([]byte, 3*width*height)
	at := 0
	for y := range height {
		row := n.Pix[y*n.Stride : y*n.Stride+4*width]
		for x := 0; x < len(row); x += 4 {
			pix[at], pix[at+1], pix[at+2] = row[x], row[x+1], row[x+2]
			at += 3
		}
	}
	return pix
}
