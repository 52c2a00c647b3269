package visualize

import (
	"runtime"
	"sync"
)

// eachRow calls f once for every row, from several goroutines. Each goroutine has a block of adjacent rows.
func eachRow(height, threads int, f func(y int)) {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	threads = min(threads, height)
	var wg sync.WaitGroup
	for t := range threads {
		wg.Go(func() {
			for y := t * height / threads; y < (t+1)*height/threads; y++ {
				f(y)
			}
		})
	}
	wg.Wait()
}
