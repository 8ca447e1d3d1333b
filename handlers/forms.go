package handlers

import (
	"bytes"
	"context"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"wavedeck/views"
	"wavedeck/views/plain"
)

// format is one of the ways in which the same thing is said. Its value is the end
// of the addresses that ask for it.
type format string

const (
	formHTML     format = "" // what browsers get, and whoever does not choose
	formText     format = "txt"
	formMarkdown format = "md"
	formJSON     format = "json"
	formCSV      format = "csv"
	formNDJSON   format = "ndjson"
	formLog      format = "log" // of a run, line by line
)

// mediaTypes are the words by which each form is asked for in Accept; it is sent
// as the first.
//
//nolint:gochecknoglobals // read only
var mediaTypes = map[format][]string{
	formHTML:     {"text/html"},
	formText:     {"text/plain"},
	formMarkdown: {"text/markdown"},
	formJSON:     {"application/json"},
	formCSV:      {"text/csv"},
	formNDJSON:   {"application/x-ndjson", "application/ndjson", "application/jsonl"},
	formLog:      {"text/plain"},
}

// The forms of each kind of address, in the order in which they are offered.
//
//nolint:gochecknoglobals // read only
var (
	formsOfOne  = []format{formHTML, formText, formMarkdown, formJSON}
	formsOfList = []format{formHTML, formText, formMarkdown, formJSON, formCSV, formNDJSON}
	formsOfRun  = []format{formHTML, formText, formMarkdown, formJSON, formLog}
	errorForms  = formsOfOne
)

// contentType is what a form is sent as.
func (f format) contentType() string {
	if f == formNDJSON {
		return mediaTypes[f][0]
	}
	return mediaTypes[f][0] + "; charset=utf-8"
}

// goesOn reports whether an answer in this form may take as long as the client
// reads: it is made while it is sent.
func (f format) goesOn() bool { return f == formCSV || f == formNDJSON || f == formLog }

// accepted chooses among forms by an Accept header (RFC 9110, 12.5.1): the
// highest q; of several the one that the client names first; of those that it
// does not tell apart, such as for */*, the first of ours. Without a header it is
// the first, too. False: the client takes none.
func accepted(accept string, among []format) (format, bool) {
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

// matches tells how closely a media range names a form: 3 itself, 2 its kind, 1
// anything, 0 another one.
func matches(named string, f format) int {
	kind, _, _ := strings.Cut(mediaTypes[f][0], "/")
	switch {
	case f == formLog:
		return 0 // it has its own address
	case slices.Contains(mediaTypes[f], named):
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

// formOf is the form that an address is asked for in.
func formOf(r *http.Request) format {
	f, _ := r.Context().Value(formatKey{}).(format)
	return f
}

func inForm(r *http.Request, f format) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), formatKey{}, f))
}

// errorForm is the form in which a client reads that something went wrong: JSON
// below /api, else the one that it asked for.
func (s *Server) errorForm(r *http.Request) format {
	f, chosen := r.Context().Value(formatKey{}).(format)
	if !chosen {
		f = suffixOf(r.URL.Path)
	}
	switch {
	case strings.HasPrefix(r.URL.Path, s.paths.API()), f == formNDJSON:
		return formJSON
	case f == formCSV, f == formLog:
		return formText
	case f != formHTML:
		return f
	case isFragment(r):
		return formHTML
	}
	f, _ = accepted(r.Header.Get("Accept"), errorForms)
	return f
}

// suffixOf is the form that a path ends with.
func suffixOf(path string) format {
	name := path[strings.LastIndexByte(path, '/')+1:]
	if i := strings.LastIndexByte(name, '.'); i > 0 && mediaTypes[format(name[i+1:])] != nil {
		return format(name[i+1:])
	}
	return formHTML
}

// wantsJSON reports whether the client reads JSON: everything under /api does,
// elsewhere those that ask for it.
func (s *Server) wantsJSON(r *http.Request) bool { return s.errorForm(r) == formJSON }

// noSuchForm answers an end of an address that is neither part of a name nor a form.
func noSuchForm(r *http.Request, suffix string, among []format) error {
	path := r.URL.Path
	return &httpError{
		status: http.StatusNotFound, text: "there is no " + quoted(clip(path[strings.LastIndexByte(path, '/')+1:], 80)) + ", and no form ." + clip(suffix, 16),
		next: "An address here can end with " + suffixes(among) + ", or with none of them for the page.",
	}
}

// notAcceptable answers a client that takes none of the forms.
func notAcceptable(accept string, among []format) error {
	var types []string
	for _, f := range among {
		if f != formLog {
			types = append(types, mediaTypes[f][0])
		}
	}
	return &httpError{
		status: http.StatusNotAcceptable, text: "this is not there as " + quoted(strings.ToValidUTF8(clip(accept, 80), "?")),
		next: "Accept can be " + joinOr(types) + ", or the address can end with " + suffixes(among) + ".",
	}
}

func suffixes(among []format) string {
	var list []string
	for _, f := range among {
		if f != formHTML {
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

// labels are what the forms are called where a page leads to them.
//
//nolint:gochecknoglobals // read only
var labels = map[format]string{
	formText: "text", formMarkdown: "Markdown", formJSON: "JSON", formCSV: "CSV", formNDJSON: "NDJSON", formLog: "log",
}

// formLinks lead from a page to the same in other forms. JSON comes first: it is
// what the key for a curl command takes. CSV and NDJSON have everything that
// matches, not the page that is shown.
func (s *Server) formLinks(page string, among []format, q url.Values) []views.Form {
	q = clone(q)
	q.Del("hold")
	whole := clone(q)
	for _, key := range []string{"limit", "older", "newer", "cursor"} {
		whole.Del(key)
	}
	var links []views.Form
	for _, f := range among {
		link := views.Form{Label: labels[f], Type: mediaTypes[f][0], Href: s.paths.As(page, string(f), q)}
		switch f {
		case formHTML:
			continue
		case formJSON:
			link.Href = withQuery(s.paths.API()+strings.TrimPrefix(page, string(s.paths)+"/"), q)
			links = slices.Insert(links, 0, link)
			continue
		case formCSV, formNDJSON:
			link.Href = s.paths.As(page, string(f), whole)
		}
		links = append(links, link)
	}
	return links
}

// formQuery are those parameters of a page that its other forms take too.
func formQuery(r *http.Request, keys ...string) url.Values {
	q := url.Values{}
	for _, key := range keys {
		if v := r.URL.Query().Get(key); v != "" {
			q.Set(key, v)
		}
	}
	return q
}

// document is what is said in several forms: JSON as it is encoded, text and
// Markdown by what it says of itself.
type document interface {
	plain(to views.Paths, origin string) plain.Document
}

// serveDocument answers with a document in a form other than HTML.
func (s *Server) serveDocument(w http.ResponseWriter, r *http.Request, f format, read func(context.Context) (document, error)) error {
	coloured, err := truth(r.URL.Query(), "color")
	if err != nil {
		return err
	}
	origin := s.origin(r)
	return s.serveCached(w, r, f.contentType(), func(ctx context.Context, b *bytes.Buffer) error {
		d, err := read(ctx)
		if err != nil {
			return err
		}
		switch f {
		case formText:
			plain.Text(b, d.plain(s.paths, origin), coloured)
		case formMarkdown:
			plain.Markdown(b, d.plain(s.paths, origin))
		default:
			return encodeJSON(b, d)
		}
		return nil
	})
}

// writeError tells in text or Markdown that something went wrong.
func (s *Server) writeError(w http.ResponseWriter, r *http.Request, f format, told *httpError) {
	title := strconv.Itoa(told.status) + " " + http.StatusText(told.status)
	sentence := told.sentence()
	if told.status >= http.StatusInternalServerError {
		sentence += " Request " + requestID(r.Context()) + "."
	}
	s.write(w, r, told.status, f.contentType(), func(b *bytes.Buffer) error {
		d := plain.Document{Title: title, Parts: []plain.Part{{Note: sentence}}}
		if f == formMarkdown {
			plain.Markdown(b, d)
		} else {
			plain.Text(b, d, false)
		}
		return nil
	})
}
