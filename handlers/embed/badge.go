package embed

import (
	"bytes"
	"cmp"
	"context"
	"net/http"
	"strings"

	"wavedeck/handlers/present"
	"wavedeck/handlers/web"
	"wavedeck/store/wave"
	"wavedeck/views"
	"wavedeck/views/legible"
)

// badgeText bounds what a badge says.
const badgeText = 60

// badgeResponse is what shields.io reads of an endpoint; it refuses more fields.
type badgeResponse struct {
	SchemaVersion int    `json:"schemaVersion"`
	Label         string `json:"label"`
	Message       string `json:"message"`
	Color         string `json:"color"`
	IsError       bool   `json:"isError,omitempty"`
}

// badge is how a pipeline's last run stands, as a picture or as JSON.
func (h *Handler) badge(w http.ResponseWriter, r *http.Request) error {
	if _, err := h.authorise(w, r); err != nil {
		return err
	}
	w.Header().Set("Content-Security-Policy", web.ContentPolicy) // a picture, which nobody frames
	asJSON := strings.HasSuffix(r.URL.Path, ".json")
	contentType := "image/svg+xml"
	if asJSON {
		contentType = web.TypeJSON
	}
	name, err := web.PathVar(r, "pipeline")
	if err != nil {
		return err
	}
	return h.ServeCached(w, r, contentType, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		view, err := h.badgeView(ctx, name)
		if err != nil {
			return err
		}
		if asJSON {
			return web.EncodeJSON(b, badgeResponse{
				SchemaVersion: 1, Label: view.Label, Message: view.Word,
				Color: views.BadgeColour(view.State), IsError: wave.State(view.State) == wave.Unknown,
			})
		}
		return views.Badge(view).Render(ctx, b)
	})
}

// badgeView describes the last run of a pipeline; what is not known is unknown, also
// a pipeline that there is not.
func (h *Handler) badgeView(ctx context.Context, name string) (views.BadgeView, error) {
	view := views.BadgeView{Label: present.Clip(legible.Name(cmp.Or(name, "wave")), badgeText), State: string(wave.Unknown), Word: string(wave.Unknown)}
	history, err := h.History(ctx, name)
	if err != nil || len(history.Recent) == 0 {
		return view, err
	}
	for _, last := range history.Recent {
		if !last.DryRun { // that says nothing of the pipeline
			view.State, view.Word = string(last.State), present.RunWord(last)
			break
		}
	}
	return view, nil
}
