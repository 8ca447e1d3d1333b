package engine

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// bindScript puts references to environment variables where a script has
// templates, so that no byte of a value ever becomes part of the script:
//
//	echo {{ input }}        echo "${WAVE_INPUT}"         one word, never split or expanded
//	echo "for {{ input }}"  echo "for ${WAVE_INPUT}"
//	echo 'for {{ input }}'  echo 'for '"${WAVE_INPUT}"''
//	<<EOF {{ input }} EOF   ${WAVE_INPUT}
//
// A shell does not parse again what it expanded. Where something would, the
// script is refused: in arithmetic, [[ ]], ${ }, backquotes and $” ”; as the
// name of a command or variable; in a here-document that is not expanded; and in a
// script with templates, wherever a value could reach text that is run as code
// by way of a variable: eval, trap, sh -c, awk, sed, make, ssh and their like
// take only constant text there. A variable that may hold a value is refused where
// bash evaluates it: arithmetic, -eq and -v in [[ ]], an index, ${!x}, ${x@P}, the
// names of variables; and a value where an option of a program takes code, such as
// --to-command.
//
// What remains the author's: a script without templates, which is left alone also
// where it reads $WAVE_INPUT; what programs of their own do with their arguments, a
// value that begins with - among them; and files that a script writes a value to.
func bindScript(script string) (string, error) {
	b := binder{names: variables(), mark: "WaveValue"}
	for strings.Contains(script, b.mark) {
		b.mark += "X"
	}
	marked := b.markTemplates(script)
	if len(b.templates) == 0 {
		return script, nil
	}
	file, err := syntax.NewParser(syntax.KeepComments(true), syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(marked), "")
	if err != nil {
		return "", fmt.Errorf("its script does not parse, so that no place for %s is known to be safe: %w", b.templates[0], err)
	}
	b.source = marked
	b.edits = map[int]string{}
	if err := b.walk(file); err != nil {
		return "", err
	}
	if err := b.checkEvaluated(file); err != nil {
		return "", err
	}
	return b.replace()
}

// binder holds one script in which a mark of digits stands for each template.
type binder struct {
	names     map[string]string // template name -> variable
	mark      string
	templates []string // as written
	variables []string // of each template
	source    string
	edits     map[int]string // offset of a mark -> what replaces it
	parents   []syntax.Node
}

func (b *binder) markTemplates(script string) string {
	return templateForm.ReplaceAllStringFunc(script, func(template string) string {
		variable, ok := b.names[templateForm.FindStringSubmatch(template)[1]]
		if !ok {
			return template
		}
		b.templates, b.variables = append(b.templates, template), append(b.variables, variable)
		return b.mark + strconv.Itoa(len(b.templates)-1) + "E"
	})
}

// at is the template whose mark begins at an offset, and the mark's length.
func (b *binder) at(offset int) (index, length int) {
	digits, _, _ := strings.Cut(b.source[offset+len(b.mark):], "E")
	index, _ = strconv.Atoi(digits)
	return index, len(b.mark) + len(digits) + 1
}

func (b *binder) walk(file *syntax.File) error {
	var failed error
	syntax.Walk(file, func(node syntax.Node) bool {
		if node == nil {
			b.parents = b.parents[:len(b.parents)-1]
			return true
		}
		if failed != nil {
			return false
		}
		if failed = b.visit(node); failed != nil {
			return false
		}
		b.parents = append(b.parents, node)
		return true
	})
	return failed
}

func (b *binder) visit(node syntax.Node) error {
	switch n := node.(type) {
	case *syntax.Comment:
		b.edit(n, func(template, _ string) string { return template })
	case *syntax.SglQuoted:
		if !n.Dollar {
			b.edit(n, func(_, variable string) string { return `'"${` + variable + `}"'` })
		}
	case *syntax.Lit:
		return b.visitLiteral(n)
	case *syntax.Stmt:
		return b.checkRedirects(n)
	case *syntax.CallExpr:
		return checkCommand(n, b.constant)
	}
	return nil
}

func (b *binder) visitLiteral(n *syntax.Lit) error {
	if len(b.parents) == 0 || !b.holds(n) {
		return nil
	}
	switch parent := b.parents[len(b.parents)-1].(type) {
	case *syntax.DblQuoted:
		b.edit(n, func(_, variable string) string { return "${" + variable + "}" })
	case *syntax.Word:
		if b.isHeredoc(parent) {
			b.edit(n, func(_, variable string) string { return "${" + variable + "}" })
			return nil
		}
		b.edit(n, func(_, variable string) string { return `"${` + variable + `}"` })
	}
	return nil
}

func (b *binder) holds(n syntax.Node) bool {
	return strings.Contains(b.source[n.Pos().Offset():n.End().Offset()], b.mark)
}

// isHeredoc reports whether w is the body of a here-document that is expanded.
func (b *binder) isHeredoc(w *syntax.Word) bool {
	for i := len(b.parents) - 2; i >= 0; i-- {
		if r, ok := b.parents[i].(*syntax.Redirect); ok {
			return r.Hdoc == w && r.Word.Lit() != "" && !strings.Contains(r.Word.Lit(), `\`)
		}
	}
	return false
}

// edit notes the replacement for each mark in n, unless what is around it could
// take the value as more than text: a mark without an edit refuses the script.
func (b *binder) edit(n syntax.Node, with func(template, variable string) string) {
	if _, comment := n.(*syntax.Comment); !comment && b.unsafe() {
		return
	}
	begin, end := int(n.Pos().Offset()), int(n.End().Offset())
	for offset := begin; ; {
		i := strings.Index(b.source[offset:end], b.mark)
		if i < 0 {
			return
		}
		offset += i
		index, length := b.at(offset)
		_, quoted := n.(*syntax.SglQuoted)
		if _, lit := n.(*syntax.Lit); !lit || quoted || offset == 0 || b.source[offset-1] != '\\' {
			b.edits[offset] = with(b.templates[index], b.variables[index])
		}
		offset += length
	}
}

// unsafe reports whether a place within the current nodes is looked at by the
// shell as more than text.
func (b *binder) unsafe() bool {
	for i, p := range b.parents {
		switch n := p.(type) {
		case *syntax.ArithmExp, *syntax.ArithmCmd, *syntax.TestClause, *syntax.LetClause, *syntax.ParamExp,
			*syntax.CStyleLoop, *syntax.ArrayExpr, *syntax.ExtGlob:
			return true
		case *syntax.CmdSubst:
			if n.Backquotes {
				return true
			}
		case *syntax.Assign:
			if n.Name == nil || n.Index != nil {
				return true
			}
		case *syntax.DeclClause:
			if !plainDeclaration(n) {
				return true
			}
		case *syntax.Redirect:
			if n.Hdoc != nil && i+1 < len(b.parents) && b.parents[i+1] == syntax.Node(n.Hdoc) && !b.isHeredoc(n.Hdoc) {
				return true
			}
		}
	}
	return false
}

// plainDeclaration reports whether values are only stored: an option such as -i
// would evaluate them.
func plainDeclaration(d *syntax.DeclClause) bool {
	return slices.Contains([]string{"export", "local", "readonly"}, d.Variant.Value) &&
		!slices.ContainsFunc(d.Args, func(a *syntax.Assign) bool { return a.Naked && a.Value != nil })
}

// constant reports whether a word is the same at each run: no expansion, and no mark.
func (b *binder) constant(w *syntax.Word) bool {
	return !b.holds(w) && isConstant(w)
}

func isConstant(w *syntax.Word) bool {
	for _, part := range w.Parts {
		switch p := part.(type) {
		case *syntax.Lit, *syntax.SglQuoted:
		case *syntax.DblQuoted:
			for _, inner := range p.Parts {
				if _, ok := inner.(*syntax.Lit); !ok {
					return false
				}
			}
		default:
			return false
		}
	}
	return true
}

// checkRedirects refuses a here-document or here-string with values in it that
// a shell reads as its script.
func (b *binder) checkRedirects(s *syntax.Stmt) error {
	call, ok := s.Cmd.(*syntax.CallExpr)
	if !ok || !namesInterpreter(call) {
		return nil
	}
	for _, r := range s.Redirs {
		body := r.Hdoc
		if r.Op == syntax.WordHdoc {
			body = r.Word
		}
		if body != nil && !b.constant(body) {
			return errors.New("its script feeds a value to a program that runs what it reads; give it as an argument instead")
		}
	}
	return nil
}

func (b *binder) replace() (string, error) {
	var out strings.Builder
	rest := 0
	for {
		i := strings.Index(b.source[rest:], b.mark)
		if i < 0 {
			out.WriteString(b.source[rest:])
			return out.String(), nil
		}
		offset := rest + i
		index, length := b.at(offset)
		text, ok := b.edits[offset]
		if !ok {
			line := 1 + strings.Count(b.source[:offset], "\n")
			return "", fmt.Errorf("its script has %s in line %d where a shell could run it as code; put it into double quotes as a word of its own",
				b.templates[index], line)
		}
		out.WriteString(b.source[rest:offset] + text)
		rest = offset + length
	}
}
