package batch

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/wwflow/wwflow/pipeline"
)

// Part is one of several equal shares of a batch, by length of video. The parts of the same videos are disjoint and
// together are all videos. Zero is the whole batch.
type Part struct {
	Number int // from 1
	Of     int
}

// ParsePart reads K/N.
func ParsePart(s string) (Part, error) {
	var p Part
	var rest string
	if n, _ := fmt.Sscanf(s+" ", "%d/%d%s", &p.Number, &p.Of, &rest); n != 2 {
		return Part{}, fmt.Errorf("%w: part %q is not K/N, such as 2/8", pipeline.ErrOptions, s)
	}
	return p, p.check()
}

func (p Part) check() error {
	if p != (Part{}) && (p.Of < 1 || p.Number < 1 || p.Number > p.Of) {
		return fmt.Errorf("%w: part %d/%d: K is 1 to N", pipeline.ErrOptions, p.Number, p.Of)
	}
	return nil
}

// suffix is the part in file names.
func (p Part) suffix() string {
	if p.Of == 0 {
		return ""
	}
	return fmt.Sprintf("-%d-of-%d", p.Number, p.Of)
}

// deal returns the items of a part, in their order. Each item, from the longest to the shortest, goes to the part that is
// shortest so far. Equal lengths are dealt in the order of the output names, so the order of the list does not matter.
func (p Part) deal(items []*item) []*item {
	if p.Of == 0 {
		return items
	}
	sorted := slices.SortedFunc(slices.Values(items), func(a, b *item) int {
		return cmp.Or(cmp.Compare(b.seconds, a.seconds), cmp.Compare(a.name, b.name))
	})
	lengths, counts := make([]float64, p.Of), make([]int, p.Of)
	mine := map[*item]bool{}
	for _, it := range sorted {
		to := 0
		for i := range lengths {
			// Items of unknown length are spread by count.
			if cmp.Or(cmp.Compare(lengths[i], lengths[to]), cmp.Compare(counts[i], counts[to])) < 0 {
				to = i
			}
		}
		lengths[to] += it.seconds
		counts[to]++
		mine[it] = to == p.Number-1
	}
	return slices.DeleteFunc(slices.Clone(items), func(it *item) bool { return !mine[it] })
}
