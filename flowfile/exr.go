package flowfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/internal/half"
)

// OpenEXR for compositing programs: two channels of 32-bit floats, single-part scan lines, ZIP. The channels are
// "forward.u" and "forward.v", or "backward.u" and "backward.v" as the field's Direction says, and "u" and "v" where
// that is unknown; the header states the same and the unit and the axes in three text attributes. Unknown flow is NaN.
//
// Read are files without compression, with ZIPS or with ZIP, of 16-bit or 32-bit floats, whose channels end in u and v, in
// x and y, or in r and g. Where the header says that y points up, v is turned over.
const (
	exrMagic     = 20000630
	exrDirection = "flowDirection"
	exrUnit      = "flowUnit"
	exrAxis      = "flowAxis"
	exrPixels    = "pixels of the data window, from this frame to the other"
	exrDown      = "x right, y down"
	exrUp        = "x right, y up"
)

// The values of EXR's compression attribute that are understood here, and how many lines they put into one block.
const (
	exrNone = 0
	exrZIPS = 2
	exrZIP  = 3
)

var exrLines = map[byte]int{exrNone: 1, exrZIPS: 1, exrZIP: 16}

func writeEXR(w io.Writer, f *field.Field) error {
	var h bytes.Buffer
	u32 := func(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }
	attribute := func(name, kind string, value []byte) {
		h.WriteString(name + "\x00" + kind + "\x00")
		h.Write(u32(uint32(len(value))))
		h.Write(value)
	}
	h.Write(u32(exrMagic))
	h.Write(u32(2)) // the version, and no flags: single-part scan lines

	layer := ""
	if d := f.Direction(); d != "unknown" {
		layer = d + "."
	}
	var channels []byte
	for _, name := range []string{"u", "v"} {
		channels = append(channels, layer+name+"\x00"...)
		channels = append(channels, u32(2)...) // 32-bit float
		channels = append(channels, 0, 0, 0, 0)
		channels = append(channels, append(u32(1), u32(1)...)...) // no subsampling
	}
	one := u32(math.Float32bits(1))
	window := append(make([]byte, 8), append(u32(uint32(f.Width-1)), u32(uint32(f.Height-1))...)...)
	attribute("channels", "chlist", append(channels, 0))
	attribute("compression", "compression", []byte{exrZIP})
	attribute("dataWindow", "box2i", window)
	attribute("displayWindow", "box2i", window)
	attribute(exrAxis, "string", []byte(exrDown))
	attribute(exrDirection, "string", []byte(f.Direction()))
	attribute(exrUnit, "string", []byte(exrPixels))
	attribute("lineOrder", "lineOrder", []byte{0})
	attribute("pixelAspectRatio", "float", one)
	attribute("screenWindowCenter", "v2f", make([]byte, 8))
	attribute("screenWindowWidth", "float", one)
	h.WriteByte(0)

	lines := exrLines[exrZIP]
	count := (f.Height + lines - 1) / lines
	blocks, err := exrPack(tidy(f.Vectors), f.Width, f.Height, lines, count)
	if err != nil {
		return err
	}
	at := uint64(h.Len() + 8*count)
	for _, b := range blocks {
		h.Write(binary.LittleEndian.AppendUint64(nil, at))
		at += uint64(8 + len(b))
	}
	for i, b := range blocks {
		h.Write(u32(uint32(i * lines)))
		h.Write(u32(uint32(len(b))))
		h.Write(b)
	}
	_, err = h.WriteTo(w)
	return err
}

// exrHeader is what a header says, as far as flow goes.
type exrHeader struct {
	u, v           exrChannel
	lineBytes      int // of all channels
	compression    byte
	top            int32
	width, height  int64
	yUp, hasWindow bool
	hasChannels    bool
}

type exrChannel struct {
	at   int // bytes of channels before it, for one pixel
	half bool
}

func readEXR(r io.Reader) (*field.Field, error) {
	h, err := readEXRHeader(r)
	if err != nil {
		return nil, err
	}
	lines := exrLines[h.compression]
	width, height := int(h.width), int(h.height)
	count := (height + lines - 1) / lines
	if int64(min(lines, height))*h.width*int64(h.lineBytes) > 1<<28 {
		return nil, ErrTooLarge
	}
	// Blocks say themselves which lines they hold, so the table of their places isn't needed.
	if _, err := io.CopyN(io.Discard, r, int64(count)*8); err != nil {
		return nil, cut(err)
	}
	var f *field.Field
	seen := make(map[int]bool)
	for range count {
		var block struct{ Y, Size int32 }
		if err := binary.Read(r, binary.LittleEndian, &block); err != nil {
			return nil, cut(err)
		}
		y := int(int64(block.Y) - int64(h.top))
		if y < 0 || y >= height || y%lines != 0 || seen[y] {
			return nil, fmt.Errorf("%w: it has a block for line %d", ErrFormat, block.Y)
		}
		seen[y] = true
		n := min(lines, height-y)
		want := n * width * h.lineBytes
		if block.Size < 0 || int(block.Size) > want {
			return nil, fmt.Errorf("%w: its block for line %d has %d bytes", ErrFormat, block.Y, block.Size)
		}
		packed, err := io.ReadAll(io.LimitReader(r, int64(block.Size)))
		if err != nil {
			return nil, err
		}
		if len(packed) < int(block.Size) {
			return nil, cut(io.ErrUnexpectedEOF)
		}
		if len(packed) < want {
			if h.compression == exrNone {
				return nil, cut(io.ErrUnexpectedEOF)
			}
			if packed, err = exrUnpack(packed, want); err != nil {
				return nil, fmt.Errorf("%w: its block for line %d: %w", ErrFormat, block.Y, err)
			}
		}
		if f == nil {
			f = field.New(width, height)
		}
		for k := range n {
			h.line(packed[k*width*h.lineBytes:], f.Vectors[2*width*(y+k):][:2*width])
		}
	}
	f.Vectors = tidy(f.Vectors)
	return f, nil
}

// line takes u and v out of a line, where each channel has all its pixels together.
func (h *exrHeader) line(b []byte, vectors []float32) {
	width := len(vectors) / 2
	for i, c := range []exrChannel{h.u, h.v} {
		sign := float32(1)
		if i == 1 && h.yUp {
			sign = -1
		}
		row := b[c.at*width:]
		for x := range width {
			if c.half {
				vectors[2*x+i] = sign * half.From(binary.LittleEndian.Uint16(row[2*x:]))
			} else {
				vectors[2*x+i] = sign * math.Float32frombits(binary.LittleEndian.Uint32(row[4*x:]))
			}
		}
	}
}

func readEXRHeader(r io.Reader) (*exrHeader, error) {
	var start struct{ Magic, Version uint32 }
	if err := binary.Read(r, binary.LittleEndian, &start); err != nil {
		return nil, cut(err)
	}
	if start.Magic != exrMagic {
		return nil, fmt.Errorf("%w: it doesn't begin with the mark of OpenEXR", ErrFormat)
	}
	if start.Version&^uint32(0x400) != 2 { // 0x400: names may be long
		return nil, fmt.Errorf("%w: it is a tiled, deep or multi-part EXR: save it as single-part scan lines", ErrFormat)
	}
	h := &exrHeader{compression: 255}
	for left := 1 << 20; ; {
		name, err := exrText(r)
		if err != nil || name == "" {
			if err == nil {
				err = h.check()
			}
			return h, err
		}
		kind, err := exrText(r)
		if err != nil {
			return nil, err
		}
		var size int32
		if err := binary.Read(r, binary.LittleEndian, &size); err != nil {
			return nil, cut(err)
		}
		if left -= len(name) + len(kind) + int(size); size < 0 || left < 0 {
			return nil, fmt.Errorf("%w: its attribute %q has %d bytes", ErrFormat, name, size)
		}
		value := make([]byte, size)
		if _, err := io.ReadFull(r, value); err != nil {
			return nil, cut(err)
		}
		if err := h.attribute(name, value); err != nil {
			return nil, err
		}
	}
}

func (h *exrHeader) attribute(name string, value []byte) error {
	switch name {
	case "channels":
		h.hasChannels = true
		return h.channels(value)
	case "compression":
		if len(value) == 1 {
			h.compression = value[0]
		}
	case "dataWindow":
		var box struct{ X0, Y0, X1, Y1 int32 }
		if err := binary.Read(bytes.NewReader(value), binary.LittleEndian, &box); err != nil {
			return cut(err)
		}
		h.top, h.hasWindow = box.Y0, true
		h.width, h.height = int64(box.X1)-int64(box.X0)+1, int64(box.Y1)-int64(box.Y0)+1
	case exrAxis:
		switch string(value) {
		case exrDown:
		case exrUp:
			h.yUp = true
		default:
			return fmt.Errorf("%w: its axes are %q; %q and %q are understood", ErrFormat, value, exrDown, exrUp)
		}
	case exrUnit:
		if !strings.HasPrefix(string(value), "pixels") {
			return fmt.Errorf("%w: its unit is %q; pixels are understood", ErrFormat, value)
		}
	}
	return nil
}

// channels finds the two of the flow in the list.
func (h *exrHeader) channels(list []byte) error {
	found := map[string]exrChannel{}
	var names []string
	for len(list) > 1 {
		end := bytes.IndexByte(list, 0)
		if end < 0 || len(list) < end+17 {
			return fmt.Errorf("%w: its list of channels is damaged", ErrFormat)
		}
		name, rest := string(list[:end]), list[end+1:]
		kind := binary.LittleEndian.Uint32(rest)
		if kind > 2 || binary.LittleEndian.Uint32(rest[8:]) != 1 || binary.LittleEndian.Uint32(rest[12:]) != 1 {
			return fmt.Errorf("%w: its channel %q is subsampled or of an unknown type", ErrFormat, name)
		}
		if kind != 0 { // integers are no flow
			found[strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])] = exrChannel{h.lineBytes, kind == 1}
		}
		names = append(names, name)
		h.lineBytes += map[uint32]int{0: 4, 1: 2, 2: 4}[kind]
		list = rest[16:]
		if len(names) > 64 {
			return fmt.Errorf("%w: it has more than 64 channels", ErrFormat)
		}
	}
	for _, pair := range []string{"uv", "xy", "rg"} {
		u, ok1 := found[pair[:1]]
		v, ok2 := found[pair[1:]]
		if ok1 && ok2 {
			h.u, h.v = u, v
			return nil
		}
	}
	return fmt.Errorf("%w: none of its channels %q are u and v, x and y, or r and g", ErrFormat, names)
}

func (h *exrHeader) check() error {
	if !h.hasChannels || !h.hasWindow {
		return fmt.Errorf("%w: its header has no channels or no data window", ErrFormat)
	}
	if _, ok := exrLines[h.compression]; !ok {
		return fmt.Errorf("%w: it has a compression other than none, ZIPS and ZIP: save it with ZIP", ErrFormat)
	}
	return checkSize(h.width, h.height)
}

// exrText reads a name that ends in a zero.
func exrText(r io.Reader) (string, error) {
	var name []byte
	for b := make([]byte, 1); ; {
		if _, err := io.ReadFull(r, b); err != nil {
			return "", cut(err)
		}
		if b[0] == 0 {
			return string(name), nil
		}
		if name = append(name, b[0]); len(name) > 255 {
			return "", fmt.Errorf("%w: a name in its header is too long", ErrFormat)
		}
	}
}
