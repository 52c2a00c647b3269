package flowfile

import (
	"errors"
	"strings"
	"testing"
)

func TestFormats(t *testing.T) {
	extensions := map[string]Format{}
	for _, f := range Formats() {
		if other, ok := extensions[f.Extension()]; ok {
			t.Errorf("%s and %s have the same extension", f, other)
		}
		extensions[f.Extension()] = f
		if got, err := ParseFormat(string(f)); got != f || err != nil {
			t.Errorf("ParseFormat(%q) returned %q, %v", f, got, err)
		}
		if got, err := FormatOf("a/b.c" + strings.ToUpper(f.Extension())); got != f || err != nil {
			t.Errorf("FormatOf with %s returned %q, %v", f.Extension(), got, err)
		}
		if f.Description() == "" || strings.Contains(f.Description(), "\n") {
			t.Errorf("%s has the description %q", f, f.Description())
		}
	}
	if _, err := ParseFormat("gif"); !errors.Is(err, ErrUnknownFormat) || !strings.Contains(err.Error(), "flo, flo5, kitti, exr, npy, pfm") {
		t.Errorf("ParseFormat of an unknown name returned %v", err)
	}
	if _, err := FormatOf("a.gif"); !errors.Is(err, ErrUnknownFormat) || !strings.Contains(err.Error(), ".flo .flo5 .png .exr .npy .pfm") {
		t.Errorf("FormatOf an unknown extension returned %v", err)
	}
	if f := Format("gif"); f.Extension() != "" || f.Description() != "" {
		t.Errorf("an unknown format has extension %q and description %q", f.Extension(), f.Description())
	}
}

// TestEXRChannels selects the channels of the flow from lists of channels. Each channel has two bytes per pixel, so the
// offset of channel i is 2*i.
func TestEXRChannels(t *testing.T) {
	for _, c := range []struct {
		channels    string
		u, v, valid int // position in the list; -1 = none
	}{
		{"u v", 0, 1, -1},
		{"u v valid", 0, 1, 2},
		{"A B G R", 3, 2, -1},
		{"backward.u backward.v backward.valid forward.u forward.v forward.valid", 3, 4, 5},
		{"backward.u backward.v forward.u forward.v left.valid", 2, 3, -1},
		{"Z backward.u backward.v backward.valid", 1, 2, 3},
		{"forward.x forward.y", 0, 1, -1},
		{"R G a.u a.v", 2, 3, -1},
		{"backward.u forward.v", -1, -1, -1}, // components of different layers are no flow
		{"Z", -1, -1, -1},
	} {
		var list []byte
		for _, name := range strings.Fields(c.channels) {
			list = append(list, name+"\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00"...)
		}
		var l exrLayout
		err := l.parseChannels(map[string][]byte{"channels": append(list, 0)})
		if c.u < 0 {
			if !errors.Is(err, ErrFormat) {
				t.Errorf("%s: %v", c.channels, err)
			}
			continue
		}
		valid := -1
		if l.valid != nil {
			valid = l.valid.offset / 2
		}
		if err != nil || l.u.offset != 2*c.u || l.v.offset != 2*c.v || valid != c.valid {
			t.Errorf("%s: u %d, v %d, valid %d, %v", c.channels, l.u.offset/2, l.v.offset/2, valid, err)
		}
	}
}
