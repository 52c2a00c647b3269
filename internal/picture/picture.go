// Package picture reads single still pictures: PNG, JPEG, and the binary PPM and PGM that older data sets use.
package picture

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // registers itself
	_ "image/png"  // registers itself
	"io"
	"os"
	"strconv"

	"github.com/wwflow/wwflow/frame"
)

// MaxPixels is how many pixels a picture may have: 8K UHD fits.
const MaxPixels = 1 << 25

// ErrFormat is returned for a file that is no picture, is damaged, or claims more than MaxPixels pixels.
var ErrFormat = errors.New("not a valid picture")

// Read returns the picture in a file. Errors name the file.
func Read(path string) (*frame.Frame, error) {
	m, err := Decode(path)
	if err != nil {
		return nil, err
	}
	return frame.FromImage(m), nil
}

// Decode returns the picture in a file as the decoder made it. Errors name the file.
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
	if mark, err := in.Peek(2); err == nil && (string(mark) == "P6" || string(mark) == "P5") {
		return decodePNM(in)
	}
	// The header is looked at first, because a decoder takes memory for what it claims.
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
	if width <= 0 || height <= 0 || width > MaxPixels || height > MaxPixels/width {
		return fmt.Errorf("%w: its size is %dx%d", ErrFormat, width, height)
	}
	return nil
}

// decodePNM reads binary PPM (P6, colour) or PGM (P5, grey) of 8 bits.
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
		return nil, fmt.Errorf("%w: its header says %q; 8-bit PPM and PGM are read", ErrFormat, words)
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
			return nil, fmt.Errorf("%w: it is cut short", ErrFormat)
		}
		for x := range width {
			p, q := m.Pix[y*m.Stride+4*x:], row[channels*x:]
			p[0], p[1], p[2], p[3] = q[0], q[channels/2], q[channels-1], 255
		}
	}
	return m, nil
}

// pnmWord reads a word of the header and the one white space after it; a comment goes from # to the end of its line.
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
