package embed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"wavedeck/handlers/web"
	"wavedeck/static"
	"wavedeck/store/wave"
	"wavedeck/views"
	"wavedeck/views/excerpt"
	"wavedeck/views/legible"
)

// fragment makes a part of the console that may stand elsewhere. Links in it
// are made with c.Paths.
type fragment struct {
	topic  func(r *http.Request) (web.Topic, error) // what its stream is about
	styles []string                                 // what a document of it needs beside the console's own
	make   func(ctx context.Context, r *http.Request, h *Handler) (fragmentView, error)
}

// fragmentView is a part of the console before it is embedded.
type fragmentView struct {
	title string // says what it is to who cannot see the page around it
	page  string // the page that it is taken from
	body  templ.Component
}

// embedding is a parsed request for a fragment.
type embedding struct {
	look     theme
	document bool
	bearer   *bearer // nil: asked without a token
}

// routeEmbed is for what pages of others may show: as a document in a frame or as a
// fragment, to who may read the console or to who holds a token for it.
func (h *Handler) routeEmbed(on web.Router, path string, e fragment) {
	for _, root := range []string{web.EmbedRoot, web.FragmentRoot} {
		theHandler := on.SignedIn(h.serveFragment(e, root == web.EmbedRoot)).Served(h.Kit)
		on.Base.Handle(root+path, theHandler).Methods(http.MethodGet, http.MethodHead)
		on.Base.Handle(root+"/t/{token}"+path, theHandler).Methods(http.MethodGet, http.MethodHead)
	}
}

// serveFragment answers with e: as a document, as a fragment, or to who asks for a
// stream with a word whenever it may have changed.
func (h *Handler) serveFragment(e fragment, document bool) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		holder, err := h.authorise(w, r)
		if err != nil {
			return err
		}
		topic, err := e.topic(r)
		if err != nil {
			return err
		}
		if !document && strings.HasPrefix(r.Header.Get("Accept"), web.TypeEventStream) {
			return h.Counted(func(w http.ResponseWriter, r *http.Request) error { return h.StreamTopic(w, r, topic, holder.until()) })(w, r)
		}
		look, err := parseTheme(r.URL.Query())
		if err != nil {
			return err
		}
		asked := embedding{look: look, document: document, bearer: holder}
		return h.ServeCached(w, r, web.TypeHTML, func(r *http.Request, b *bytes.Buffer) error {
			ctx := r.Context()
			return h.writeFragment(ctx, b, r, e, asked)
		})
	}
}

func (h *Handler) writeFragment(ctx context.Context, b *bytes.Buffer, r *http.Request, e fragment, asked embedding) error {
	made, err := e.make(ctx, r, h)
	if err != nil {
		return err
	}
	body, err := h.renderFragment(ctx, asked.look, made, h.Origin(r))
	if err != nil {
		return err
	}
	if !asked.document {
		b.Write(body)
		return nil
	}
	return views.EmbedPage(h.embedView(r, asked, made.title, body, e.styles)).Render(ctx, b)
}

// renderFragment renders what was made and makes it fit for other pages.
func (h *Handler) renderFragment(ctx context.Context, look theme, made fragmentView, origin string) ([]byte, error) {
	var part bytes.Buffer
	if err := views.Fragment(look.Look, nil).Render(ctx, &part); err != nil {
		return nil, err
	}
	frame := part.String()
	part.Reset()
	if err := made.body.Render(ctx, &part); err != nil {
		return nil, err
	}
	page, err := url.Parse(origin)
	if err == nil {
		page, err = page.Parse(made.page)
	}
	if err != nil {
		return nil, fmt.Errorf("address of an excerpt's page: %w", err)
	}
	sum := sha256.Sum256([]byte(made.page + made.title))
	open, closing, _ := strings.Cut(frame, "></div>")
	var out bytes.Buffer
	out.WriteString(open + ">")
	now := h.Now()
	err = excerpt.Write(&out, part.Bytes(), excerpt.Options{
		Page: page, Prefix: "wd" + hex.EncodeToString(sum[:3]) + "-", Symbol: static.Symbol,
		Time:  func(t time.Time, clock bool) string { return look.time(t, now, clock) },
		Since: func(t time.Time) string { return "since " + look.time(t, now, false) },
	})
	out.WriteString("</div>" + closing)
	return out.Bytes(), err
}

// embedView is the document around a fragment.
func (h *Handler) embedView(r *http.Request, asked embedding, title string, body []byte, styles []string) views.EmbedView {
	v := views.EmbedView{
		Layout: views.Layout{Paths: h.Paths, Title: legible.Name(title), Now: h.Now()}, Look: asked.look.Look,
		Styles: styles, Body: body, Parents: h.framedBy(asked.bearer),
	}
	if asked.look.vars != "" {
		v.Look.Stylesheet = h.Paths.EmbedTheme(asked.look.vars)
	}
	v.Source = strings.Replace(r.URL.EscapedPath(), web.EmbedRoot, web.FragmentRoot, 1)
	if r.URL.RawQuery != "" {
		v.Source += "?" + r.URL.RawQuery
	}
	if !asked.bearer.until().IsZero() {
		v.Expires = asked.bearer.until().Unix()
	}
	return v
}

// serveTheme is the stylesheet of an embed's colours and lengths.
func (h *Handler) serveTheme(w http.ResponseWriter, r *http.Request) error {
	look, err := parseTheme(r.URL.Query())
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "public, max-age=86400")
	h.Send(w, r, http.StatusOK, "text/css; charset=utf-8", []byte(look.css()))
	return nil
}

// topicOfRun is the run that the address names.
func topicOfRun(r *http.Request) (web.Topic, error) {
	id, err := web.PathVar(r, "run")
	return web.Topic{Runs: []string{id}}, err
}

func topicOfList(*http.Request) (web.Topic, error) { return web.Topic{List: true}, nil }

// FailFragment answers with an error inside a frame or a page of others.
func (h *Handler) FailFragment(w http.ResponseWriter, r *http.Request, failure *web.Error) {
	title := http.StatusText(failure.Status)
	view := views.ErrorView{Status: failure.Status, Heading: title, Text: failure.Text, Next: failure.Next, RequestID: web.RequestID(r.Context())}
	look, err := parseTheme(r.URL.Query())
	if err != nil {
		look, _ = parseTheme(nil)
	}
	made := fragmentView{title: title, page: h.Paths.Runs(nil), body: views.TroubleFragment(view)}
	body, err := h.renderFragment(r.Context(), look, made, h.Origin(r))
	if err != nil {
		h.Log.ErrorContext(r.Context(), "failed to render an embed", "request", view.RequestID, "err", err)
		http.Error(w, failure.Text, failure.Status)
		return
	}
	if h.Below(r, web.FragmentRoot) {
		h.Respond(w, r, failure.Status, web.TypeHTML, func(b *bytes.Buffer) error { b.Write(body); return nil })
		return
	}
	page := h.embedView(r, embedding{look: look}, title, body, nil)
	page.Source, page.State = "", "refused"
	if failure.Status == http.StatusGone {
		page.State = "expired"
	}
	h.WriteHTML(w, r, failure.Status, views.EmbedPage(page))
}

// detailOf reads the run that the address names.
func (h *Handler) detailOf(ctx context.Context, r *http.Request) (wave.RunDetail, error) {
	id, err := web.PathVar(r, "run")
	if err != nil {
		return wave.RunDetail{}, err
	}
	return h.Store.Detail(ctx, id) //nolint:wrapcheck // described by the error table
}
