package flowfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
)

// exrLayout is the part of a header that matters for flow.
type exrLayout struct {
	u, v          exrChannel
	valid         *exrChannel // nil if there is none
	alpha         *exrChannel // the same; tells what is known in an STMap
	pixelBytes    int         // of all channels
	compression   byte
	top           int32 // first line of the data window
	width, height int
	yUp           bool
	stMap         bool // u and v are places, not vectors
}

func readEXRLayout(r io.Reader) (*exrLayout, error) {
	var start struct{ Magic, Version uint32 }
	if err := binary.Read(r, binary.LittleEndian, &start); err != nil {
		return nil, truncated(err)
	}
	if start.Magic != exrMagic {
		return nil, fmt.Errorf("%w: it does not begin with the signature of OpenEXR", ErrFormat)
	}
	const longNames = 0x400
	if start.Version&^uint32(longNames) != 2 {
		return nil, fmt.Errorf("%w: it is a tiled, deep or multi-part EXR: save it as single-part scan lines", ErrFormat)
	}
	attributes, err := readEXRAttributes(r)
	if err != nil {
		return nil, err
	}
	l := &exrLayout{}
	for _, parse := range []func(map[string][]byte) error{l.parseCompression, l.parseWindow, l.parseChannels, l.parseFlow} {
		if err := parse(attributes); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// readEXRAttributes returns the values of all attributes by name.
func readEXRAttributes(r io.Reader) (map[string][]byte, error) {
	attributes := map[string][]byte{}
	for left := 1 << 20; ; {
		name, err := readEXRText(r)
		if err != nil || name == "" {
			return attributes, err
		}
		kind, err := readEXRText(r)
		if err != nil {
			return nil, err
		}
		var size int32
		if err := binary.Read(r, binary.LittleEndian, &size); err != nil {
			return nil, truncated(err)
		}
		if left -= len(name) + len(kind) + int(size); size < 0 || left < 0 {
			return nil, fmt.Errorf("%w: its attribute %q has %d bytes", ErrFormat, name, size)
		}
		value := make([]byte, size)
		if _, err := io.ReadFull(r, value); err != nil {
			return nil, truncated(err)
		}
		attributes[name] = value
	}
}

// readEXRText reads a name that ends with a zero byte.
func readEXRText(r io.Reader) (string, error) {
	var name []byte
	for b := make([]byte, 1); ; {
		if _, err := io.ReadFull(r, b); err != nil {
			return "", truncated(err)
		}
		if b[0] == 0 {
			return string(name), nil
		}
		if name = append(name, b[0]); len(name) > 255 {
			return "", fmt.Errorf("%w: a name in its header is too long", ErrFormat)
		}
	}
}

func (l *exrLayout) parseCompression(attributes map[string][]byte) error {
	if value := attributes["compression"]; len(value) == 1 && exrLines[value[0]] > 0 {
		l.compression = value[0]
		return nil
	}
	return fmt.Errorf("%w: it has a compression other than none, ZIPS and ZIP: save it with ZIP", ErrFormat)
}

func (l *exrLayout) parseWindow(attributes map[string][]byte) error {
	var box struct{ X0, Y0, X1, Y1 int32 }
	if n, err := binary.Decode(attributes["dataWindow"], binary.LittleEndian, &box); err != nil || n != len(attributes["dataWindow"]) {
		return fmt.Errorf("%w: its header has no data window", ErrFormat)
	}
	width, height := int64(box.X1)-int64(box.X0)+1, int64(box.Y1)-int64(box.Y0)+1
	l.top, l.width, l.height = box.Y0, int(width), int(height)
	return checkSize(width, height)
}

// parseFlow reads the attributes that this package writes. They are optional.
func (l *exrLayout) parseFlow(attributes map[string][]byte) error {
	switch axis := string(attributes[exrAxis]); axis {
	case "", exrDown:
	case exrUp:
		l.yUp = true
	default:
		return fmt.Errorf("%w: its axes are %q; %q and %q are supported", ErrFormat, axis, exrDown, exrUp)
	}
	if unit := string(attributes[exrUnit]); unit == exrNormalised {
		l.stMap = true
	} else if unit != "" && !strings.HasPrefix(unit, "pixels") {
		return fmt.Errorf("%w: its unit is %q; pixels are supported", ErrFormat, unit)
	}
	return nil
}

// parseChannels finds the channels of the flow.
func (l *exrLayout) parseChannels(attributes map[string][]byte) error {
	list := attributes["channels"]
	layers, names := []string{}, []string{}
	floats := map[string]exrChannel{} // by layer and name, in lower case
	for len(list) > 1 {
		end := bytes.IndexByte(list, 0)
		if end < 0 || len(list) < end+17 {
			return fmt.Errorf("%w: its list of channels is damaged", ErrFormat)
		}
		name, rest := string(list[:end]), list[end+1:]
		kind := binary.LittleEndian.Uint32(rest)
		if exrBytes[kind] == 0 || binary.LittleEndian.Uint32(rest[8:]) != 1 || binary.LittleEndian.Uint32(rest[12:]) != 1 {
			return fmt.Errorf("%w: its channel %q is subsampled or of an unknown type", ErrFormat, name)
		}
		dot := strings.LastIndexByte(name, '.') + 1
		if !slices.Contains(layers, name[:dot]) {
			layers = append(layers, name[:dot])
		}
		if kind != exrUint {
			floats[name[:dot]+strings.ToLower(name[dot:])] = exrChannel{l.pixelBytes, kind == exrHalf}
		}
		l.pixelBytes += exrBytes[kind]
		if names = append(names, name); len(names) > 64 {
			return fmt.Errorf("%w: it has more than 64 channels", ErrFormat)
		}
		list = rest[16:]
	}
	if l.chooseChannels(floats, layers) {
		return nil
	}
	return fmt.Errorf("%w: none of its channels %q are u and v, x and y, or r and g", ErrFormat, names)
}

// chooseChannels takes both components from one layer. Forward flow comes first: in a file with both directions it is
// the flow of the frame that the file is named after.
func (l *exrLayout) chooseChannels(floats map[string]exrChannel, layers []string) bool {
	slices.SortStableFunc(layers, func(a, b string) int {
		rank := map[string]int{"forward.": -1}
		return rank[a] - rank[b]
	})
	for _, pair := range []string{"uv", "xy", "rg"} {
		for _, layer := range layers {
			u, ok1 := floats[layer+pair[:1]]
			v, ok2 := floats[layer+pair[1:]]
			if !ok1 || !ok2 {
				continue
			}
			l.u, l.v = u, v
			for _, name := range []string{layer + "valid", strings.TrimSuffix(layer, ".") + "_mask.valid"} {
				if valid, ok := floats[name]; ok {
					l.valid = &valid
					break
				}
			}
			if alpha, ok := floats[layer+"a"]; ok {
				l.alpha = &alpha
			}
			return true
		}
	}
	return false
}
