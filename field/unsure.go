package field

// DropUnsure makes the flow unknown where the field's confidence is below least, which lies in (0, 1]. A field without
// confidence stays as it is.
func (f *Field) DropUnsure(least float32) {
	for i, c := range f.Confidence {
		if c < least {
			f.Vectors[2*i], f.Vectors[2*i+1] = Unknown(), Unknown()
		}
	}
}
