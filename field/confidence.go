package field

// MaskBelow makes the flow unknown where the confidence is below minConfidence. It does nothing to a field without
// confidence.
func (f *Field) MaskBelow(minConfidence float32) {
	for i, c := range f.Confidence {
		if c < minConfidence {
			f.Vectors[2*i], f.Vectors[2*i+1] = Unknown(), Unknown()
		}
	}
}

// ShareBelow returns the share of pixels, 0 to 1, whose confidence is below minConfidence. These are the pixels that
// MaskBelow masks. It returns 0 for a field without confidence.
func (f *Field) ShareBelow(minConfidence float32) float64 {
	if len(f.Confidence) == 0 {
		return 0
	}
	n := 0
	for _, c := range f.Confidence {
		if c < minConfidence {
			n++
		}
	}
	return float64(n) / float64(len(f.Confidence))
}
