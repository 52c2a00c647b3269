// Command wwflow turns a video into its optical flow.
//
// main.go takes flags in and gives an exit code out. run.go walks a frame through the stages. Each cmd_*.go
// is one command; text.go, report.go and complain.go hold every word that the user reads.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"
	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/pairing"
)

func main() {
	// The first signal ends the work in order; after it, a second one ends the program at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)

	signal.Ignore(syscall.SIGPIPE) // who stops reading what is said stops no work

	app := newApp()
	args, err := flagsFirst(app, os.Args)
	if err == nil {
		err = app.RunContext(ctx, args)
	}
	if err != nil && ctx.Err() != nil {
		err = errInterrupted
	}
	switch {
	case err != nil && asksJSON(os.Args):
		complainJSON(os.Stdout, err)
	case err != nil:
		complain(os.Stderr, err)
	}
	os.Exit(exitCode(err))
}

func newApp() *cli.App {
	cli.VersionFlag = &cli.BoolFlag{Name: "version", Usage: "print the version", DisableDefaultText: true}
	app := &cli.App{
		Name:        "wwflow",
		Usage:       "turn a video into its optical flow",
		Description: textExitCodes,
		Version:     version(),
		Commands: []*cli.Command{
			runCommand(), pairCommand(), infoCommand(), convertCommand(), viewCommand(),
			springCommand(), evalCommand(), benchCommand(), doctorCommand(),
		},
		HideHelpCommand: true,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usagef("there is no command %q", c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
		OnUsageError:              wrongUsage,
		ExitErrHandler:            func(*cli.Context, error) {}, // main says it and sets the exit code
		DisableSliceFlagSeparator: true,
	}
	forAll(app.Commands, func(c *cli.Command) {
		c.HideHelpCommand, c.OnUsageError = true, wrongUsage
		for _, f := range c.Flags {
			if b, ok := f.(*cli.BoolFlag); ok {
				b.DisableDefaultText = true
			}
		}
	})
	return app
}

// forAll calls f for the commands and those under them.
func forAll(commands []*cli.Command, f func(*cli.Command)) {
	for _, c := range commands {
		f(c)
		forAll(c.Subcommands, f)
	}
}

func wrongUsage(_ *cli.Context, err error, _ bool) error { return usagef("%w", err) }

// What went wrong, as far as the exit code goes. A package's own errors are recognised by themselves.
var (
	errUsage       = errors.New("usage")
	errInput       = errors.New("input")
	errOutput      = errors.New("output")
	errInterrupted = errors.New("interrupted")
)

// asksJSON says whether a command line has --json, in any way in which the flag package takes it: the errors of a line that
// could not be parsed are told as it asks, too.
func asksJSON(args []string) bool {
	return slices.ContainsFunc(args, func(a string) bool {
		name, value, set := strings.Cut(a, "=")
		yes, _ := strconv.ParseBool(value)
		return (name == "--json" || name == "-json") && (yes || !set)
	})
}

// exitCode is the one place that sets the program's exit code; textExitCodes tells the user.
func exitCode(err error) int {
	var device *flow.DeviceError
	var memory *flow.MemoryError
	var size *decode.SizeError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errInterrupted):
		return 130
	case errors.Is(err, errUsage), errors.Is(err, encode.ErrUnknown), errors.Is(err, encode.ErrCodecContainer), errors.Is(err, encode.ErrOption):
		return 2
	case errors.Is(err, decode.ErrHardware), errors.Is(err, encode.ErrHardware):
		return 5
	case errors.Is(err, errOutput), errors.Is(err, encode.ErrExists), errors.Is(err, syscall.ENOSPC):
		return 4
	case errors.Is(err, flow.ErrNoRuntime), errors.Is(err, flow.ErrNetwork), errors.Is(err, flow.ErrMemory), errors.As(err, &device), errors.As(err, &memory):
		return 5
	case errors.Is(err, errInput), errors.Is(err, pairing.ErrSize), errors.Is(err, flow.ErrSize), errors.As(err, &size),
		errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return 3
	default:
		return 1
	}
}

// place says where an error belongs without adding words to it: errors.Is finds both the place and the error.
type placed struct {
	place error
	error
}

func (p *placed) Is(target error) bool { return target == p.place }
func (p *placed) Unwrap() error        { return p.error }

func place(where, err error) error {
	if err == nil {
		return nil
	}
	return &placed{where, err}
}

func usagef(format string, args ...any) error { return place(errUsage, fmt.Errorf(format, args...)) }

// flagsFirst moves a command's flags before its arguments, so that both `run in.mp4 --force` and
// `run --force in.mp4` work: the flag package behind cli stops at the first argument. `--export exr DIR`,
// the one flag with two values, becomes `--export exr=DIR`. Nothing after "--" is moved. A flag whose value is missing is an
// error here, before it takes an argument for its value.
func flagsFirst(app *cli.App, args []string) ([]string, error) {
	if len(args) < 2 {
		return args, nil
	}
	command, depth := (*cli.Command)(nil), 1
	for list := app.Commands; depth < len(args); depth++ {
		i := slices.IndexFunc(list, func(c *cli.Command) bool { return c.HasName(args[depth]) })
		if i < 0 {
			break
		}
		command, list = list[i], list[i].Subcommands
	}
	if command == nil {
		return args, nil
	}
	find := func(name string) cli.Flag {
		i := slices.IndexFunc(command.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
		if i < 0 {
			return nil
		}
		return command.Flags[i]
	}
	takesValue := func(name string) bool {
		f := find(name)
		_, bare := f.(*cli.BoolFlag)
		return f != nil && !bare
	}
	isFlag := func(a string) bool {
		name, _, _ := strings.Cut(strings.TrimLeft(a, "-"), "=")
		return strings.HasPrefix(a, "-") && find(name) != nil
	}
	flags, rest := slices.Clone(args[:depth]), []string{}
	for i := depth; i < len(args); i++ {
		a := args[i]
		name := strings.TrimLeft(a, "-")
		switch {
		case a == "--help" || a == "-h":
			return append(flags[:depth:depth], a), nil // an argument behind it would be taken for a topic
		case a == "--":
			rest = append(rest, args[i+1:]...)
			i = len(args)
		case !strings.HasPrefix(a, "-") || a == "-":
			rest = append(rest, a)
		case strings.Contains(a, "=") || !takesValue(name):
			flags = append(flags, a)
		case i+1 == len(args) || isFlag(args[i+1]):
			return nil, usagef("%s needs a value", a)
		case name == "export" && i+2 < len(args) && !strings.Contains(args[i+1], "="):
			flags = append(flags, a, args[i+1]+"="+args[i+2])
			i += 2
		default:
			flags = append(flags, a, args[i+1])
			i++
		}
	}
	// "--" keeps an argument that begins with a dash from being taken for a flag.
	if slices.ContainsFunc(rest, func(a string) bool { return strings.HasPrefix(a, "-") && a != "-" }) {
		flags = append(flags, "--")
	}
	return append(flags, rest...), nil
}
