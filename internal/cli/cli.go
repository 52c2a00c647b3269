// Package cli is the command line of wwflow: one file for each command, and what they share.
//
// A command reads its flags, calls a package that does the work, and prints what came of it. Main turns the error of a
// command into a message and an exit code.
package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
	"github.com/xrash/smetrics"
)

// Main runs the program with its arguments, the program's name first, and returns its exit code.
func Main(ctx context.Context, args []string) int {
	app := newApp()
	parsed, err := flagsFirst(app, args)
	if err == nil {
		err = app.RunContext(ctx, parsed)
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	switch {
	case err != nil && asksJSON(args):
		printErrorJSON(os.Stdout, err)
	case err != nil:
		printError(os.Stderr, err)
	}
	return exitCode(err)
}

// newApp returns the command tree.
func newApp() *cli.App {
	cli.VersionFlag = &cli.BoolFlag{Name: "version", Aliases: []string{"v"}, Usage: "print the version", DisableDefaultText: true}
	app := &cli.App{
		Name:        "wwflow",
		Usage:       "turn a video into its optical flow",
		Description: textExitCodes,
		Version:     Version(),
		Commands: []*cli.Command{
			runCommand(), joinCommand(), retimeCommand(), batchCommand(), pairCommand(), infoCommand(), convertCommand(), warpCommand(), viewCommand(),
			statsCommand(), plotCommand(), springCommand(), evalCommand(), benchCommand(), doctorCommand(), helpCommand(), versionCommand(),
			completionCommand(), manCommand(),
		},
		Flags:           []cli.Flag{cli.HelpFlag}, // cli adds it only where there is no command help
		HideHelpCommand: true,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return unknownCommand(c.App, c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
		OnUsageError:              wrongUsage,
		ExitErrHandler:            func(*cli.Context, error) {}, // Main prints the error and sets the exit code
		DisableSliceFlagSeparator: true,
	}
	forEach(app.Commands, func(c *cli.Command) {
		c.HideHelpCommand, c.OnUsageError = true, wrongUsage
		for _, f := range c.Flags {
			if b, ok := f.(*cli.BoolFlag); ok {
				b.DisableDefaultText = true
			}
		}
	})
	return app
}

// forEach calls f for the commands and their subcommands.
func forEach(commands []*cli.Command, f func(*cli.Command)) {
	for _, c := range commands {
		f(c)
		forEach(c.Subcommands, f)
	}
}

func wrongUsage(c *cli.Context, err error, _ bool) error {
	if name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); ok {
		return unknownFlag(c, strings.TrimLeft(name, "-"))
	}
	return usagef("%w", err)
}

// unknownCommand suggests the command with the most similar name.
func unknownCommand(app *cli.App, name string) error {
	err := usagef("there is no command %q", name)
	var similar string
	if _, scanned := fmt.Sscanf(cli.SuggestCommand(app.Commands, name), "Did you mean %q?", &similar); scanned == nil && isSimilar(name, similar) {
		return withHint(err, "wwflow "+similar)
	}
	return err
}

// isSimilar reports whether a suggestion is worth showing: cli suggests the most similar name however unlike it is.
func isSimilar(a, b string) bool {
	edits := smetrics.WagnerFischer(a, b, 1, 1, 1)
	return b != "" && (strings.HasPrefix(b, a) || edits <= 2 && edits < len(a))
}

// unknownFlag suggests the flag with the most similar name, or how to name a file that begins with a dash.
func unknownFlag(c *cli.Context, name string) error {
	if _, err := os.Lstat("-" + name); err == nil {
		return withHint(usagef("there is no flag -%s", name), "./-"+name+" for the file of that name, or -- before it")
	}
	err := usagef("there is no flag %s", dashed(name))
	if c.Command == nil || len(c.Command.Flags) == 0 {
		return err
	}
	if similar := cli.SuggestFlag(c.Command.Flags, name, true); isSimilar(name, strings.TrimLeft(similar, "-")) {
		return withHint(err, similar)
	}
	return err
}

// asksJSON reports whether a command line has --json, in any form that the flag package takes. It also finds the flag
// on a command line that could not be parsed.
func asksJSON(args []string) bool {
	return slices.ContainsFunc(args, func(a string) bool {
		name, value, set := strings.Cut(a, "=")
		yes, _ := strconv.ParseBool(value)
		return (name == "--json" || name == "-json") && (yes || !set)
	})
}

// flagsFirst moves a command's flags before its arguments, so that both `run in.mp4 --force` and `run --force in.mp4`
// work: the flag package stops at the first argument. `--export exr DIR` of run, the one flag with two values,
// becomes `--export exr=DIR`. Nothing after "--" is moved. A flag whose value is missing or
// empty is an error, and so is an empty argument.
func flagsFirst(app *cli.App, args []string) ([]string, error) {
	command, depth := findCommand(app, args)
	if command == nil {
		return args, nil
	}
	takesValue := func(name string) bool {
		f := findFlag(command, name)
		_, isBool := f.(*cli.BoolFlag)
		return f != nil && !isBool
	}
	isFlag := func(a string) bool {
		name, _, _ := strings.Cut(strings.TrimLeft(a, "-"), "=")
		return strings.HasPrefix(a, "-") && findFlag(command, name) != nil
	}
	flags, rest := slices.Clone(args[:depth]), []string{}
	for i := depth; i < len(args); i++ {
		a := args[i]
		name, value, hasValue := strings.Cut(strings.TrimLeft(a, "-"), "=")
		switch {
		case a == "--help" || a == "-h":
			return append(flags[:depth:depth], a), nil // cli takes an argument behind it for a topic
		case a == "--":
			rest = append(rest, args[i+1:]...)
			i = len(args)
		case a == "":
			return nil, withHint(usagef("argument %d is empty", len(rest)+1), "the name of a file, or check the variable that it comes from")
		case !strings.HasPrefix(a, "-") || a == "-":
			rest = append(rest, a)
		case hasValue && value == "" && takesValue(name):
			return nil, emptyValue(strings.TrimSuffix(a, "="))
		case hasValue || !takesValue(name):
			flags = append(flags, a)
		case i+1 == len(args) || isFlag(args[i+1]):
			return nil, usagef("%s needs a value", a)
		case args[i+1] == "":
			return nil, emptyValue(a)
		case name == "export" && command.Name != "batch" && i+2 < len(args) && !strings.Contains(args[i+1], "="):
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

func emptyValue(flag string) error {
	return withHint(usagef("the value of %s is empty", flag), "leave the flag out for its default, or check the variable that the value comes from")
}

// findCommand returns the command that the arguments name, and the number of arguments that name it; nil for none.
func findCommand(app *cli.App, args []string) (*cli.Command, int) {
	command, depth := (*cli.Command)(nil), 1
	for list := app.Commands; depth < len(args); depth++ {
		i := slices.IndexFunc(list, func(c *cli.Command) bool { return c.HasName(args[depth]) })
		if i < 0 {
			break
		}
		command, list = list[i], list[i].Subcommands
	}
	return command, depth
}

func findFlag(command *cli.Command, name string) cli.Flag {
	i := slices.IndexFunc(command.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
	if i < 0 {
		return nil
	}
	return command.Flags[i]
}
