package web

import (
	"bytes"
	"context"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"wavedeck/handlers/present"
	"wavedeck/views"
	"wavedeck/views/plain"
)

// Format is one of the ways in which the same thing is said. Its value is the end
// of the addresses that ask for it.
type Format string

// The formats.
const (
	FormatHTML     Format = "" // what browsers get, and whoever does not choose
	FormatText     Format = "txt"
	FormatMarkdown Format = "md"
	FormatJSON     Format = "json"
	FormatCSV      Format = "csv"
	FormatNDJSON   Format = "ndjson"
	FormatLog      Format = "log" // of a run, line by line
)

// MediaTypes are the words by which each form is asked for in Accept; it is sent
// as the first.
//
//nolint:gochecknoglobals // read only
var MediaTypes = map[Format][]string{
	FormatHTML:     {"text/html"},
	FormatText:     {"text/plain"},
	FormatMarkdown: {"text/markdown"},
	FormatJSON:     {"application/json"},
	FormatCSV:      {"text/csv"},
	FormatNDJSON:   {"application/x-ndjson", "application/ndjson", "application/jsonl"},
	FormatLog:      {"text/plain"},
}

// The forms of each kind of address, in the order in which they are offered.
//
//nolint:gochecknoglobals // read only
var (
	PageFormats  = []Format{FormatHTML, FormatText, FormatMarkdown, FormatJSON}
	ListFormats  = []Format{FormatHTML, FormatText, FormatMarkdown, FormatJSON, FormatCSV, FormatNDJSON}
	RunFormats   = []Format{FormatHTML, FormatText, FormatMarkdown, FormatJSON, FormatLog}
	errorFormats = PageFormats
)

// ContentType is what a form is sent as.
func (f Format) ContentType() string {
	if f == FormatNDJSON {
		return MediaTypes[f][0]
	}
	return MediaTypes[f][0] + "; charset=utf-8"
}

// GoesOn reports whether an answer in this form may take as long as the client
// reads: it is made while it is sent.
func (f Format) GoesOn() bool { return f == FormatCSV || f == FormatNDJSON || f == FormatLog }

// accepted chooses among forms by an Accept header (RFC 9110, 12.5.1): the
// highest q; of several the one that the client names first; of those that it
// does not distinguish, such as for */*, the first of those offered. Without a header it is
// the first, too. False: the client takes none.
func accepted(accept string, among []Format) (Format, bool) {
	if strings.TrimSpace(accept) == "" {
		return among[0], true
	}
	type claim struct {
		q        float64
		exact    int // how closely the type is named
		position int
	}
	best, found := claim{}, -1
	for i, f := range among {
		var c claim
		for position, part := range strings.Split(accept, ",") {
			named, params, err := mime.ParseMediaType(part)
			if exact := matches(named, f); err == nil && exact > c.exact {
				c = claim{q: quality(params), exact: exact, position: position}
			}
		}
		if c.q > 0 && (found < 0 || c.q > best.q || c.q == best.q && c.position < best.position) {
			best, found = c, i
		}
	}
	if found < 0 {
		return among[0], false
	}
	return among[found], true
}

// matches reports how closely a media range names a form: 3 itself, 2 its kind, 1
// anything, 0 another one.
func matches(named string, f Format) int {
	kind, _, _ := strings.Cut(MediaTypes[f][0], "/")
	switch {
	case f == FormatLog:
		return 0 // it has its own address
	case slices.Contains(MediaTypes[f], named):
		return 3
	case named == kind+"/*":
		return 2
	case named == "*/*":
		return 1
	default:
		return 0
	}
}

func quality(params map[string]string) float64 {
	text, given := params["q"]
	if !given {
		return 1
	}
	q, err := strconv.ParseFloat(text, 64)
	if err != nil || q < 0 || q > 1 {
		return 0
	}
	return q
}

type formatKey struct{}

// FormatOf is the form that an address is asked for in.
func FormatOf(r *http.Request) Format {
	f, _ := r.Context().Value(formatKey{}).(Format)
	return f
}

// WithFormat is the request answered in a format.
func WithFormat(r *http.Request, f Format) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), formatKey{}, f))
}

// errorFormat is the form in which a client reads that something went wrong: JSON
// below /api, else the one that it asked for.
func (k *Kit) errorFormat(r *http.Request) Format {
	f, chosen := r.Context().Value(formatKey{}).(Format)
	if !chosen {
		f = suffixOf(r.URL.Path)
	}
	switch {
	case strings.HasPrefix(r.URL.Path, k.Paths.API()), f == FormatNDJSON:
		return FormatJSON
	case f == FormatCSV, f == FormatLog:
		return FormatText
	case f != FormatHTML:
		return f
	case IsFragment(r):
		return FormatHTML
	}
	f, _ = accepted(r.Header.Get("Accept"), errorFormats)
	return f
}

// suffixOf is the form that a path ends with.
func suffixOf(path string) Format {
	name := path[strings.LastIndexByte(path, '/')+1:]
	if i := strings.LastIndexByte(name, '.'); i > 0 && MediaTypes[Format(name[i+1:])] != nil {
		return Format(name[i+1:])
	}
	return FormatHTML
}

// WantsJSON reports whether the client reads JSON: everything under /api does,
// elsewhere those that ask for it.
func (k *Kit) WantsJSON(r *http.Request) bool { return k.errorFormat(r) == FormatJSON }

// noSuchFormat answers an end of an address that is neither part of a name nor a form.
func noSuchFormat(r *http.Request, suffix string, among []Format) error {
	path := r.URL.Path
	return &Error{
		Status: http.StatusNotFound, Text: "there is no " + Quoted(present.Clip(path[strings.LastIndexByte(path, '/')+1:], 80)) + ", and no form ." + present.Clip(suffix, 16),
		Next: "An address here can end with " + suffixes(among) + ", or with none of them for the page.",
	}
}

// notAcceptable answers a client that takes none of the forms.
func notAcceptable(accept string, among []Format) error {
	var types []string
	for _, f := range among {
		if f != FormatLog {
			types = append(types, MediaTypes[f][0])
		}
	}
	return &Error{
		Status: http.StatusNotAcceptable, Text: "this is not there as " + Quoted(strings.ToValidUTF8(present.Clip(accept, 80), "?")),
		Next: "Accept can be " + joinOr(types) + ", or the address can end with " + suffixes(among) + ".",
	}
}

func suffixes(among []Format) string {
	var list []string
	for _, f := range among {
		if f != FormatHTML {
			list = append(list, "."+string(f))
		}
	}
	return joinOr(list)
}

func joinOr(list []string) string {
	last := len(list) - 1
	if last < 1 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:last], ", ") + " or " + list[last]
}

// Labels are what the forms are called where a page leads to them.
//
//nolint:gochecknoglobals // read only
var Labels = map[Format]string{
	FormatText: "text", FormatMarkdown: "Markdown", FormatJSON: "JSON", FormatCSV: "CSV", FormatNDJSON: "NDJSON", FormatLog: "log",
}

// FormatLinks lead from a page to the same in other forms. JSON comes first: it is
// what the key for a curl command takes. CSV and NDJSON have everything that
// matches, not the page that is shown.
func (k *Kit) FormatLinks(page string, among []Format, q url.Values) []views.Form {
	q = Clone(q)
	q.Del("hold")
	whole := Clone(q)
	for _, key := range []string{"limit", "older", "newer", "cursor"} {
		whole.Del(key)
	}
	var links []views.Form
	for _, f := range among {
		link := views.Form{Label: Labels[f], Type: MediaTypes[f][0], Href: k.Paths.As(page, string(f), q)}
		switch f {
		case FormatHTML:
			continue
		case FormatJSON:
			link.Href = WithQuery(k.Paths.API()+strings.TrimPrefix(page, string(k.Paths)+"/"), q)
			links = slices.Insert(links, 0, link)
			continue
		case FormatCSV, FormatNDJSON:
			link.Href = k.Paths.As(page, string(f), whole)
		}
		links = append(links, link)
	}
	return links
}

// FormatQuery are those parameters of a page that its other forms take too.
func FormatQuery(r *http.Request, keys ...string) url.Values {
	q := url.Values{}
	for _, key := range keys {
		if v := r.URL.Query().Get(key); v != "" {
			q.Set(key, v)
		}
	}
	return q
}

// Document is what is said in several forms: JSON as it is encoded, text and
// Markdown by what it says of itself.
type Document interface {
	Plain(to views.Paths, origin string) plain.Document
}

// ServeDocument answers with a document in a form other than HTML.
func (k *Kit) ServeDocument(w http.ResponseWriter, r *http.Request, f Format, read func(*http.Request) (Document, error)) error {
	coloured, err := Bool(r.URL.Query(), "color")
	if err != nil {
		return err
	}
	origin := k.Origin(r)
	return k.ServeCached(w, r, f.ContentType(), func(r *http.Request, b *bytes.Buffer) error {
		d, err := read(r)
		if err != nil {
			return err
		}
		switch f {
		case FormatText:
			plain.Text(b, d.Plain(k.Paths, origin), coloured)
		case FormatMarkdown:
			plain.Markdown(b, d.Plain(k.Paths, origin))
		default:
			return EncodeJSON(b, d)
		}
		return nil
	})
}

// writeError writes an error as text or Markdown.
func (k *Kit) writeError(w http.ResponseWriter, r *http.Request, f Format, failure *Error) {
	title := strconv.Itoa(failure.Status) + " " + http.StatusText(failure.Status)
	sentence := failure.Sentence()
	if failure.Status >= http.StatusInternalServerError {
		sentence += " Request " + RequestID(r.Context()) + "."
	}
	k.Respond(w, r, failure.Status, f.ContentType(), func(b *bytes.Buffer) error {
		d := plain.Document{Title: title, Parts: []plain.Part{{Note: sentence}}}
		if f == FormatMarkdown {
			plain.Markdown(b, d)
		} else {
			plain.Text(b, d, false)
		}
		return nil
	})
}
