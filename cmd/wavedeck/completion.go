package main

import (
	"embed"
	"fmt"
	"io"
	"strings"
	"text/template"

	"github.com/alecthomas/kong"
)

// completionScripts are templates, one for each shell.
//
//go:embed completion/*.tmpl
var completionScripts embed.FS

// completionCommand prints a script that a shell loads. The script is static: it holds the commands and flags, and completes
// files and folders where a flag takes one.
type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" env:"-" help:"The shell: bash, zsh or fish."`
}

// Run writes the script to stdout.
func (c *completionCommand) Run(app *kong.Kong, io stdio) error {
	return writeCompletion(io.out, app.Model, c.Shell)
}

type completedCommand struct {
	Name, Help string
	Flags      []completedFlag
}

type completedFlag struct {
	Name, Help string
	Takes      string // "" for a switch, "file", "dir", "words", else "value"
	Words      []string
}

// completed lists the visible commands with their flags. The flags of the default command are offered without it, too.
func completed(app *kong.Application) (commands []completedCommand, top []completedFlag) {
	for _, flag := range app.Flags {
		top = append(top, completedOne(flag))
	}
	for _, node := range app.Children {
		if node.Hidden {
			continue
		}
		command := completedCommand{Name: node.Name, Help: summary(node.Help), Flags: []completedFlag{{Name: "help", Help: "Show help."}}}
		for _, flag := range node.Flags {
			command.Flags = append(command.Flags, completedOne(flag))
		}
		if node == app.DefaultCmd {
			top = append(top, command.Flags[1:]...)
		}
		commands = append(commands, command)
	}
	return commands, top
}

func completedOne(flag *kong.Flag) completedFlag {
	f := completedFlag{Name: flag.Name, Help: summary(flag.Help), Takes: "value"}
	switch {
	case flag.IsBool():
		f.Takes = ""
	case flag.Enum != "":
		f.Takes = "words"
		f.Words = strings.FieldsFunc(flag.Enum, func(r rune) bool { return r == ',' })
	case flag.PlaceHolder == "DIR":
		f.Takes = "dir"
	case flag.PlaceHolder == "FILE":
		f.Takes = "file"
	}
	return f
}

// summary is the first sentence of a help text, without its full stop.
func summary(help string) string {
	first, _, _ := strings.Cut(help, ". ")
	return strings.TrimSuffix(first, ".")
}

// writeCompletion writes the script for shell.
func writeCompletion(w io.Writer, app *kong.Application, shell string) error {
	quote := func(text string) string { return strings.NewReplacer("'", `'\''`).Replace(text) }
	script, err := template.New(shell+".tmpl").Funcs(template.FuncMap{
		"quote": quote,
		"spec": func(text string) string { // zsh reads colons and brackets in a spec as its own
			return quote(strings.NewReplacer(":", `\:`, "[", `\[`, "]", `\]`).Replace(text))
		},
		"join": strings.Join,
	}).ParseFS(completionScripts, "completion/"+shell+".tmpl")
	if err != nil {
		return fmt.Errorf("completion script for %s: %w", shell, err)
	}
	commands, top := completed(app)
	return script.Execute(w, map[string]any{"Commands": commands, "Top": top})
}
