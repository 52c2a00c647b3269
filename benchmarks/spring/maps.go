package spring

import (
	"errors"
	"fmt"
	"image"
	"io"
	"os"

	"golang.org/x/sync/errgroup"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/internal/picture"
)

// readClasses reads the four maps of a flow and returns the class bits of each pixel of a width x height picture.
func (s Selection) readClasses(f Flow, width, height int) ([]byte, error) {
	kinds := []string{detailMap, matchMap, rigidMap, skyMap}
	planes := make([][]bool, len(kinds))
	var group errgroup.Group
	for i, kind := range kinds {
		group.Go(func() (err error) {
			planes[i], err = readMap(f.mapFile(s.folder(), kind), kind, width, height)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	class := make([]byte, width*height)
	for i := range class {
		for bit, plane := range planes {
			if plane[i] {
				class[i] |= 1 << bit
			}
		}
	}
	return class, nil
}

// readMap reads one map and returns for each pixel of a width x height picture whether it is set.
func readMap(path, kind string, width, height int) ([]bool, error) {
	m, err := picture.Decode(path)
	if err != nil {
		return nil, err
	}
	scale := 1
	if kind == rigidMap || kind == skyMap {
		scale = 2
	}
	if size := m.Bounds().Size(); size != (image.Point{X: scale * width, Y: scale * height}) {
		return nil, fmt.Errorf("%s: %w: it is %dx%d instead of %dx%d", path, field.ErrSizes, size.X, size.Y, scale*width, scale*height)
	}
	p, err := rawSamples(m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	threshold := 1
	if scale == 2 {
		// The server compares the mean of the stored numbers with 0.5: of the values 0 and 1 two of the four samples must be
		// set, of 0 and 255 one.
		threshold = 2 * p.channels
		oneBit, err := isOneBit(path)
		if err != nil {
			return nil, err
		}
		if oneBit {
			threshold *= 255 // the decoder returns 1 as 255
		}
	}
	out := make([]bool, width*height)
	for y := range height {
		row := p.pix[scale*y*p.stride:]
		for x := range width {
			at := scale * x * p.step
			switch {
			case scale == 2:
				sum := 0
				for c := at; c < at+p.channels; c++ {
					sum += int(row[c]) + int(row[c+p.step]) + int(row[c+p.stride]) + int(row[c+p.stride+p.step])
				}
				out[y*width+x] = sum >= threshold
			case kind == matchMap && p.channels > 1:
				out[y*width+x] = row[at]|row[at+1] != 0
			default:
				out[y*width+x] = row[at] != 0
			}
		}
	}
	return out, nil
}

// samples describes how a decoded picture stores its numbers.
type samples struct {
	pix                    []byte
	stride, step, channels int // bytes from row to row, bytes from pixel to pixel, numbers of a pixel
}

func rawSamples(m image.Image) (samples, error) {
	switch m := m.(type) {
	case *image.Gray:
		return samples{m.Pix, m.Stride, 1, 1}, nil
	case *image.Paletted:
		return samples{m.Pix, m.Stride, 1, 1}, nil
	case *image.RGBA: // RGB in the file
		return samples{m.Pix, m.Stride, 4, 3}, nil
	case *image.NRGBA:
		return samples{m.Pix, m.Stride, 4, 3}, nil
	}
	return samples{}, fmt.Errorf("%w: a map is a PNG of 1 or 8 bits", picture.ErrFormat)
}

// isOneBit returns whether a PNG file is grey with one bit for each pixel, according to bytes 24 and 25 of its header.
func isOneBit(path string) (bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	var head [26]byte
	_, err = io.ReadFull(file, head[:])
	const grey = 0
	return head[24] == 1 && head[25] == grey, errors.Join(err, file.Close())
}
