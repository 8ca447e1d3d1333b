package palette

import (
	"bytes"
	"errors"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"wavedeck/handlers/present"
	"wavedeck/handlers/web"
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
func (h *Handler) showKeys(w http.ResponseWriter, r *http.Request) error {
	return h.still(w, r, "keys", "Keys", views.KeysPage, views.KeysHelp)
}

// showSettings is what a reader chooses. The choices stay in the browser.
func (h *Handler) showSettings(w http.ResponseWriter, r *http.Request) error {
	return h.still(w, r, "settings", "Settings", views.SettingsPage, views.SettingsPage)
}

// still answers with a page that follows no changes.
func (h *Handler) still(w http.ResponseWriter, r *http.Request, section, title string, page, fragment func(views.Layout) templ.Component) error {
	return h.ServeCached(w, r, web.TypeHTML, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		chrome := h.Layout(r, section, title, "")
		if web.IsFragment(r) {
			return fragment(chrome).Render(ctx, b)
		}
		return page(chrome).Render(ctx, b)
	})
}

// showPalette finds pages, pipelines and runs: as a page, or for htmx as the
// content of the dialog, which narrows all but the runs by itself.
func (h *Handler) showPalette(w http.ResponseWriter, r *http.Request) error {
	return h.palette(w, r, func(view views.PaletteView) templ.Component {
		if web.IsFragment(r) {
			return views.Palette(view)
		}
		view.Groups = narrowed(view.Groups, view.Words)
		return views.PalettePage(view)
	})
}

// showPaletteRuns is the part of the palette that the server finds.
func (h *Handler) showPaletteRuns(w http.ResponseWriter, r *http.Request) error {
	return h.palette(w, r, views.PaletteRuns)
}

func (h *Handler) palette(w http.ResponseWriter, r *http.Request, component func(views.PaletteView) templ.Component) error {
	words := strings.TrimSpace(r.URL.Query().Get("q"))
	if len(words) > paletteWords {
		return &criteria.InputError{Field: "q", Got: present.Clip(words, 64), Want: "at most 200 bytes long"}
	}
	return h.ServeCached(w, r, web.TypeHTML, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		view := views.PaletteView{Layout: h.Layout(r, "palette", "Find", ""), Words: words, Groups: h.places()}
		page, err := h.Store.Runs(ctx, criteria.RunFilter{Predicates: criteria.Words(words), Limit: paletteRuns})
		if err != nil && !errors.Is(err, store.ErrUnavailable) { // then there are no runs, and the layout says why
			return err
		}
		for _, run := range page.Runs {
			view.Runs = append(view.Runs, present.Listed(present.RunRow(run)))
		}
		return component(view).Render(ctx, b)
	})
}

// places are the pages and pipelines that the palette knows.
func (h *Handler) places() []views.PaletteGroup {
	pages := []views.PaletteItem{
		{Label: "Runs", Href: h.Paths.Runs(nil)}, {Label: "Search", Detail: "the text of all runs", Href: h.Paths.Search(nil)}, {Label: "Pipelines", Href: h.Paths.Pipelines()},
		{Label: "Personas", Href: h.Paths.Personas()}, {Label: "Keys", Href: h.Paths.Keys()},
		{Label: "Settings", Href: h.Paths.Settings()},
	}
	var pipelines, personas []views.PaletteItem
	catalog := h.Manifest.Current()
	for _, p := range catalog.Pipelines {
		pipelines = append(pipelines, present.Bounded(views.PaletteItem{Label: p.Name, Detail: present.FirstLine(present.Opening(p.Description)), Href: h.Paths.Pipeline(p.Name)}))
	}
	for _, p := range catalog.Manifest.Personas {
		personas = append(personas, present.Bounded(views.PaletteItem{Label: p.Name, Detail: present.FirstLine(present.Opening(p.Description)), Href: h.Paths.Persona(p.Name)}))
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
