package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// signalGrace is how long a second signal is ignored: `timeout` and some service managers send theirs twice.
const signalGrace = time.Second

// Causes of a cancelled context. A program that stops a run, such as a batch scheduler, sends a signal other than Ctrl-C's
// and may start it again.
var (
	errInterrupted = errors.New("interrupted")
	errTerminated  = errors.New("stopped by a signal")
)

// SignalContext returns a context that the first SIGINT, SIGTERM, SIGHUP or SIGUSR1 cancels, so that the work ends in
// order. Its cause is errInterrupted for SIGINT and errTerminated for the others. A signal that comes later than
// signalGrace after it ends the program at once. A SIGHUP that nohup ignores stays ignored.
func SignalContext() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	handled := []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGUSR1}
	if !signal.Ignored(syscall.SIGHUP) {
		handled = append(handled, syscall.SIGHUP)
	}
	received := make(chan os.Signal, 1)
	signal.Notify(received, handled...)
	go func() {
		if <-received == os.Interrupt {
			cancel(errInterrupted)
		} else {
			cancel(errTerminated)
		}
		time.Sleep(signalGrace)
		signal.Reset(handled...)
	}()
	return ctx
}
