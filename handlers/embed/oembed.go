package embed

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"wavedeck/handlers/present"
	"wavedeck/handlers/web"
	"wavedeck/store/criteria"
)

// oEmbed (oembed.com, 1.0) describes to other programs how to show an address of this program.
type oEmbed struct {
	Version      string `json:"version"`
	Type         string `json:"type"` // "rich", or "link" where no page of others may frame it
	Title        string `json:"title"`
	ProviderName string `json:"provider_name"`
	ProviderURL  string `json:"provider_url"`
	CacheAge     int    `json:"cache_age"`
	HTML         string `json:"html,omitempty"`
	Width        int    `json:"width,omitempty"`
	Height       int    `json:"height,omitempty"`
}

// shape is the default size of a frame of a kind.
type shape struct{ kind, label, resource string }

const frameWidth = 720

func frameHeight(kind string) int {
	switch kind {
	case "card", "latest":
		return 180
	case "log":
		return 520
	default:
		return 380
	}
}

// frameHTML is a frame as a page writes it.
func frameHTML(src, title string, width, height int) string {
	return `<iframe src="` + html.EscapeString(src) + `" title="` + html.EscapeString(title) +
		`" width="` + strconv.Itoa(width) + `" height="` + strconv.Itoa(height) + `" loading="lazy"></iframe>`
}

// oembed answers for the addresses of runs and pipelines.
func (h *Handler) oembed(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	if format := q.Get("format"); format != "" && format != "json" {
		return &web.Error{Status: http.StatusNotImplemented, Text: "the format " + web.Quoted(present.Clip(format, 20)) + " is not there", Next: "Ask for format=json."}
	}
	width, err := atMost(q, "maxwidth", frameWidth)
	if err != nil {
		return err
	}
	what, err := h.ownAddress(r.Context(), q.Get("url"), h.Origin(r))
	if err != nil {
		return err
	}
	height, err := atMost(q, "maxheight", frameHeight(what.kind))
	if err != nil {
		return err
	}
	at := h.Origin(r) + string(h.Paths)
	body := oEmbed{
		Version: "1.0", Type: "link", Title: what.label, ProviderName: "Wavedeck", ProviderURL: at + "/", CacheAge: 60,
	}
	if len(h.Access.Embed.Origins) > 0 && !h.gated() {
		body.Type, body.Width, body.Height = "rich", width, height
		body.HTML = frameHTML(at+web.EmbedRoot+"/"+what.resource, what.label, width, height)
	}
	w.Header().Set("Cache-Control", "no-cache")
	h.WriteJSON(w, r, http.StatusOK, body)
	return nil
}

// atMost is n, or less where the parameter says so.
func atMost(q url.Values, key string, n int) (int, error) {
	text := q.Get(key)
	if text == "" {
		return n, nil
	}
	most, err := strconv.Atoi(text)
	if err != nil || most < 1 {
		return 0, &criteria.InputError{Field: key, Got: present.Clip(text, 64), Want: "a number of pixels"}
	}
	return min(n, most), nil
}

// ownAddress is the part of the console that stands for an address of it. The
// address has to be one of this program: we would vouch for what it shows.
func (h *Handler) ownAddress(ctx context.Context, text, origin string) (shape, error) {
	wrong := &web.Error{
		Status: http.StatusNotFound, Text: "the address " + web.Quoted(present.Clip(text, 120)) + " is none of this console",
		Next: "It should be that of a run or a pipeline, below " + origin + string(h.Paths) + "/.",
	}
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.Scheme+"://"+u.Host != origin {
		return shape{}, wrong
	}
	rest, ok := strings.CutPrefix(u.EscapedPath(), string(h.Paths)+"/")
	if !ok {
		return shape{}, wrong
	}
	of, tab, err := parseShared(rest)
	if err != nil {
		return shape{}, wrong
	}
	switch {
	case of.Pipeline == "" && tab == "":
		tab = "card"
	case of.Pipeline == "" && tab == "artifacts":
		tab = "card"
	case of.Pipeline != "" && tab == "":
		tab = "history"
	}
	return h.shapeOf(ctx, of, tab)
}

// attribute is text within the quotes of an attribute.
func attribute(text string) string { return html.EscapeString(text) }
