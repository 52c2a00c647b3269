package visualize

import "math"

// The Middlebury colour wheel (Baker et al., A Database and Evaluation Methodology for Optical Flow,
// IJCV 2011): 55 colours in six segments. Right is red, down yellow, left cyan, up violet-blue.
var segments = [...]struct{ from, to, length int }{ // from and to have red, green and blue in bits 2, 1, 0
	{0b100, 0b110, 15}, // red to yellow
	{0b110, 0b010, 6},  // yellow to green
	{0b010, 0b011, 4},  // green to cyan
	{0b011, 0b001, 11}, // cyan to blue
	{0b001, 0b101, 13}, // blue to magenta
	{0b101, 0b100, 6},  // magenta to red
}

const colours = 55

var wheel = func() (w [colours][3]float64) {
	k := 0
	for _, s := range segments {
		for i := range s.length {
			for c := range 3 {
				a, b := float64(s.from>>(2-c)&1), float64(s.to>>(2-c)&1)
				// Whole levels, like the reference code.
				w[k][c] = math.Floor(255*a + (b-a)*math.Floor(255*float64(i)/float64(s.length)))
			}
			k++
		}
	}
	return w
}()

// rim returns the colour of the wheel's rim, in levels 0 to 255, for a direction in radians, clockwise on the screen from
// the right.
//
// The reference code spreads the circle over 54 of the 55 steps, which leaves a jump at flow to the right. Here the last
// colour blends into the first, so the wheel has no seam. The largest difference to the reference is one step of the
// wheel, just above the axis to the right.
func rim(angle float64) (c [3]float64) {
	k := angle / (2 * math.Pi) * colours
	k -= colours * math.Floor(k/colours)
	low := int(k) % colours
	high := (low + 1) % colours
	f := k - math.Floor(k)
	for i := range c {
		c[i] = wheel[low][i] + f*(wheel[high][i]-wheel[low][i])
	}
	return c
}

// dark is the factor that darkens the rim's colour for flow longer than MaxFlow.
const dark = 0.75

// wheelColour returns the colour of the flow (u, v), in units of MaxFlow: the rim's colour, blended with white inside the
// circle and darkened outside it, or black if the flow is unknown. Painting uses the tables of fast.go, which tests and
// benchmarks compare with this formula.
func wheelColour(u, v float64) [3]uint8 {
	length := math.Sqrt(u*u + v*v)
	if math.IsNaN(length) || math.IsInf(u, 0) || math.IsInf(v, 0) {
		return [3]uint8{}
	}
	var out [3]uint8
	for i, c := range rim(math.Atan2(v, u)) {
		if length <= 1 {
			c = 255 - length*(255-c)
		} else {
			c *= dark
		}
		out[i] = uint8(math.Round(c))
	}
	return out
}

// Wheel returns the 55 colours of the wheel's rim, in equal steps of direction, clockwise on the screen from the right.
// Between two of them, and between the last and the first, levels are interpolated.
func Wheel() [][3]uint8 {
	list := make([][3]uint8, colours)
	for i, c := range wheel {
		list[i] = [3]uint8{uint8(c[0]), uint8(c[1]), uint8(c[2])}
	}
	return list
}
