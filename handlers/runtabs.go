package handlers

import (
	"bytes"
	"context"
	"net/http"

	"github.com/a-h/templ"

	"wavedeck/store/wave"
	"wavedeck/views"
)

// tabs are the pages of a run, the current one marked. They say no counts: those
// would grow while the page stands.
func (s *Server) tabs(id, current string) []views.Option {
	tab := func(name, label string) views.Option {
		href := s.paths.Run(id)
		if name != "" {
			href = s.paths.RunTab(id, name)
		}
		return views.Option{Label: label, Href: href, Count: -1, On: name == current}
	}
	return []views.Option{
		tab("", "Summary"),
		tab("timeline", "Timeline"),
		tab("graph", "Graph"),
		tab("log", "Log"),
		tab("artifacts", "Artifacts"),
	}
}

// openTab marks the one of a run's pages that is shown, and says in the title
// which one it is: a browser may have several of them open.
func (s *Server) openTab(view *views.RunView, tab string) {
	view.Tabs = s.tabs(view.RunID, tab)
	for _, t := range view.Tabs {
		if t.On && tab != "" {
			view.Title = t.Label + " · " + view.Title
		}
	}
}

// tabBody makes the content of one of a run's pages. It may add to the view.
type tabBody func(ctx context.Context, d wave.RunDetail, view *views.RunView) (templ.Component, error)

// renderTab answers with one of a run's pages, or for htmx with its content.
func (s *Server) renderTab(w http.ResponseWriter, r *http.Request, tab string, body tabBody) error {
	id, err := pathVar(r, "run")
	if err != nil {
		return err
	}
	return s.serveCached(w, r, typeHTML, func(ctx context.Context, b *bytes.Buffer) error {
		at, err := s.momentOf(ctx, r)
		if err != nil {
			return err
		}
		d, err := s.detailOn(ctx, id, at)
		if err != nil {
			return err
		}
		view, err := s.headOn(ctx, r, d, tab)
		if err != nil {
			return err
		}
		if at == nil {
			view.Refresh.Tab = r.URL.RequestURI()
		}
		content, err := body(ctx, d, &view)
		if err != nil {
			return err
		}
		if isFragment(r) {
			return views.RunTabBody(view, content).Render(ctx, b)
		}
		return views.RunTab(view, content).Render(ctx, b)
	})
}

// showRunArtifacts is the page of what a run put out.
func (s *Server) showRunArtifacts(w http.ResponseWriter, r *http.Request) error {
	return s.renderTab(w, r, "artifacts", func(ctx context.Context, d wave.RunDetail, view *views.RunView) (_ templ.Component, err error) {
		view.Artifacts, err = s.artifactGroups(ctx, d)
		return views.ArtifactTable(*view), err
	})
}
