// Command wwflow turns a video into its optical flow.
package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/wwflow/wwflow/internal/cli"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // a closed stdout does not abort the run
	ctx := cli.SignalContext()
	os.Exit(cli.Main(ctx, os.Args))
}
