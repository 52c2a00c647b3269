package decode

import (
	"fmt"
	"math"
	"strings"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/internal/libav"
)

// look is all that decides how a decoded picture becomes RGB. When it changes, so does the chain.
type look struct {
	width, height int
	format        astiav.PixelFormat
	colors        libav.Colors
	interlaced    bool
}

// resolve fills in the colour tags that a stream does not state (the package comment says how).
func resolve(f *astiav.Frame) (c libav.Colors, assumed bool) {
	c = libav.ColorsOf(f)
	if libav.IsRGB(f.PixelFormat()) {
		c.Range, c.Space = libav.RangeFull, libav.SpaceRGB
		return c, false
	}
	if c.Range == 0 {
		c.Range = libav.RangeLimited
	}
	if strings.HasPrefix(f.PixelFormat().Name(), "yuvj") {
		c.Range = libav.RangeFull
	}
	hdr := isHDR(c)
	if c.Space == libav.SpaceUnknown || c.Space == libav.SpaceRGB || c.Space == 3 { // 3 is reserved
		assumed = true
		switch {
		case hdr:
			c.Space = libav.SpaceBT2020
		case f.Width() >= 1280 || f.Height() >= 720:
			c.Space = libav.SpaceBT709
		default:
			c.Space = libav.SpaceSMPTE170M
		}
	}
	if hdr && c.Primaries == libav.PrimariesUnknown {
		c.Primaries = libav.PrimariesBT2020
	}
	return c, assumed
}

func isHDR(c libav.Colors) bool {
	return c.Transfer == libav.TransferPQ || c.Transfer == libav.TransferHLG
}

func canToneMap() bool { return libav.HasFilters("zscale", "tonemap") }

// chain is the filters, in libavfilter's words, from a decoded picture to upright RGB of width x height.
// Deinterlacing comes before all that mixes rows, as fields lie in the coded rows; turning comes before RGB, as YUV is smaller.
func chain(l look, turn []string, width, height int) string {
	c := unweave(l)
	if l.interlaced {
		c = append(c, "bwdif=mode=send_frame:parity=auto:deint=interlaced")
	}
	c = append(c, turn...)
	w, h := l.width, l.height
	for _, t := range turn {
		if strings.HasPrefix(t, "transpose") {
			w, h = h, w
		}
	}
	size, flags := "", "bilinear"
	if w != width || h != height {
		size, flags = fmt.Sprintf("w=%d:h=%d:", width, height), "bicubic+accurate_rnd+full_chroma_int"
	}
	if isHDR(l.colors) && !libav.IsRGB(l.format) && canToneMap() {
		c = append(c,
			"zscale="+size+"transfer=linear:npl=203:primaries=bt709:matrix=gbr:range=full",
			"format=gbrpf32le",
			"tonemap=mobius:desat=0",
			"zscale=transfer=bt709:matrix=gbr:range=full",
			"format=gbrp",
			"format=rgb24")
		return strings.Join(c, ",")
	}
	return strings.Join(append(c, "scale="+size+"flags="+flags, "format=rgb24"), ",")
}

// upright returns the filters that undo a display matrix, the clockwise angle, and whether width and
// height change places. Only quarter turns and mirrors are undone: no camera writes others.
func upright(matrix []byte) (turn []string, angle int, swap bool) {
	if len(matrix) < 36 {
		return nil, 0, false
	}
	m, err := astiav.NewDisplayMatrixFromBytes(matrix)
	if err != nil {
		return nil, 0, false
	}
	r := m.Rotation()
	if math.IsNaN(r) {
		return nil, 0, false
	}
	at := func(i int) int32 { return int32(m[i]) }
	switch angle = ((int(math.Round(r)) % 360) + 360) % 360; angle {
	case 90:
		if at(3) > 0 {
			return []string{"transpose=cclock_flip"}, angle, true
		}
		return []string{"transpose=clock"}, angle, true
	case 270:
		if at(3) < 0 {
			return []string{"transpose=clock_flip"}, angle, true
		}
		return []string{"transpose=cclock"}, angle, true
	}
	if at(0) < 0 {
		turn = append(turn, "hflip")
	}
	if at(4) < 0 {
		turn = append(turn, "vflip")
	}
	if angle != 180 {
		angle = 0
	}
	return turn, angle, false
}
