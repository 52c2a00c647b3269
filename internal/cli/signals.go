package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// signalGrace is how long a second signal is ignored: `timeout` and some service managers send theirs twice.
const signalGrace = time.Second

// SignalContext returns a context that the first SIGINT, SIGTERM or SIGHUP cancels, so that the work ends in order. A
// signal that comes later than signalGrace after it ends the program at once. A SIGHUP that nohup ignores stays ignored.
func SignalContext() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	handled := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		handled = append(handled, syscall.SIGHUP)
	}
	received := make(chan os.Signal, 1)
	signal.Notify(received, handled...)
	go func() {
		<-received
		cancel()
		time.Sleep(signalGrace)
		signal.Reset(handled...)
	}()
	return ctx
}
