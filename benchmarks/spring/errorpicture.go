package spring

import (
	"image"
	"image/color"
	"math"
)

// errorColours are the colours of the benchmark's error pictures: from errors of at most 1/32 pixel to errors of at least
// 32 pixels, in equal steps of the logarithm.
var errorColours = [...][3]float64{
	{39, 40, 148}, {49, 53, 148}, {69, 116, 180}, {115, 173, 209}, {171, 216, 233}, {223, 242, 248},
	{254, 223, 144}, {253, 173, 96}, {243, 108, 67}, {215, 48, 38}, {165, 0, 38},
}

// errorPicture paints endpoint errors in the colours of the benchmark's site: blue below one pixel, yellow to red above,
// black where the error is NaN. errs holds the errors in pixels, row by row.
func errorPicture(errs []float32, width int) image.Image {
	palette := color.Palette{color.RGBA{A: 255}}
	const shades = 255
	for i := range shades {
		at := float64(i) / (shades - 1) * float64(len(errorColours)-1)
		k := min(int(at), len(errorColours)-2)
		var c [3]uint8
		for n := range c {
			a, b := errorColours[k][n], errorColours[k+1][n]
			c[n] = uint8(math.Round(a + (b-a)*(at-float64(k))))
		}
		palette = append(palette, color.RGBA{c[0], c[1], c[2], 255})
	}
	m := image.NewPaletted(image.Rect(0, 0, width, len(errs)/width), palette)
	for i, e := range errs {
		if e == e {
			at := (math.Log2(max(float64(e), 1.0/64)) + 5) / 10
			m.Pix[i] = uint8(1 + math.Round((shades-1)*min(max(at, 0), 1)))
		}
	}
	return m
}
