package rundetail

import (
	"bytes"
	"context"
	"net/http"

	"github.com/a-h/templ"

	"wavedeck/handlers/web"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// showRunWhy is the panel alone, which a page asks for more often than the rest.
func (h *Handler) showRunWhy(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathVar(r, "run")
	if err != nil {
		return err
	}
	return h.ServeCached(w, r, web.TypeHTML, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		run, err := h.Store.Run(ctx, id)
		if err != nil {
			return err
		}
		view := views.RunView{Layout: h.Layout(r, "runs", "", ""), RunID: id, Refresh: views.RunRefresh{Why: h.Paths.RunPart(id, "why")}}
		if view.Diagnosis, err = h.DiagnosisView(ctx, run); err != nil {
			return err
		}
		return views.RunWhy(view).Render(ctx, b)
	})
}

// tabBody makes the content of one of a run's pages. It may add to the view.
type tabBody func(ctx context.Context, d wave.RunDetail, view *views.RunView) (templ.Component, error)

// renderTab answers with one of a run's pages, or for htmx with its content.
func (h *Handler) renderTab(w http.ResponseWriter, r *http.Request, tab string, body tabBody) error {
	id, err := web.PathVar(r, "run")
	if err != nil {
		return err
	}
	return h.ServeCached(w, r, web.TypeHTML, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		at, err := h.MomentOf(ctx, r)
		if err != nil {
			return err
		}
		d, err := h.DetailAsOf(ctx, id, at)
		if err != nil {
			return err
		}
		view, err := h.HeadAsOf(ctx, r, d, tab)
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
		if web.IsFragment(r) {
			return views.RunTabBody(view, content).Render(ctx, b)
		}
		return views.RunTab(view, content).Render(ctx, b)
	})
}

// showRunArtifacts is the page of what a run put out.
func (h *Handler) showRunArtifacts(w http.ResponseWriter, r *http.Request) error {
	return h.renderTab(w, r, "artifacts", func(ctx context.Context, d wave.RunDetail, view *views.RunView) (_ templ.Component, err error) {
		view.Artifacts, err = h.artifactGroups(ctx, d)
		return views.ArtifactTable(*view), err
	})
}
