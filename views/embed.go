package views

import (
	"context"
	"io"

	"github.com/a-h/templ"
)

// Look is how an excerpt shows, as its address chose.
type Look struct {
	Theme      string // "auto", "light", "dark"
	Density    string // "compact", "comfortable"
	Zone       string // "", "UTC", "local" or a name such as "Europe/Berlin"
	Live       string // "off", "poll", "sse"
	Stylesheet string // address of what sets colours and lengths; empty: none
}

// EmbedView is an excerpt as a document.
type EmbedView struct {
	Layout
	Look    Look
	Styles  []string // the stylesheets it needs beside the console's own
	Body    []byte   // the excerpt, made by package excerpt
	Source  string   // where the excerpt is read again; empty: it stands still
	Parents []string // origins that are told how high it is
	Expires int64    // unix seconds after which Source answers no more; 0: never
	State   string   // "expired" or "refused" instead of content
}

// RunsFragmentView is a list of runs.
type RunsFragmentView struct {
	Layout
	Rows    []RunRow
	All     string // the page that it is taken from
	Stats   *Stats // nil: not shown
	Nothing string // why there are no rows
}

// times is how the script shows moments: as ages unless a zone was chosen. What
// the server wrote for a named zone stands.
func (v EmbedView) times() string {
	switch v.Look.Zone {
	case "":
		return "ago"
	case "local":
		return "local"
	default:
		return "fixed"
	}
}

func (v EmbedView) scheme() string {
	if v.Look.Theme == "light" || v.Look.Theme == "dark" {
		return v.Look.Theme
	}
	return "light dark"
}

// raw writes what package excerpt has made safe.
func raw(body []byte) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := w.Write(body)
		return err
	})
}
