package batch

import (
	"cmp"
	"slices"

	"github.com/wwflow/wwflow/parts"
)

// suffix is the part in file names.
func suffix(p parts.Part) string {
	if p.Of == 0 {
		return ""
	}
	return "-" + p.Name()
}

// deal returns the items of a part, in their order. Each item, from the longest to the shortest, goes to the part that is
// shortest so far. Equal lengths are dealt in the order of the output names, so the order of the list does not matter.
func deal(p parts.Part, items []*item) []*item {
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
