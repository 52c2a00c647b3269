package field

// Visibility says whether a pixel of the first frame can be seen in the second one.
type Visibility uint8

const (
	Visible   Visibility = iota // forward and backward flow agree
	Occluded                    // they disagree: the pixel is hidden in the second frame, or its flow is wrong
	Outside                     // the flow leads out of the second frame
	Unchecked                   // the flow of the pixel, or of the place that it leads to, is unknown
)

// MaskOccluded makes the flow of occluded pixels unknown. It does nothing to a field whose visibility is not known.
func (f *Field) MaskOccluded() {
	for i, v := range f.Visibility {
		if v == Occluded {
			f.Vectors[2*i], f.Vectors[2*i+1] = Unknown(), Unknown()
		}
	}
}

// Share returns the share of pixels, 0 to 1, with that visibility; 0 if it is not known.
func (f *Field) Share(v Visibility) float64 {
	if len(f.Visibility) == 0 {
		return 0
	}
	n := 0
	for _, pixel := range f.Visibility {
		if pixel == v {
			n++
		}
	}
	return float64(n) / float64(len(f.Visibility))
}
