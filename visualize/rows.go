package visualize

import "github.com/wwflow/wwflow/internal/parallel"

// eachRow calls f once for every row, from several goroutines. Each goroutine has a block of adjacent rows.
func eachRow(height, threads int, f func(y int)) {
	parallel.Ranges(height, threads, func(from, to int) {
		for y := from; y < to; y++ {
			f(y)
		}
	})
}
