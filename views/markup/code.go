package markup

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"
)

const (
	maxCode = 128 << 10 // bytes that are coloured
	// maxColouring is how long that may take: the expressions of some languages can
	// be made to search for long.
	maxColouring = 1500 * time.Millisecond
)

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
// a language is taken for YAML, of which much has no ending.
func writeCode(out *strings.Builder, text, name string) (reason string) {
	if len(text) > maxCode {
		return fmt.Sprintf("more than %d KiB are not coloured", maxCode>>10)
	}
	lexer := lexerOf(name)
	if lexer == nil {
		lexer = lexers.Get("yaml")
	}
	defer func() { // a lexer that gives up does so with a panic
		if p := recover(); p != nil {
			reason = "it could not be coloured"
		}
	}()
	next, err := chroma.Coalesce(lexer).Tokenise(nil, text)
	if err != nil {
		return "it could not be coloured"
	}
	begun := time.Now()
	out.WriteString(`<pre class="m-code">`)
	for t := next(); t != chroma.EOF; t = next() {
		if time.Since(begun) > maxColouring {
			return "colouring it takes too long"
		}
		class := classOf(t.Type)
		if class == "" || strings.TrimSpace(t.Value) == "" {
			out.WriteString(escapeCode(t.Value))
			continue
		}
		out.WriteString(`<span class="` + class + `">` + escapeCode(t.Value) + `</span>`)
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
// the marks that turn the direction of text, which can make code read as what it is not.
func escapeCode(s string) string {
	return templ.EscapeString(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r':
			return -1
		case r < ' ':
			return '\u2400' + r
		case r == 0x7f:
			return '\u2421'
		case r >= 0x80 && r < 0xa0, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")))
}
