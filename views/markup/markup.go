// Package markup shows the bodies of artifacts: JSON folded, Markdown rendered,
// code and diffs coloured, text with its terminal colours, and what is none of
// these as facts and bytes. Bodies are hostile. What comes out holds no script, no
// style and no handler, loads nothing, and is bounded whatever comes in.
package markup

import (
	"bytes"
	"context"
	"io"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/a-h/templ"
	"github.com/dustin/go-humanize"

	"wavedeck/views/ansi"
)

// Kind is how a body is shown.
type Kind string

// The kinds of bodies.
const (
	JSON     Kind = "json"
	Markdown Kind = "markdown"
	Code     Kind = "code" // YAML and programs
	Diff     Kind = "diff"
	Text     Kind = "text"
	Image    Kind = "image"
	Binary   Kind = "binary"
)

// MaxBody is how much of a body is shown, in bytes.
const MaxBody = 1 << 20

// Body is what is to be shown.
type Body struct {
	Name    string // of the file, for its language
	MIME    string // as the bytes tell, a fact of binary bodies
	Data    []byte // the beginning; MaxBody of it is shown
	Size    int64  // of the whole, in bytes
	Heading int    // the level of the heading that the body stands under, 1 to 5
	ID      string // prefix of the ids in the body, its own on the page
	Image   string // URL of the image; the facts alone are shown where it is empty
}

// Shown is a body and what its reader has to know of it.
type Shown struct {
	Kind   Kind   // what it is shown as
	Reason string // why that is not what was asked for; empty mostly
	Left   int64  // bytes that are not shown
	html   string
}

// tooLong is the reason where ctx ended first.
const tooLong = "rendering it takes too long"

// Show renders a body as kind, or as text, with the reason, where it is none or ctx
// ends before it is rendered: the work ends with ctx too.
func Show(ctx context.Context, b Body, kind Kind) Shown {
	data := b.Data[:min(len(b.Data), MaxBody)]
	s := Shown{Kind: kind, Left: max(b.Size, int64(len(b.Data))) - int64(len(data))}
	if s.Left > 0 && kind != Binary && kind != Image { // not in the middle of a character
		for n := 0; n < utf8.UTFMax-1 && len(data) > 0; n++ {
			if r, size := utf8.DecodeLastRune(data); r != utf8.RuneError || size > 1 {
				break
			}
			data = data[:len(data)-1]
			s.Left++
		}
	}
	var out strings.Builder
	switch kind {
	case JSON:
		s.Reason = writeJSON(&out, data)
	case Markdown:
		s.Reason = writeMarkdown(ctx, &out, data, b.Heading, b.ID)
	case Code:
		s.Reason = writeCode(ctx, &out, string(data), b.Name)
	case Diff:
		writeDiff(&out, string(data))
	case Image:
		writeImage(&out, b)
	case Binary:
		s.Left += int64(max(len(data)-MaxHex, 0))
		writeBinary(&out, data, b)
	default:
		s.Kind = Text
		writeText(&out, string(data))
	}
	if s.Reason != "" {
		s.Kind = Text
		out.Reset()
		writeText(&out, string(data))
	}
	s.html = out.String()
	return s
}

// View is the body with a note before it that says what is left out, and why it is
// shown as it is.
func (s Shown) View() templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		var notes []string
		if s.Reason != "" {
			notes = append(notes, "Shown as text: "+s.Reason+".")
		}
		if s.Left > 0 && s.Kind != Image {
			notes = append(notes, humanize.Comma(s.Left)+" bytes are left out; the download has all.")
		}
		var head string
		if len(notes) > 0 {
			head = `<p class="m-note">` + templ.EscapeString(strings.Join(notes, " ")) + `</p>`
		}
		_, err := io.WriteString(w, head+s.html)
		return err
	})
}

func kindByExt(ext string) Kind {
	switch ext {
	case ".json":
		return JSON
	case ".md", ".markdown":
		return Markdown
	case ".diff", ".patch":
		return Diff
	case ".log", ".txt":
		return Text
	default:
		return ""
	}
}

func kindByType(declared string) Kind {
	switch declared {
	case "json", "application/json":
		return JSON
	case "markdown", "text/markdown", "md":
		return Markdown
	case "yaml", "yml", "application/yaml", "code":
		return Code
	case "diff", "patch", "text/x-diff":
		return Diff
	case "text", "log", "text/plain":
		return Text
	default:
		return ""
	}
}

// Choose says how to show a body: its bytes tell what cannot be text, then what
// was declared counts, then the name, then how it begins. head is its beginning, of
// 512 bytes or more where there are as many.
func Choose(name, declared string, head []byte) Kind {
	for _, magic := range []string{"\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "GIF87a", "GIF89a"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return Image
		}
	}
	if len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP" {
		return Image
	}
	if wideOrder(head) == "" && binary(head) {
		return Binary
	}
	declared, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(declared)), ";")
	said := kindByType(declared)
	if said != "" && said != Text {
		return said
	}
	ext := strings.ToLower(path.Ext(name))
	if kind := kindByExt(ext); kind != "" {
		return kind
	}
	if lexerOf(name) != nil {
		return Code
	}
	if said != "" || ext != "" {
		return Text
	}
	text := bytes.TrimLeft(head, "\ufeff \t\r\n")
	switch {
	case bytes.HasPrefix(text, []byte("diff --git ")), bytes.HasPrefix(text, []byte("--- ")) && bytes.Contains(text, []byte("\n+++ ")):
		return Diff
	case len(text) > 1 && (text[0] == '{' && strings.IndexByte("\"}\r\n \t", text[1]) >= 0 || text[0] == '[' && strings.IndexByte("\"{[]\r\n \t0123456789-tfn", text[1]) >= 0) && !bytes.HasPrefix(text, []byte("[1] ")):
		return JSON
	case bytes.HasPrefix(text, []byte("# ")), bytes.Contains(text, []byte("\n## ")), bytes.Contains(text, []byte("\n```")):
		return Markdown
	}
	return Text
}

// maxLines is how many lines of text are shown: each costs the browser more than its bytes.
const maxLines = 20000

func writeText(out *strings.Builder, text string) {
	out.WriteString(`<pre class="m-text">`)
	var state ansi.State
	n := 0
	for line := range strings.Lines(text) {
		if n++; n > maxLines {
			break
		}
		var l ansi.Line
		l, state = ansi.Parse(line, state)
		l.AppendHTML(out)
		out.WriteByte('\n')
	}
	out.WriteString(`</pre>`)
	writeRest(out, text, n)
}

// writeRest says how many lines are left out of those that maxLines allows.
func writeRest(out *strings.Builder, text string, n int) {
	if n > maxLines {
		left := strings.Count(text, "\n") - maxLines
		if !strings.HasSuffix(text, "\n") {
			left++
		}
		out.WriteString(`<p class="m-note">` + humanize.Comma(int64(left)) + ` more lines are left out; the download has all.</p>`)
	}
}

func writeDiff(out *strings.Builder, text string) {
	out.WriteString(`<pre class="m-diff">`)
	n := 0
	head := true // before the first hunk, --- and +++ name files
	for line := range strings.Lines(text) {
		if n++; n > maxLines {
			break
		}
		class := ""
		switch {
		case strings.HasPrefix(line, "@@"):
			class, head = "m-hunk", false
		case strings.HasPrefix(line, "diff "), strings.HasPrefix(line, "index "), head && (strings.HasPrefix(line, "--- ") || strings.HasPrefix(line, "+++ ")):
			class, head = "m-file", true
		case strings.HasPrefix(line, "+"):
			class = "m-add"
		case strings.HasPrefix(line, "-"):
			class = "m-del"
		}
		l, _ := ansi.Parse(line, ansi.State{})
		if class != "" {
			out.WriteString(`<span class="` + class + `">`)
		}
		l.AppendHTML(out)
		if class != "" {
			out.WriteString(`</span>`)
		}
		out.WriteByte('\n')
	}
	out.WriteString(`</pre>`)
	writeRest(out, text, n)
}

func writeImage(out *strings.Builder, b Body) {
	if b.Image != "" {
		out.WriteString(`<p class="m-image"><img src="` + templ.EscapeString(string(templ.URL(b.Image))) + `" alt="` + templ.EscapeString(path.Base(b.Name)) + `" loading="lazy"></p>`)
	}
	writeFacts(out, b)
}

// MaxHex is how much of a binary body is shown, in bytes.
const MaxHex = 4 << 10

func writeFacts(out *strings.Builder, b Body) {
	size := max(b.Size, int64(len(b.Data)))
	mime := b.MIME
	if mime == "" {
		mime = "unknown"
	}
	out.WriteString(`<dl class="m-facts"><dt>Size</dt><dd>` + humanize.Comma(size) + ` bytes</dd><dt>Type by its bytes</dt><dd>` + templ.EscapeString(mime) + `</dd></dl>`)
}

func writeBinary(out *strings.Builder, data []byte, b Body) {
	writeFacts(out, b)
	out.WriteString(`<pre class="m-hex">`)
	data = data[:min(len(data), MaxHex)]
	const digits = "0123456789abcdef"
	for at := 0; at < len(data); at += 16 {
		row := data[at:min(at+16, len(data))]
		address := strconv.FormatInt(int64(at), 16)
		out.WriteString(`<span class="m-at">` + strings.Repeat("0", 8-len(address)) + address + `</span>  `)
		for i := range 16 {
			if i < len(row) {
				out.Write([]byte{digits[row[i]>>4], digits[row[i]&15], ' '})
			} else {
				out.WriteString("   ")
			}
			if i == 7 {
				out.WriteByte(' ')
			}
		}
		text := bytes.Map(func(r rune) rune {
			if r < ' ' || r > '~' {
				return '.'
			}
			return r
		}, latin(row))
		out.WriteString(" " + templ.EscapeString(string(text)) + "\n")
	}
	out.WriteString(`</pre>`)
}

// latin makes a character of each byte.
func latin(row []byte) []byte {
	out := make([]byte, len(row))
	for i, c := range row {
		if out[i] = c; c >= utf8.RuneSelf {
			out[i] = '.'
		}
	}
	return out
}
