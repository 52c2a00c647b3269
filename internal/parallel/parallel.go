// Package parallel spreads work over the cores of the machine.
package parallel

import (
	"runtime"
	"sync"
)

// Ranges calls work, in several goroutines, for adjacent ranges [from, to) that cover 0 to n, and waits for all of them.
// threads is the number of goroutines; 0 = one per core. n may be 0.
func Ranges(n, threads int, work func(from, to int)) {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	threads = min(threads, n)
	var wait sync.WaitGroup
	for i := range threads {
		wait.Go(func() { work(n*i/threads, n*(i+1)/threads) })
	}
	wait.Wait()
}
