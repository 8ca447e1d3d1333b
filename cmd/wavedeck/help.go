package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// helpCommand is listed like any other. run turns it into the --help of the command that it names.
type helpCommand struct {
	Command []string `arg:"" optional:"" env:"-" help:"The command to describe. Default: the program."`
}

// Run is never called: see helpArgs.
func (helpCommand) Run() error { return nil }

// helpArgs turns `help [command]` into `[command] --help`.
func helpArgs(args []string) []string {
	if len(args) == 0 || args[0] != "help" || slices.Contains(args, "--help") || slices.Contains(args, "-h") {
		return args
	}
	return append(slices.Clone(args[1:]), "--help")
}

// groups are the headings of the help, in the order of the fields that name them.
func groups() kong.Option {
	return kong.ExplicitGroups([]kong.Group{
		{Key: "serve", Title: "Serve:"},
		{Key: "work", Title: "Work in a project:"},
		{Key: "about", Title: "About this program:"},

		{Key: "project", Title: "Project:"},
		{Key: "listen", Title: "Address and sign-in:"},
		{Key: "embed", Title: "Embedding and proxies:"},
		{Key: "console", Title: "Console:"},
		{Key: "runs", Title: "Runs started here:"},
	})
}

// describe is the help text of a flag or an argument, with the environment variables that set it.
func describe(value *kong.Value) string {
	if slices.Equal(value.Tag.Envs, []string{"-"}) {
		return value.Help
	}
	return kong.DefaultHelpValueFormatter(value)
}

// checkCommand reports a first argument that is not a command, with the nearest one and all others. Without it, an unknown
// command would be taken for a wrong argument of `serve`.
func checkCommand(app *kong.Application, args []string) error {
	if len(args) == 0 || args[0] == "" || strings.HasPrefix(args[0], "-") {
		return nil
	}
	var known []string
	for _, c := range app.Children {
		if c.Name == args[0] {
			return nil
		}
		if !c.Hidden {
			known = append(known, c.Name)
		}
	}
	hint := ""
	if nearest := slices.MinFunc(known, func(a, b string) int { return distance(a, args[0]) - distance(b, args[0]) }); distance(nearest, args[0]) <= 2 {
		hint = fmt.Sprintf("Did you mean %q? ", nearest)
	}
	return fmt.Errorf("unknown command %q. %sCommands: %s", clip(args[0]), hint, strings.Join(known, ", "))
}

// distance is the number of bytes to insert, delete or replace that makes b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
