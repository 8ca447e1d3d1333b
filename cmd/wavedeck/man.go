package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"wavedeck/handlers/buildinfo"
)

type manCommand struct{}

// Run writes wavedeck(1) to stdout.
func (manCommand) Run(app *kong.Kong, io stdio) error { return writeManual(io.out, app.Model) }

// writeManual writes the manual page from the same texts as the help.
func writeManual(w io.Writer, app *kong.Application) error {
	var page strings.Builder
	info := buildinfo.Get()
	date, _, _ := strings.Cut(info.Date, "T")
	fmt.Fprintf(&page, ".TH WAVEDECK 1 %q %q\n", date, "wavedeck "+info.Version)
	fmt.Fprintf(&page, ".SH NAME\nwavedeck \\- operations console for Wave\n")
	page.WriteString(".SH SYNOPSIS\n")
	for _, c := range app.Children {
		if !c.Hidden {
			fmt.Fprintf(&page, ".B wavedeck\n%s\n.br\n", roff(c.Summary()))
		}
	}
	fmt.Fprintf(&page, ".SH DESCRIPTION\n%s\n", roff(strings.ReplaceAll(app.Help, "\n\n", "\n.PP\n")))
	page.WriteString(".SH COMMANDS\n")
	for _, c := range app.Children {
		if c.Hidden {
			continue
		}
		fmt.Fprintf(&page, ".SS %s\n%s\n", roff(c.Summary()), roff(c.Help))
		for _, arg := range c.Positional {
			fmt.Fprintf(&page, ".TP\n.I %s\n%s\n", roff(arg.Summary()), roff(describe(arg)))
		}
		for _, flag := range c.Flags {
			fmt.Fprintf(&page, ".TP\n.B %s\n%s\n", roff(flag.String()), roff(describe(flag.Value)))
		}
	}
	page.WriteString(".SH ENVIRONMENT\nA flag of serve, demo and doctor is also read from the environment variable that its description names.\n" +
		".SH EXIT STATUS\n.TP\n.B 0\nSuccess.\n.TP\n.B 1\nFailure.\n.TP\n.B 2\nWrong arguments.\n.TP\n.B 130\nCancelled.\n")
	_, err := io.WriteString(w, page.String())
	return err
}

// roff escapes what troff would read as a request or an escape. A line that is one of our requests stays one.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if (strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'")) && line != ".PP" {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
