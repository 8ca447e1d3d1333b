package handlers

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"wavedeck/store"
	"wavedeck/store/criteria"
	"wavedeck/views"
)

// How much the palette finds of each kind, and how long a question may be.
const (
	paletteRuns  = 8
	paletteFound = 50
	paletteWords = 200
)

// showKeys is the documentation of the keyboard, or for htmx the help that searches it.
func (s *Server) showKeys(w http.ResponseWriter, r *http.Request) error {
	return s.still(w, r, "keys", "Keys", views.KeysPage, views.KeysHelp)
}

// showSettings is what a reader chooses. The choices stay in the browser.
func (s *Server) showSettings(w http.ResponseWriter, r *http.Request) error {
	return s.still(w, r, "settings", "Settings", views.SettingsPage, views.SettingsPage)
}

// still answers with a page that follows no changes.
func (s *Server) still(w http.ResponseWriter, r *http.Request, section, title string, page, fragment func(views.Chrome) templ.Component) error {
	return s.serveCached(w, r, typeHTML, func(ctx context.Context, b *bytes.Buffer) error {
		chrome := s.chrome(r, section, title, "")
		if isFragment(r) {
			return fragment(chrome).Render(ctx, b)
		}
		return page(chrome).Render(ctx, b)
	})
}

// showPalette finds pages, pipelines and runs: as a page, or for htmx as the
// content of the dialog, which narrows all but the runs by itself.
func (s *Server) showPalette(w http.ResponseWriter, r *http.Request) error {
	return s.palette(w, r, func(view views.PaletteView) templ.Component {
		if isFragment(r) {
			return views.Palette(view)
		}
		view.Groups = narrowed(view.Groups, view.Words)
		return views.PalettePage(view)
	})
}

// showPaletteRuns is the part of the palette that the server finds.
func (s *Server) showPaletteRuns(w http.ResponseWriter, r *http.Request) error {
	return s.palette(w, r, views.PaletteRuns)
}

func (s *Server) palette(w http.ResponseWriter, r *http.Request, component func(views.PaletteView) templ.Component) error {
	words := strings.TrimSpace(r.URL.Query().Get("q"))
	if len(words) > paletteWords {
		return &criteria.InputError{Field: "q", Got: clip(words, 64), Want: "at most 200 bytes long"}
	}
	return s.serveCached(w, r, typeHTML, func(ctx context.Context, b *bytes.Buffer) error {
		view := views.PaletteView{Chrome: s.chrome(r, "palette", "Find", ""), Words: words, Groups: s.places()}
		page, err := s.store.Runs(ctx, criteria.RunFilter{Predicates: criteria.Words(words), Limit: paletteRuns})
		if err != nil && !errors.Is(err, store.ErrUnavailable) { // then there are no runs, and the chrome says why
			return err
		}
		for _, run := range page.Runs {
			view.Runs = append(view.Runs, listed(runRow(run)))
		}
		return component(view).Render(ctx, b)
	})
}

// places are the pages and pipelines that the palette knows.
func (s *Server) places() []views.PaletteGroup {
	pages := []views.PaletteItem{
		{Label: "Runs", Href: s.paths.Runs(nil)}, {Label: "Search", Detail: "the text of all runs", Href: s.paths.Search(nil)}, {Label: "Pipelines", Href: s.paths.Pipelines()},
		{Label: "Personas", Href: s.paths.Personas()}, {Label: "Keys", Href: s.paths.Keys()},
		{Label: "Settings", Href: s.paths.Settings()},
	}
	var pipelines, personas []views.PaletteItem
	catalog := s.manifest.Current()
	for _, p := range catalog.Pipelines {
		pipelines = append(pipelines, bounded(views.PaletteItem{Label: p.Name, Detail: firstLine(opening(p.Description)), Href: s.paths.Pipeline(p.Name)}))
	}
	for _, p := range catalog.Manifest.Personas {
		personas = append(personas, bounded(views.PaletteItem{Label: p.Name, Detail: firstLine(opening(p.Description)), Href: s.paths.Persona(p.Name)}))
	}
	return []views.PaletteGroup{{Title: "Pages", Items: pages}, {Title: "Pipelines", Items: pipelines}, {Title: "Personas", Items: personas}}
}

// narrowed keeps what has every word, some of each kind.
func narrowed(groups []views.PaletteGroup, words string) []views.PaletteGroup {
	var kept []views.PaletteGroup
	for _, g := range groups {
		fits := views.PaletteGroup{Title: g.Title}
		for _, item := range g.Items {
			if hasEvery(item.Label+" "+item.Detail, words) && len(fits.Items) < paletteFound {
				fits.Items = append(fits.Items, item)
			}
		}
		if len(fits.Items) > 0 {
			kept = append(kept, fits)
		}
	}
	return kept
}

func hasEvery(text, words string) bool {
	text = strings.ToLower(text)
	for word := range strings.FieldsSeq(strings.ToLower(words)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}
