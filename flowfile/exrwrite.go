package flowfile

import (
	"bytes"
	"encoding/binary"
	"io"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/internal/half"
)

// exrImage is an EXR file to write: single-part scan lines with ZIP compression.
type exrImage struct {
	width, height int
	planes        []exrPlane
	text          map[string]string // attributes
}

// exrPlane is a channel of exrImage.
type exrPlane struct {
	name  string
	kind  uint32            // exrFloat or exrHalf
	value func(int) float32 // of a pixel, by its index
}

func (m *exrImage) add(name string, kind uint32, value func(int) float32) {
	m.planes = append(m.planes, exrPlane{name, kind, value})
}

// addVisibility adds channels for what a field has beside its vectors if it was estimated in both directions: occluded and
// outside, 1 where it holds, and the confidence.
func (m *exrImage) addVisibility(layer string, f *field.Field) {
	if f.Visibility == nil {
		return
	}
	m.add(layer+"occluded", exrHalf, func(i int) float32 { return one(f.Visibility[i] == field.Occluded) })
	m.add(layer+"outside", exrHalf, func(i int) float32 { return one(f.Visibility[i] == field.Outside) })
	if f.Confidence != nil {
		m.add(layer+"confidence", exrFloat, func(i int) float32 { return f.Confidence[i] })
	}
}

func (m *exrImage) write(w io.Writer) error {
	// The format demands alphabetical order.
	slices.SortFunc(m.planes, func(a, b exrPlane) int { return strings.Compare(a.name, b.name) })
	lines := exrLines[exrZIP]
	blocks, err := m.pack(lines)
	if err != nil {
		return err
	}
	h := m.header()
	at := uint64(len(h) + 8*len(blocks))
	for _, b := range blocks {
		h = binary.LittleEndian.AppendUint64(h, at)
		at += uint64(8 + len(b))
	}
	if _, err := w.Write(h); err != nil {
		return err
	}
	for i, b := range blocks {
		head := binary.LittleEndian.AppendUint32(nil, uint32(i*lines))
		head = binary.LittleEndian.AppendUint32(head, uint32(len(b)))
		if _, err := w.Write(append(head, b...)); err != nil {
			return err
		}
	}
	return nil
}

// header returns the bytes before the table of block offsets.
func (m *exrImage) header() []byte {
	var h bytes.Buffer
	u32 := func(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }
	attribute := func(name, kind string, value []byte) {
		h.WriteString(name + "\x00" + kind + "\x00")
		h.Write(u32(uint32(len(value))))
		h.Write(value)
	}
	var channels []byte
	for _, p := range m.planes {
		channels = append(channels, p.name+"\x00"...)
		for _, v := range []uint32{p.kind, 0, 1, 1} { // type, flags, no subsampling
			channels = append(channels, u32(v)...)
		}
	}
	unit := u32(math.Float32bits(1))
	window := append(make([]byte, 8), append(u32(uint32(m.width-1)), u32(uint32(m.height-1))...)...)

	h.Write(u32(exrMagic))
	h.Write(u32(2)) // version 2, no flags: single-part scan lines
	attribute("channels", "chlist", append(channels, 0))
	attribute("compression", "compression", []byte{exrZIP})
	attribute("dataWindow", "box2i", window)
	attribute("displayWindow", "box2i", window)
	for _, name := range slices.Sorted(maps.Keys(m.text)) {
		attribute(name, "string", []byte(m.text[name]))
	}
	attribute("lineOrder", "lineOrder", []byte{0})
	attribute("pixelAspectRatio", "float", unit)
	attribute("screenWindowCenter", "v2f", make([]byte, 8))
	attribute("screenWindowWidth", "float", unit)
	h.WriteByte(0)
	return h.Bytes()
}

// pack returns the compressed blocks, computed on every core.
func (m *exrImage) pack(lines int) ([][]byte, error) {
	blocks := make([][]byte, (m.height+lines-1)/lines)
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range blocks {
		group.Go(func() error {
			plain := m.plain(i*lines, min((i+1)*lines, m.height))
			packed, err := exrDeflate(plain)
			if len(packed) >= len(plain) {
				packed = plain // the format marks an uncompressed block by its size
			}
			blocks[i] = packed
			return err
		})
	}
	return blocks, group.Wait()
}

// plain returns the lines from top to bottom. Each holds all values of its first channel, then all of the next one.
func (m *exrImage) plain(top, bottom int) []byte {
	size := 0
	for _, p := range m.planes {
		size += exrBytes[p.kind]
	}
	plain := make([]byte, 0, size*m.width*(bottom-top))
	for y := top; y < bottom; y++ {
		for _, p := range m.planes {
			for i := y * m.width; i < (y+1)*m.width; i++ {
				v := p.value(i)
				if p.kind == exrHalf {
					plain = binary.LittleEndian.AppendUint16(plain, half.Bits(v))
				} else {
					plain = binary.LittleEndian.AppendUint32(plain, math.Float32bits(v))
				}
			}
		}
	}
	return plain
}
