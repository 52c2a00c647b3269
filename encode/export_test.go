package encode

import "testing"

// SetIndexSize changes how many bytes Join keeps for the index, until the end of a test.
func SetIndexSize(t *testing.T, fixed, perFrame int) {
	fixedBefore, perFrameBefore := indexFixed, indexPerFrame
	t.Cleanup(func() { indexFixed, indexPerFrame = fixedBefore, perFrameBefore })
	indexFixed, indexPerFrame = fixed, perFrame
}
