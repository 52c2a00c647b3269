// Package picture reads still pictures: PNG, JPEG, and the binary PPM and PGM of older data sets.
package picture

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // registers the decoder
	_ "image/png"  // registers the decoder
	"io"
	"os"
	"strconv"

	"github.com/wwflow/wwflow/frame"
)

// ErrFormat is returned for a file that is not a picture, is damaged, or claims more than frame.MaxPixels pixels.
var ErrFormat = errors.New("not a valid picture")

// Read returns the picture in a file. Errors name the file.
func Read(path string) (*frame.Frame, error) {
	m, err := Decode(path)
	if err != nil {
		return nil, err
	}
	return frame.FromImage(m), nil
}

// Decode returns the picture in a file in the type that its decoder returns. Errors name the file.
func Decode(path string) (image.Image, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	m, err := decode(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func decode(file io.ReadSeeker) (image.Image, error) {
	in := bufio.NewReader(file)
	if signature, err := in.Peek(2); err == nil && (string(signature) == "P6" || string(signature) == "P5") {
		return decodePNM(in)
	}
	// The size is checked first, because a decoder allocates what the header claims.
	c, _, err := image.DecodeConfig(in)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if err := checkSize(c.Width, c.Height); err != nil {
		return nil, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	m, _, err := image.Decode(bufio.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return m, nil
}

func checkSize(width, height int) error {
	if width <= 0 || height <= 0 || width > frame.MaxPixels || height > frame.MaxPixels/width {
		return fmt.Errorf("%w: its size is %dx%d; at most %d pixels are read", ErrFormat, width, height, frame.MaxPixels)
	}
	return nil
}

// decodePNM reads 8-bit binary PPM (P6, colour) or PGM (P5, grey).
func decodePNM(in *bufio.Reader) (image.Image, error) {
	var words [4]string
	for i := range words {
		var err error
		if words[i], err = pnmWord(in); err != nil {
			return nil, err
		}
	}
	width, err1 := strconv.Atoi(words[1])
	height, err2 := strconv.Atoi(words[2])
	if err1 != nil || err2 != nil || words[3] != "255" {
		return nil, fmt.Errorf("%w: its header is %q; only 8-bit PPM and PGM can be read", ErrFormat, words)
	}
	if err := checkSize(width, height); err != nil {
		return nil, err
	}
	channels := 3
	if words[0] == "P5" {
		channels = 1
	}
	m, row := image.NewRGBA(image.Rect(0, 0, width, height)), make([]byte, channels*width)
	for y := range height {
		if _, err := io.ReadFull(in, row); err != nil {
			return nil, fmt.Errorf("%w: it is truncated", ErrFormat)
		}
		for x := range width {
			p, q := m.Pix[y*m.Stride+4*x:], row[channels*x:]
			p[0], p[1], p[2], p[3] = q[0], q[channels/2], q[channels-1], 255
		}
	}
	return m, nil
}

// pnmWord reads a word of the header and the white space character after it. It skips comments, from # to the end of
// the line.
func pnmWord(in *bufio.Reader) (string, error) {
	var word []byte
	for comment := false; ; {
		c, err := in.ReadByte()
		if err != nil || len(word) > 32 {
			return "", fmt.Errorf("%w: its header is damaged", ErrFormat)
		}
		space := c == ' ' || c == '\n' || c == '\r' || c == '\t'
		switch {
		case comment:
			comment = c != '\n'
		case c == '#' && len(word) == 0:
			comment = true
		case !space:
			word = append(word, c)
		case len(word) > 0:
			return string(word), nil
		}
	}
}
