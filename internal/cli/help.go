package cli

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

func helpCommand() *cli.Command {
	return &cli.Command{
		Name:      "help",
		Usage:     "show the help of a command",
		ArgsUsage: "[COMMAND]",
		Action: func(c *cli.Context) error {
			if !c.Args().Present() {
				return cli.ShowAppHelp(c)
			}
			command, depth := findCommand(c.App, append([]string{"wwflow"}, c.Args().Slice()...))
			if command == nil || depth <= c.NArg() {
				return unknownCommand(c.App, c.Args().Get(depth-1))
			}
			command.HelpName = "wwflow " + command.Name
			cli.HelpPrinter(c.App.Writer, cli.CommandHelpTemplate, command)
			return nil
		},
	}
}

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version",
		Action: func(c *cli.Context) error {
			_, err := fmt.Fprintf(c.App.Writer, "wwflow version %s\n", c.App.Version)
			return outputError(err)
		},
	}
}
