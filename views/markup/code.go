package markup

import (
	"context"
	"fmt"
	"path"
	"strings"
	"wavedeck/views/legible"

	"github.com/a-h/templ"
	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"
)

const (
	maxCode = 128 << 10 // bytes that are coloured
	// maxEager bounds what is coloured by a lexer that reads all before its first token:
	// it cannot be stopped.
	maxEager = 4 << 10
	// maxRepeat is how often a character may stand in a row: from each place of a long
	// run many expressions search to its end.
	maxRepeat = 500
)

// repeats reports whether a character but those of except stands in a row more often
// than maxRepeat.
func repeats(text, except string) bool {
	n := 0
	for i := 1; i < len(text); i++ {
		if text[i] != text[i-1] || strings.IndexByte(except, text[i]) >= 0 {
			n = 0
		} else if n++; n >= maxRepeat {
			return true
		}
	}
	return false
}

// lexerOf gives the lexer for a file of this name; nil for plain text.
func lexerOf(name string) chroma.Lexer {
	name = path.Base(name)
	if len(name) > 255 {
		return nil
	}
	lexer := lexers.Match(name)
	if lexer == nil || lexer.Config().Name == "plaintext" {
		return nil
	}
	return lexer
}

// writeCode writes text coloured, or gives the reason why it is not. A name without
// a language is taken for YAML, of which much has no ending. The end of ctx is looked
// at between tokens: for one of them a lexer tries its expressions at one place, each
// with a time limit of its own.
func writeCode(ctx context.Context, out *strings.Builder, text, name string) (reason string) {
	if len(text) > maxCode {
		return fmt.Sprintf("more than %d KiB are not highlighted", maxCode>>10)
	}
	lexer := lexerOf(name)
	if lexer == nil {
		lexer = lexers.Get("yaml")
	}
	if _, lazy := lexer.(*chroma.RegexLexer); !lazy && len(text) > maxEager {
		return fmt.Sprintf("more than %d KiB of this language are not highlighted", maxEager>>10)
	}
	if repeats(text, "") {
		return "a character is repeated too often in it"
	}
	defer func() { // a lexer that gives up does so with a panic
		if p := recover(); p != nil {
			reason = "it could not be highlighted"
		}
	}()
	next, err := lexer.Tokenise(nil, text)
	if err != nil {
		return "it could not be highlighted"
	}
	out.WriteString(`<pre class="m-code">`)
	open := "" // the class of the last token, which goes on with those that have the same
	for t := next(); t != chroma.EOF; t = next() {
		if ctx.Err() != nil {
			return tooLong
		}
		class := classOf(t.Type)
		if strings.TrimSpace(t.Value) == "" {
			class = ""
		}
		if class != open {
			if open != "" {
				out.WriteString(`</span>`)
			}
			if class != "" {
				out.WriteString(`<span class="` + class + `">`)
			}
			open = class
		}
		out.WriteString(escapeCode(t.Value))
	}
	if open != "" {
		out.WriteString(`</span>`)
	}
	out.WriteString(`</pre>`)
	return ""
}

// classOf gives one of few classes: what a reader tells apart at a glance.
func classOf(t chroma.TokenType) string {
	switch {
	case t == chroma.KeywordConstant:
		return "m-bool"
	case t.InCategory(chroma.Comment):
		return "m-comment"
	case t.InCategory(chroma.Keyword), t == chroma.OperatorWord:
		return "m-word"
	case t.InSubCategory(chroma.LiteralString), t.InSubCategory(chroma.LiteralDate):
		return "m-str"
	case t.InSubCategory(chroma.LiteralNumber):
		return "m-num"
	case t == chroma.NameTag, t == chroma.NameAttribute:
		return "m-key"
	case t == chroma.NameFunction, t == chroma.NameClass, t == chroma.NameBuiltin, t == chroma.NameDecorator:
		return "m-name"
	}
	return ""
}

// escapeCode escapes text, and shows what would not be seen: control characters, and
// what has no looks or turns the direction of text, which can make code read as what it
// is not.
func escapeCode(s string) string {
	return templ.EscapeString(legible.Text(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r':
			return -1
		case r < ' ':
			return '\u2400' + r
		case r == 0x7f:
			return '\u2421'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))))
}
