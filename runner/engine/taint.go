package engine

import (
	"errors"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// errEvaluated refuses a script in which bash would evaluate a value.
var errEvaluated = errors.New("its script has bash evaluate what may come from a value: arithmetic, an index, -v, ${!name}, ${name@P} " +
	"and the names of variables run code that is in them; compare texts, or check first that it is a number in a program of its own")

// codeOptions are options of programs whose value is code or names a program.
var codeOptions = strings.Fields("-exec -execdir -ok -okdir --exec --to-command --checkpoint-action --use-compress-program --rsh --split-string " + //nolint:gochecknoglobals // a list cannot be a constant
	"--upload-pack --receive-pack --init-file --rcfile -oProxyCommand -oLocalCommand --pre --pager --ex --eval-command")

// checkEvaluated refuses a script where a value that a variable holds is evaluated as
// code. Which variables may hold one is found from all assignments, wherever they stand.
func (b *binder) checkEvaluated(file *syntax.File) error {
	t := taint{b: b, names: map[string]bool{}}
	for _, variable := range b.names {
		t.names[variable] = true
	}
	for before := -1; before != len(t.names); {
		before = len(t.names)
		syntax.Walk(file, func(n syntax.Node) bool { t.collect(n); return true })
	}
	bad := false
	syntax.Walk(file, func(n syntax.Node) bool { bad = bad || n != nil && t.evaluates(n); return !bad })
	if bad {
		return errEvaluated
	}
	return nil
}

// taint is what is known of the variables that may hold a value.
type taint struct {
	b     *binder
	names map[string]bool
}

// collect notes the variables that n gives a value to.
func (t *taint) collect(n syntax.Node) {
	switch n := n.(type) {
	case *syntax.Assign:
		if n.Name != nil && (n.Value != nil && t.in(n.Value, false) || n.Array != nil && t.in(n.Array, false)) {
			t.names[n.Name.Value] = true
		}
	case *syntax.ForClause:
		if each, ok := n.Loop.(*syntax.WordIter); ok && (!each.InPos.IsValid() || slices.ContainsFunc(each.Items, func(w *syntax.Word) bool { return t.in(w, false) })) {
			t.names[each.Name.Value] = true
		}
	case *syntax.CallExpr:
		if len(n.Args) == 0 {
			return
		}
		name := program(n.Args[0])
		if slices.Contains([]string{"read", "mapfile", "readarray", "getopts"}, name) || name == "printf" && len(n.Args) > 1 && program(n.Args[1]) == "-v" {
			for _, w := range n.Args[1:] {
				if text := w.Lit(); syntax.ValidName(text) {
					t.names[text] = true
				}
			}
		}
	}
}

// in reports whether a value may be in n. In arithmetic a bare name is a variable too.
func (t *taint) in(n syntax.Node, bare bool) bool {
	found := false
	syntax.Walk(n, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.ParamExp:
			name := n.Param.Value
			found = found || !n.Length && (t.names[name] || name == "@" || name == "*" || name >= "1" && name < ":")
		case *syntax.Lit:
			found = found || t.b.holds(n) || bare && t.names[n.Value]
		case *syntax.SglQuoted:
			found = found || t.b.holds(n)
		}
		return !found
	})
	return found
}

// evaluates reports whether bash runs code that is in a value which n may hold.
func (t *taint) evaluates(n syntax.Node) bool {
	switch n := n.(type) {
	case *syntax.ArithmExp, *syntax.ArithmCmd, *syntax.LetClause, *syntax.CStyleLoop:
		return t.in(n, true)
	case *syntax.BinaryTest:
		switch n.Op {
		case syntax.TsEql, syntax.TsNeq, syntax.TsLeq, syntax.TsGeq, syntax.TsLss, syntax.TsGtr:
			return t.in(n, true)
		}
	case *syntax.UnaryTest:
		return (n.Op == syntax.TsVarSet || n.Op == syntax.TsRefVar) && t.in(n, false)
	case *syntax.ParamExp:
		return n.Excl && t.names[n.Param.Value] || n.Index != nil && t.in(n.Index, true) ||
			n.Slice != nil && (n.Slice.Offset != nil && t.in(n.Slice.Offset, true) || n.Slice.Length != nil && t.in(n.Slice.Length, true)) ||
			n.Exp != nil && n.Exp.Op == syntax.OtherParamOps && t.in(n, false) && n.Exp.Word != nil && strings.Contains(n.Exp.Word.Lit(), "P")
	case *syntax.Assign:
		return n.Index != nil && t.in(n.Index, true) || n.Naked && n.Name == nil && n.Value != nil && t.in(n.Value, false)
	case *syntax.DeclClause:
		integer := slices.ContainsFunc(n.Args, func(a *syntax.Assign) bool {
			return a.Naked && a.Value != nil && strings.HasPrefix(a.Value.Lit(), "-") && strings.ContainsAny(a.Value.Lit(), "in")
		})
		return integer && t.in(n, false)
	case *syntax.CallExpr:
		return t.callEvaluates(n)
	}
	return false
}

func (t *taint) callEvaluates(n *syntax.CallExpr) bool {
	if len(n.Args) == 0 {
		return false
	}
	args := n.Args[1:]
	valued := func(w *syntax.Word) bool { return t.in(w, false) }
	named := func(option string) bool {
		return slices.ContainsFunc(args, func(w *syntax.Word) bool { return program(w) == option })
	}
	switch program(n.Args[0]) {
	case "unset", "read", "mapfile", "readarray", "getopts":
		return slices.ContainsFunc(args, valued)
	case "test", "[":
		return named("-v") && slices.ContainsFunc(args, valued)
	case "printf":
		return named("-v") && len(args) > 1 && valued(args[1])
	}
	for i, w := range args {
		text := t.b.source[w.Pos().Offset():w.End().Offset()]
		option, _, _ := strings.Cut(strings.Trim(text, `"'`), "=")
		if slices.Contains(codeOptions, option) && (valued(w) || i+1 < len(args) && !strings.Contains(text, "=") && valued(args[i+1])) {
			return true
		}
	}
	return false
}
