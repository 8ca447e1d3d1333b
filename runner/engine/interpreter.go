package engine

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// interpreters take code as an argument: behind one of these option letters,
// or, where there is none, as any argument.
func interpreters() map[string]string {
	kinds := map[string]string{}
	for letters, names := range map[string]string{
		"c":  "sh bash dash zsh ksh mksh ash fish busybox su python python2 python3",
		"eE": "perl ruby",
		"ep": "node",
		"r":  "php",
		"": "eval trap alias source . let declare typeset ssh watch parallel script expect tclsh make gmake " +
			"awk gawk mawk nawk sed gsed sqlite3 psql mysql m4 at batch crontab",
	} {
		for name := range strings.FieldsSeq(names) {
			kinds[name] = letters
		}
	}
	return kinds
}

// starters run the program that their next argument names.
func starters() []string {
	return []string{
		"exec", "command", "builtin", "env", "nohup", "time", "nice", "ionice", "sudo", "doas", "setsid", "timeout", "stdbuf", "chroot", "xargs",
	}
}

// program is the name that a word has as a command, empty when it is not constant.
func program(w *syntax.Word) string {
	text := ""
	for _, part := range w.Parts {
		switch p := part.(type) {
		case *syntax.Lit:
			text += strings.ReplaceAll(p.Value, `\`, "") // \eval is eval
		case *syntax.SglQuoted:
			text += p.Value
		case *syntax.DblQuoted:
			for _, inner := range p.Parts {
				lit, ok := inner.(*syntax.Lit)
				if !ok {
					return ""
				}
				text += lit.Value
			}
		default:
			return ""
		}
	}
	if text == "." {
		return text
	}
	return path.Base(text)
}

func namesInterpreter(call *syntax.CallExpr) bool {
	kinds := interpreters()
	return slices.ContainsFunc(call.Args, func(w *syntax.Word) bool {
		_, known := kinds[program(w)]
		return known
	})
}

// checkCommand refuses a command of a script with templates that could run a
// value as code. An interpreter may be named anywhere: `timeout 5 sh -c …`.
func checkCommand(call *syntax.CallExpr, constant func(*syntax.Word) bool) error {
	if len(call.Args) == 0 {
		return nil
	}
	for i, w := range call.Args {
		if i > 0 && !slices.Contains(starters(), program(call.Args[i-1])) {
			break
		}
		if !constant(w) {
			return errors.New("its script has a value where the name of a program is expected")
		}
	}
	kinds, fed := interpreters(), slices.ContainsFunc(call.Args, func(w *syntax.Word) bool {
		return slices.Contains([]string{"xargs", "parallel"}, program(w))
	})
	leads := slices.Contains(starters(), program(call.Args[0]))
	for i := 0; i < len(call.Args); i++ {
		name := program(call.Args[i])
		letters, known := kinds[name]
		switch {
		case !known:
			continue
		case fed:
			return fmt.Errorf("its script runs %s on what it reads, where a value could become code", name)
		}
		code, err := checkCode(name, letters, call.Args[i+1:], i == 0 || leads, constant)
		if err != nil {
			return err
		}
		i += code
	}
	return nil
}

// checkCode looks at the arguments of an interpreter. It returns how many of
// them are its options, its code and the name that the code goes by.
func checkCode(name, letters string, args []*syntax.Word, leads bool, constant func(*syntax.Word) bool) (int, error) {
	refusal := fmt.Errorf("its script gives %s a value that it could run as code; hand it over as an argument: sh -c '… \"$1\"' sh \"{{ input }}\"", name)
	reads := fmt.Errorf("its script has %s run what it reads, where a value could become code", name)
	if letters == "" {
		if slices.ContainsFunc(args, func(w *syntax.Word) bool { return !constant(w) }) {
			return 0, refusal
		}
		return 0, nil
	}
	for i, w := range args {
		option := program(w)
		switch {
		case !constant(w):
			return 0, refusal
		case option == "-", strings.HasPrefix(option, "-s") && letters == "c":
			return 0, reads
		case !strings.HasPrefix(option, "-") && !strings.HasPrefix(option, "+"):
			return 0, nil // a script of its own, whose arguments are text
		case strings.ContainsAny(option, letters) && !strings.HasPrefix(option, "--"), option == "--eval", option == "--command":
			if i+1 < len(args) && !constant(args[i+1]) {
				return 0, refusal
			}
			return i + 3, nil
		}
	}
	if leads {
		return 0, reads
	}
	return 0, nil
}
