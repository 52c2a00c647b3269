package viewer

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"slices"
	"sync/atomic"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/half"
	"github.com/wwflow/wwflow/internal/parallel"
)

// A packet is a flow field as the page takes it. It has
//
//	"wwflow2\n"
//	the length of the header (uint32)
//	the header, JSON
//	the payload
//	the CRC-32 (IEEE) of all bytes before it (uint32)
//
// with little-endian numbers. The payload has u and v of each pixel, interleaved, as 16-bit numbers; then the confidence of
// each pixel in units of 1/255, if the header says so. With Cell > 1 it has the means of cells of Cell times Cell pixels
// instead (see reduceField): while frames are scrubbed or played, the page takes a field at the resolution at which it shows it.
//
// With Step > 0 the numbers are signed, in units of Step pixels, and -32768 is unknown. Step is the smallest power of two
// that holds the largest component, 1/64 at most. A field with components of 512 pixels or more has Step 0: the numbers are
// half floats, whose error is below 1/2048 of the value, and NaN is unknown. So one wrong vector of a million pixels does
// not cost the others their precision. Infinite components are unknown, as they are for the painter.
//
// A packed payload is for slow connections, caches and pages in a file. Each component is replaced by its difference to
// the pixel on the left, modulo 65536 and folded to an unsigned number; the low and the high bytes of u, the low and the
// high bytes of v and the differences of the confidence follow each other; and all of it is deflated.
const (
	magic    = "wwflow2\n"
	maxStep  = 1.0 / 64
	maxUnits = math.MaxInt16
	halfMax  = 65504 // the largest half float
)

// header describes the field in a packet.
type header struct {
	Width      int     `json:"width"` // of the field, in pixels
	Height     int     `json:"height"`
	Cell       int     `json:"cell"`   // side of the cells whose means the payload has, in pixels; 1 = it has every pixel
	Number     int     `json:"number"` // of its frame
	Step       float64 `json:"step"`   // pixels per unit; 0 = half floats
	Packed     bool    `json:"packed"`
	Confidence bool    `json:"confidence"`
	Unknown    int     `json:"unknown"` // number of pixels or cells
	P99        float64 `json:"p99"`     // 99th percentile of the length of the field's vectors, in pixels
}

// packet is a field in memory, with a payload that is not packed.
type packet struct {
	header  header
	payload []byte
}

// newPacket rounds a field. number is that of its frame. With cell > 1 the packet has the means of cells of that side.
func newPacket(f *field.Field, number, cell int) *packet {
	h := header{Width: f.Width, Height: f.Height, Cell: cell, Number: number, Confidence: f.Confidence != nil, P99: longest(f)}
	if cell > 1 {
		f = reduceField(f, cell)
	}
	h.Step = stepOf(f)
	n := f.Width * f.Height
	payload := make([]byte, h.size())
	convert := fixed(h.Step)
	if h.Step == 0 {
		convert = half.Bits
	}
	var unknown atomic.Int64
	parallel.Ranges(n, 0, func(from, to int) {
		count := 0
		for i := from; i < to; i++ {
			u, v := f.Vectors[2*i], f.Vectors[2*i+1]
			if u-u != 0 || v-v != 0 { // NaN or infinite
				count++
				u, v = field.Unknown(), field.Unknown()
			} else if long := max(u, -u, v, -v); long > halfMax { // only the direction is left of such a vector
				u, v = u/long*halfMax, v/long*halfMax
			}
			binary.LittleEndian.PutUint16(payload[4*i:], convert(u))
			binary.LittleEndian.PutUint16(payload[4*i+2:], convert(v))
			if h.Confidence {
				payload[4*n+i] = uint8(math.Round(255 * float64(min(max(f.Confidence[i], 0), 1)))) // as the painter rounds it
			}
		}
		unknown.Add(int64(count))
	})
	h.Unknown = int(unknown.Load())
	return &packet{h, payload}
}

// longest returns the 99th percentile of the length of the vectors, from about 10,000 of them; 0 if none is known.
func longest(f *field.Field) float64 {
	n := f.Width * f.Height
	var lengths []float64
	for i := 0; i < n; i += max(1, n/10000) {
		if length := math.Hypot(float64(f.Vectors[2*i]), float64(f.Vectors[2*i+1])); length <= math.MaxFloat64 {
			lengths = append(lengths, length)
		}
	}
	if len(lengths) == 0 {
		return 0
	}
	slices.Sort(lengths)
	return lengths[99*(len(lengths)-1)/100]
}

// fixed returns the conversion to signed units of step pixels.
func fixed(step float64) func(float32) uint16 {
	perPixel := float32(1 / step) // a power of two: the product is exact
	return func(v float32) uint16 {
		if v != v {
			return 1 << 15
		}
		return uint16(int16(math.RoundToEven(float64(v * perPixel))))
	}
}

// stepOf returns the Step of a field.
func stepOf(f *field.Field) float64 {
	var largest float32
	for _, v := range f.Vectors {
		if v < 0 {
			v = -v
		}
		if v > largest && v <= math.MaxFloat32 {
			largest = v
		}
	}
	step := maxStep
	if float64(largest) > maxUnits*step {
		return 0
	}
	for step > 1.0/(1<<20) && float64(largest) <= maxUnits*step/2 {
		step /= 2
	}
	return step
}

// field returns the field that the payload has: the means of cells if Cell > 1. Its rounding remains.
func (p *packet) field() *field.Field {
	f := field.New(p.header.stored())
	for i := range f.Vectors {
		b := binary.LittleEndian.Uint16(p.payload[2*i:])
		switch {
		case p.header.Step == 0:
			f.Vectors[i] = half.From(b)
		case b == 1<<15:
			f.Vectors[i] = field.Unknown()
		default:
			f.Vectors[i] = float32(float64(int16(b)) * p.header.Step)
		}
	}
	if p.header.Confidence {
		f.Confidence = make([]float32, f.Width*f.Height)
		for i, c := range p.payload[2*len(f.Vectors):] {
			f.Confidence[i] = float32(c) / 255
		}
	}
	return f
}

// encode returns the bytes of the packet.
func (p *packet) encode(packed bool) ([]byte, error) {
	h, payload := p.header, p.payload
	if h.Packed = packed; packed {
		payload = pack(p.payload, &h)
	}
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	for (len(magic)+4+len(text))%4 != 0 {
		text = append(text, ' ') // the page reads the payload as an array of 16-bit numbers
	}
	out := make([]byte, 0, len(magic)+4+len(text)+len(payload)+4)
	out = append(out, magic...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(text)))
	out = append(append(out, text...), payload...)
	return binary.LittleEndian.AppendUint32(out, crc32.ChecksumIEEE(out)), nil
}

var errPacket = errors.New("not a complete flow packet")

// decodePacket reads what encode returned.
func decodePacket(data []byte) (*packet, error) {
	start := len(magic) + 4
	if len(data) < start+4 || string(data[:len(magic)]) != magic || binary.LittleEndian.Uint32(data[len(data)-4:]) != crc32.ChecksumIEEE(data[:len(data)-4]) {
		return nil, errPacket
	}
	end := uint64(start) + uint64(binary.LittleEndian.Uint32(data[len(magic):]))
	if end > uint64(len(data)-4) {
		return nil, errPacket
	}
	p := &packet{payload: data[end : len(data)-4]}
	if err := json.Unmarshal(data[start:end], &p.header); err != nil {
		return nil, fmt.Errorf("%w: %w", errPacket, err)
	}
	h := &p.header
	if h.Cell < 1 || h.Cell > maxCell || h.Width <= 0 || h.Height <= 0 || h.Width > frame.MaxPixels || h.Height > frame.MaxPixels/h.Width {
		return nil, errPacket
	}
	if h.Packed {
		var err error
		if p.payload, err = unpack(p.payload, h); err != nil {
			return nil, err
		}
		h.Packed = false
	}
	if len(p.payload) != h.size() {
		return nil, errPacket
	}
	return p, nil
}

// size returns the length of the payload in bytes.
func (h *header) size() int {
	columns, rows := h.stored()
	if h.Confidence {
		return 5 * columns * rows
	}
	return 4 * columns * rows
}

// stored returns the size of what the payload has.
func (h *header) stored() (columns, rows int) {
	return cells(h.Width, h.Cell), cells(h.Height, h.Cell)
}

// pack returns the packed form of a payload.
func pack(payload []byte, h *header) []byte {
	width, height := h.stored()
	n := width * height
	planes := make([]byte, len(payload))
	for c := range 2 {
		low, high := planes[2*c*n:], planes[(2*c+1)*n:]
		for i, left := 0, uint16(0); i < n; i++ {
			if i%width == 0 {
				left = 0
			}
			b := binary.LittleEndian.Uint16(payload[4*i+2*c:])
			d := b - left
			d = d<<1 ^ -(d >> 15)
			low[i], high[i], left = byte(d), byte(d>>8), b
		}
	}
	left := byte(0)
	for i := 4 * n; i < len(payload); i++ {
		planes[i], left = payload[i]-left, payload[i]
	}
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, flate.BestSpeed) // the level is valid, and a Buffer does not fail
	_, _ = w.Write(planes)
	_ = w.Close()
	return out.Bytes()
}

// unpack is the inverse of pack.
func unpack(packed []byte, h *header) ([]byte, error) {
	width, height := h.stored()
	n := width * height
	planes := make([]byte, h.size())
	r := flate.NewReader(bytes.NewReader(packed))
	if _, err := io.ReadFull(r, planes); err != nil {
		return nil, fmt.Errorf("%w: %w", errPacket, err)
	}
	payload := make([]byte, len(planes))
	for c := range 2 {
		low, high := planes[2*c*n:], planes[(2*c+1)*n:]
		for i, left := 0, uint16(0); i < n; i++ {
			if i%width == 0 {
				left = 0
			}
			d := uint16(low[i]) | uint16(high[i])<<8
			left += d>>1 ^ -(d & 1)
			binary.LittleEndian.PutUint16(payload[4*i+2*c:], left)
		}
	}
	left := byte(0)
	for i := 4 * n; i < len(planes); i++ {
		left += planes[i]
		payload[i] = left
	}
	return payload, nil
}
