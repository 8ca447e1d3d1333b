package main

import (
	"fmt"
	"io"
	"strings"
	"text/template"

	"github.com/alecthomas/kong"
)

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
	script, err := template.New(shell).Funcs(template.FuncMap{
		"quote": quote,
		"spec": func(text string) string { // zsh reads colons and brackets in a spec as its own
			return quote(strings.NewReplacer(":", `\:`, "[", `\[`, "]", `\]`).Replace(text))
		},
		"join": strings.Join,
	}).Parse(completionScripts()[shell])
	if err != nil {
		return fmt.Errorf("completion script for %s: %w", shell, err)
	}
	commands, top := completed(app)
	return script.Execute(w, map[string]any{"Commands": commands, "Top": top})
}

func completionScripts() map[string]string {
	return map[string]string{
		"bash": `# bash completion for wavedeck
_wavedeck() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command='' word
	[[ $cur == = ]] && cur=''
	[[ $prev == = ]] && prev=${COMP_WORDS[COMP_CWORD-2]}
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case $word in
{{- range .Commands}}
		{{.Name}}) command={{.Name}}; break ;;
{{- end}}
		esac
	done
	case $prev in
{{- range .Top}}{{template "value" .}}{{end}}
{{- range .Commands}}{{if ne .Name "serve"}}{{range .Flags}}{{template "value" .}}{{end}}{{end}}{{end}}
	esac
	local words
	case $command in
{{- range .Commands}}
	{{.Name}}) words='{{range .Flags}}--{{.Name}} {{end}}{{if eq .Name "completion"}}bash zsh fish{{end}}{{if eq .Name "help"}}{{range $.Commands}}{{.Name}} {{end}}{{end}}' ;;
{{- end}}
	*) words='{{range .Commands}}{{.Name}} {{end}}{{range .Top}}--{{.Name}} {{end}}' ;;
	esac
	COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _wavedeck wavedeck
{{- define "value"}}{{if eq .Takes "words"}}
	--{{.Name}}) COMPREPLY=($(compgen -W '{{join .Words " "}}' -- "$cur")); return ;;
{{- else if eq .Takes "dir"}}
	--{{.Name}}) COMPREPLY=($(compgen -d -- "$cur")); return ;;
{{- else if eq .Takes "file"}}
	--{{.Name}}) COMPREPLY=($(compgen -f -- "$cur")); return ;;
{{- else if eq .Takes "value"}}
	--{{.Name}}) return ;;
{{- end}}{{end}}
`,
		"zsh": `#compdef wavedeck
# zsh completion for wavedeck
_wavedeck() {
	local curcontext=$curcontext state line
	local -a commands=(
{{- range .Commands}}
		'{{.Name}}:{{quote .Help}}'
{{- end}}
	)
	_arguments -C \
{{- range .Top}}
		{{template "flag" .}} \
{{- end}}
		'1:command:->command' '*::argument:->argument'
	case $state in
	command) _describe command commands ;;
	argument)
		case $line[1] in
{{- range .Commands}}
		{{.Name}})
			_arguments \
{{- range .Flags}}
				{{template "flag" .}} \
{{- end}}
				{{if eq .Name "completion"}}'1:shell:(bash zsh fish)'{{else if eq .Name "help"}}'1:command:({{range $.Commands}}{{.Name}} {{end}})'{{else}}'*: :'{{end}}
			;;
{{- end}}
		esac
		;;
	esac
}
if [ "$funcstack[1]" = _wavedeck ]; then _wavedeck "$@"; else compdef _wavedeck wavedeck; fi
{{- define "flag"}}'--{{.Name}}{{if .Takes}}={{end}}[{{spec .Help}}]
{{- if eq .Takes "words"}}:value:({{join .Words " "}}){{else if eq .Takes "dir"}}:folder:_files -/{{else if eq .Takes "file"}}:file:_files{{else if eq .Takes "value"}}:value: {{end}}'{{end}}
`,
		"fish": `# fish completion for wavedeck
complete -c wavedeck -f
{{- range .Commands}}
complete -c wavedeck -n __fish_use_subcommand -a {{.Name}} -d '{{quote .Help}}'
{{- $command := .Name}}
{{- range .Flags}}
complete -c wavedeck -n '__fish_seen_subcommand_from {{$command}}'{{template "flag" .}}
{{- end}}
{{- end}}
{{- range .Top}}
complete -c wavedeck -n __fish_use_subcommand{{template "flag" .}}
{{- end}}
complete -c wavedeck -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'
complete -c wavedeck -n '__fish_seen_subcommand_from help' -a '{{range .Commands}}{{.Name}} {{end}}'
{{- define "flag"}} -l {{.Name}}{{if eq .Takes "words"}} -x -a '{{join .Words " "}}'{{else if eq .Takes "dir"}} -x -a '(__fish_complete_directories)'{{else if eq .Takes "file"}} -r -F{{else if eq .Takes "value"}} -x{{end}} -d '{{quote .Help}}'{{end}}
`,
	}
}
