package batch

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wwflow/wwflow/parts"
)

// TestDeal deals videos of very different length. The parts are a partition whose lengths are about equal, whatever the
// order of the list.
func TestDeal(t *testing.T) {
	var items []*item
	total := 0.0
	for i := range 60 {
		seconds := float64(i * i % 97)
		total += seconds
		items = append(items, &item{name: fmt.Sprint(i), seconds: seconds})
	}
	const count = 4
	var first [count][]string
	for round := range 5 {
		seen := map[string]int{}
		for k := range count {
			var mine []string
			length := 0.0
			for _, it := range deal(parts.Part{Number: k + 1, Of: count}, items) {
				mine = append(mine, it.name)
				seen[it.name]++
				length += it.seconds
			}
			if length < 0.95*total/count || length > 1.05*total/count {
				t.Errorf("part %d has %v of %v seconds", k+1, length, total)
			}
			slices.Sort(mine)
			if round == 0 {
				first[k] = mine
			} else if !slices.Equal(mine, first[k]) {
				t.Errorf("part %d is %v in another order of the list, was %v", k+1, mine, first[k])
			}
		}
		if len(seen) != len(items) {
			t.Errorf("%d of %d videos are in a part", len(seen), len(items))
		}
		rand.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	}
}

// TestParts runs the parts of a batch, and then the whole: it finds everything done.
func TestParts(t *testing.T) {
	_, o := clips(t, 30, 10, 10, 11)
	var all []string
	for k := range 2 {
		part := o
		part.Part = parts.Part{Number: k + 1, Of: 2}
		ended, _, err := watched(t.Context(), part)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, fmt.Sprintf("journal of part %d", k+1), sorted(states(t, filepath.Join(o.Dir, fmt.Sprintf("wwflow-batch-%d-of-2.jsonl", k+1))))[1:2], ended[0])
		all = append(all, ended...)
	}
	equal(t, "parts", all, "a-flow.mkv done", "b-flow.mkv done", "c-flow.mkv done", "d-flow.mkv done")
	if ended, r, err := watched(t.Context(), o); err != nil || r.Skipped != 4 {
		t.Errorf("the whole after its parts: %v, %+v, %v", ended, r, err)
	}
}
