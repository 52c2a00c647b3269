package decode

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/internal/libav"
)

// filterInput is everything that determines the filters between a decoded picture and an RGB frame.
type filterInput struct {
	width, height int
	format        astiav.PixelFormat
	colors        libav.Colors
	turn          orientation
	interlaced    bool
}

func filterInputOf(f *astiav.Frame, turn orientation, interlaced bool) filterInput {
	colors, _ := completeColors(f)
	return filterInput{f.Width(), f.Height(), f.PixelFormat(), colors, turn, interlaced}
}

func (in filterInput) uprightSize() (width, height int) {
	if in.turn.swapped() {
		return in.height, in.width
	}
	return in.width, in.height
}

// completeColors returns the colour tags of a picture. Tags that it does not state are chosen as the package comment
// says; assumed reports whether this includes the matrix.
func completeColors(f *astiav.Frame) (c libav.Colors, assumed bool) {
	c = libav.ColorsOf(f)
	if libav.IsRGB(f.PixelFormat()) {
		c.Range, c.Space = libav.RangeFull, libav.SpaceRGB
		return c, false
	}
	switch {
	case strings.HasPrefix(f.PixelFormat().Name(), "yuvj"), c.Range == 0 && libav.IsGray(f.PixelFormat()):
		c.Range = libav.RangeFull
	case c.Range == 0:
		c.Range = libav.RangeLimited
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

// filterSpec returns the filters, in libavfilter's syntax, from a decoded picture to upright RGB of width x height.
// Deinterlacing comes before all filters that mix rows. Turning comes before RGB, because YUV has fewer bytes.
func filterSpec(in filterInput, width, height int) string {
	c := planarFormat(in)
	if in.interlaced {
		c = append(c, "bwdif=mode=send_frame:parity=auto:deint=interlaced")
	}
	if in.turn.filters != "" {
		c = append(c, in.turn.filters)
	}
	w, h := in.uprightSize()
	size, flags := "", "bilinear"
	if w != width || h != height {
		size, flags = fmt.Sprintf("w=%d:h=%d:", width, height), "bicubic+accurate_rnd+full_chroma_int"
	}
	if isHDR(in.colors) && !libav.IsRGB(in.format) && canToneMap() {
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

// orientation turns a picture upright.
type orientation struct {
	filters string // in libavfilter's syntax; "" = none
	degrees int    // clockwise
}

func (o orientation) swapped() bool { return o.degrees%180 == 90 }

// orientationOf returns the orientation that a picture states, or otherwise the one of its stream's display matrix.
func orientationOf(f *astiav.Frame, matrix *astiav.DisplayMatrix) orientation {
	return upright(cmp.Or(libav.Matrix(f), matrix))
}

// upright returns the orientation that undoes a display matrix, which may be nil: quarter turns and mirroring. Cameras
// write no others.
func upright(m *astiav.DisplayMatrix) orientation {
	if m == nil {
		return orientation{}
	}
	r := m.Rotation()
	if math.IsNaN(r) {
		return orientation{}
	}
	at := func(i int) int32 { return int32(m[i]) }
	degrees := ((int(math.Round(r)) % 360) + 360) % 360
	switch degrees {
	case 90:
		if at(3) > 0 {
			return orientation{"transpose=cclock_flip", degrees}
		}
		return orientation{"transpose=clock", degrees}
	case 270:
		if at(3) < 0 {
			return orientation{"transpose=clock_flip", degrees}
		}
		return orientation{"transpose=cclock", degrees}
	}
	var flips []string
	if at(0) < 0 {
		flips = append(flips, "hflip")
	}
	if at(4) < 0 {
		flips = append(flips, "vflip")
	}
	if degrees != 180 {
		degrees = 0
	}
	return orientation{strings.Join(flips, ","), degrees}
}
