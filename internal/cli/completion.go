package cli

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

func completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print a completion script for a shell",
		ArgsUsage: "bash|zsh|fish",
		Description: `Examples:
  wwflow completion bash >~/.local/share/bash-completion/completions/wwflow
  wwflow completion zsh >~/.zfunc/_wwflow         (with fpath+=~/.zfunc before compinit in ~/.zshrc)
  wwflow completion fish >~/.config/fish/completions/wwflow.fish`,
		Action: func(c *cli.Context) error {
			script := ""
			switch shell := c.Args().First(); {
			case c.NArg() == 1 && shell == "bash":
				script = bashCompletion(c.App)
			case c.NArg() == 1 && shell == "zsh":
				script = "#compdef wwflow\nautoload -U +X bashcompinit && bashcompinit\n" + bashCompletion(c.App)
			case c.NArg() == 1 && shell == "fish":
				s, err := c.App.ToFishCompletion()
				if err != nil {
					return err
				}
				script = s
			default:
				return usagef("name a shell: bash, zsh or fish")
			}
			_, err := fmt.Fprint(c.App.Writer, script)
			return outputError(err)
		},
	}
}

// bashCompletion completes commands, subcommands and flags, and leaves values and arguments to file names.
func bashCompletion(app *cli.App) string {
	var cases strings.Builder
	var names []string
	for _, command := range app.VisibleCommands() {
		names = append(names, command.Name)
		var words []string
		for _, s := range command.Subcommands {
			words = append(words, s.Name)
		}
		for _, f := range command.VisibleFlags() {
			for _, name := range f.Names() {
				words = append(words, dashed(name))
			}
		}
		if command.Name == "completion" {
			words = append(words, "bash", "zsh", "fish")
		}
		fmt.Fprintf(&cases, "    %s) words='%s' ;;\n", command.Name, strings.Join(words, " "))
	}
	return fmt.Sprintf(`_wwflow() {
  local words current=${COMP_WORDS[COMP_CWORD]}
  case ${COMP_CWORD}:${COMP_WORDS[1]} in
    1:*) words='%s' ;;
    *) words='' ;;
  esac
  [ "$COMP_CWORD" -gt 1 ] && case ${COMP_WORDS[1]} in
%s  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o bashdefault -o default -F _wwflow wwflow
`, strings.Join(names, " "), cases.String())
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

func manCommand() *cli.Command {
	return &cli.Command{
		Name:        "man",
		Usage:       "print the man page",
		Description: "Example: wwflow man >~/.local/share/man/man1/wwflow.1",
		Action: func(c *cli.Context) error {
			page, err := c.App.ToManWithSection(1)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(c.App.Writer, page)
			return outputError(err)
		},
	}
}
