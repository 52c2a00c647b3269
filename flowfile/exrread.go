package flowfile

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/internal/half"
)

func readEXR(r io.Reader) (*field.Field, error) { return decodeEXR(r, false) }

// decodeEXR reads flow, or an STMap, which a file of this package says by itself.
func decodeEXR(r io.Reader, stMap bool) (*field.Field, error) {
	l, err := readEXRLayout(r)
	if err != nil {
		return nil, err
	}
	if stMap = stMap || l.stMap; stMap {
		l.yUp = false // the vertical coordinate is turned with the horizontal one
		l.valid = l.alpha
	}
	lines := exrLines[l.compression]
	if int64(min(lines, l.height))*int64(l.width)*int64(l.pixelBytes) > 1<<28 {
		return nil, ErrTooLarge
	}
	count := (l.height + lines - 1) / lines
	// Each block states its first line, so the table of block offsets is not needed.
	if _, err := io.CopyN(io.Discard, r, int64(count)*8); err != nil {
		return nil, truncated(err)
	}
	var f *field.Field // allocated with the first good block
	seen := make(map[int]bool)
	for range count {
		y, pixels, err := l.readBlock(r, lines)
		if err != nil {
			return nil, err
		}
		if seen[y] {
			return nil, fmt.Errorf("%w: it has two blocks for line %d", ErrFormat, int(l.top)+y)
		}
		seen[y] = true
		if f == nil {
			f = field.New(l.width, l.height)
		}
		lineBytes := l.width * l.pixelBytes
		for ; len(pixels) > 0; pixels, y = pixels[lineBytes:], y+1 {
			l.readLine(pixels, f.Vectors[2*l.width*y:][:2*l.width])
		}
	}
	if stMap {
		fromSTMap(f)
	}
	f.Vectors = completeUnknown(f.Vectors)
	return f, nil
}

// readBlock returns the first line of a block, counted from the top of the data window, and its decompressed pixels.
func (l *exrLayout) readBlock(r io.Reader, lines int) (y int, pixels []byte, err error) {
	var head struct{ Y, Size int32 }
	if err := binary.Read(r, binary.LittleEndian, &head); err != nil {
		return 0, nil, truncated(err)
	}
	y = int(int64(head.Y) - int64(l.top))
	if y < 0 || y >= l.height || y%lines != 0 {
		return 0, nil, fmt.Errorf("%w: it has a block for line %d", ErrFormat, head.Y)
	}
	want := min(lines, l.height-y) * l.width * l.pixelBytes
	if head.Size < 0 || int(head.Size) > want {
		return 0, nil, fmt.Errorf("%w: its block for line %d has %d bytes", ErrFormat, head.Y, head.Size)
	}
	// ReadAll allocates as data arrives: the size is only a claim.
	packed, err := io.ReadAll(io.LimitReader(r, int64(head.Size)))
	if err != nil {
		return 0, nil, err
	}
	if len(packed) < int(head.Size) || len(packed) < want && l.compression == exrNone {
		return 0, nil, truncated(io.ErrUnexpectedEOF)
	}
	if len(packed) == want {
		return y, packed, nil // stored without compression
	}
	if pixels, err = exrUnpack(packed, want); err != nil {
		return 0, nil, fmt.Errorf("%w: its block for line %d: %w", ErrFormat, head.Y, err)
	}
	return y, pixels, nil
}

// readLine converts one line. A line holds all values of its first channel, then all values of the next one.
func (l *exrLayout) readLine(b []byte, vectors []float32) {
	width := len(vectors) / 2
	for i, c := range []exrChannel{l.u, l.v} {
		sign := float32(1)
		if i == 1 && l.yUp {
			sign = -1
		}
		for x := range width {
			vectors[2*x+i] = sign * c.value(b, x, width)
		}
	}
	if l.valid == nil {
		return
	}
	for x := range width {
		if l.valid.value(b, x, width) == 0 {
			vectors[2*x], vectors[2*x+1] = field.Unknown(), field.Unknown()
		}
	}
}

// exrChannel is a channel of floats.
type exrChannel struct {
	offset int // bytes per pixel of the channels before it
	half   bool
}

// value returns the value of pixel x in a line.
func (c exrChannel) value(line []byte, x, width int) float32 {
	b := line[c.offset*width:]
	if c.half {
		return half.From(binary.LittleEndian.Uint16(b[2*x:]))
	}
	return math.Float32frombits(binary.LittleEndian.Uint32(b[4*x:]))
}
