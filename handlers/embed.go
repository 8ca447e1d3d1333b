package handlers

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

	"wavedeck/static"
	"wavedeck/store/wave"
	"wavedeck/views"
	"wavedeck/views/excerpt"
)

// Where parts of the console are served to pages of others: as documents for
// frames, and as fragments of a page.
const (
	embedRoot    = "/embed/v1"
	fragmentRoot = "/fragments/v1"
	badgeRoot    = "/badge/v1"
)

// excerptOf makes a part of the console that may stand elsewhere. Links in it
// are made with c.Paths.
type excerptOf struct {
	topic  func(r *http.Request) (topic, error) // what its stream is about
	styles []string                             // what a document of it needs beside the console's own
	make   func(ctx context.Context, r *http.Request, s *Server) (excerptView, error)
}

// excerptView is a part of the console before it becomes an excerpt.
type excerptView struct {
	title string // says what it is to who cannot see the page around it
	page  string // the page that it is taken from
	body  templ.Component
}

// embedding is a request for an excerpt, understood.
type embedding struct {
	look     look
	document bool
	holder   *holder // nil: asked without a token
}

// routeEmbed is for what pages of others may show: as a document in a frame or as a
// fragment, to who may read the console or to who holds a token for it.
func (s *Server) routeEmbed(on routing, path string, e excerptOf) {
	for _, root := range []string{embedRoot, fragmentRoot} {
		h := on.signedIn(s.excerpt(e, root == embedRoot)).served(s)
		on.base.Handle(root+path, h).Methods(http.MethodGet, http.MethodHead)
		on.base.Handle(root+"/t/{token}"+path, h).Methods(http.MethodGet, http.MethodHead)
	}
}

// excerpt answers with e: as a document, as a fragment, or to who asks for a
// stream with a word whenever it may have changed.
func (s *Server) excerpt(e excerptOf, document bool) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		holder, err := s.admitted(w, r)
		if err != nil {
			return err
		}
		topic, err := e.topic(r)
		if err != nil {
			return err
		}
		if !document && strings.HasPrefix(r.Header.Get("Accept"), typeEventStream) {
			return s.counted(func(w http.ResponseWriter, r *http.Request) error { return s.streamTopic(w, r, topic, holder.until()) })(w, r)
		}
		look, err := parseLook(r.URL.Query())
		if err != nil {
			return err
		}
		asked := embedding{look: look, document: document, holder: holder}
		return s.serveCached(w, r, typeHTML, func(ctx context.Context, b *bytes.Buffer) error {
			return s.writeExcerpt(ctx, b, r, e, asked)
		})
	}
}

func (s *Server) writeExcerpt(ctx context.Context, b *bytes.Buffer, r *http.Request, e excerptOf, asked embedding) error {
	made, err := e.make(ctx, r, s)
	if err != nil {
		return err
	}
	body, err := s.excerpted(ctx, asked.look, made, s.origin(r))
	if err != nil {
		return err
	}
	if !asked.document {
		b.Write(body)
		return nil
	}
	return views.EmbedPage(s.embedView(r, asked, made.title, body, e.styles)).Render(ctx, b)
}

// excerpted renders what was made and makes it fit for other pages.
func (s *Server) excerpted(ctx context.Context, look look, made excerptView, origin string) ([]byte, error) {
	var part bytes.Buffer
	if err := views.Excerpt(look.Look, nil).Render(ctx, &part); err != nil {
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
	now := s.now()
	err = excerpt.Write(&out, part.Bytes(), excerpt.Options{
		Page: page, Prefix: "wd" + hex.EncodeToString(sum[:3]) + "-", Symbol: static.Symbol,
		Time:  func(t time.Time, clock bool) string { return look.time(t, now, clock) },
		Since: func(t time.Time) string { return "since " + look.time(t, now, false) },
	})
	out.WriteString("</div>" + closing)
	return out.Bytes(), err
}

// embedView is the document around an excerpt.
func (s *Server) embedView(r *http.Request, asked embedding, title string, body []byte, styles []string) views.EmbedView {
	v := views.EmbedView{
		Chrome: views.Chrome{Paths: s.paths, Title: title, Now: s.now()}, Look: asked.look.Look,
		Styles: styles, Body: body, Parents: s.framedBy(asked.holder),
	}
	if asked.look.vars != "" {
		v.Look.Stylesheet = s.paths.EmbedTheme(asked.look.vars)
	}
	v.Source = strings.Replace(r.URL.EscapedPath(), embedRoot, fragmentRoot, 1)
	if r.URL.RawQuery != "" {
		v.Source += "?" + r.URL.RawQuery
	}
	if !asked.holder.until().IsZero() {
		v.Expires = asked.holder.until().Unix()
	}
	return v
}

// serveTheme is the stylesheet of an embed's colours and lengths.
func (s *Server) serveTheme(w http.ResponseWriter, r *http.Request) error {
	look, err := parseLook(r.URL.Query())
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "public, max-age=86400")
	s.send(w, r, http.StatusOK, "text/css; charset=utf-8", []byte(look.css()))
	return nil
}

// topicOfRun is the run that the address names.
func topicOfRun(r *http.Request) (topic, error) {
	id, err := pathVar(r, "run")
	return topic{runs: []string{id}}, err
}

func topicOfList(*http.Request) (topic, error) { return topic{list: true}, nil }

// failExcerpt answers with an error inside a frame or a page of others.
func (s *Server) failExcerpt(w http.ResponseWriter, r *http.Request, told *httpError) {
	title := http.StatusText(told.status)
	view := views.ErrorView{Status: told.status, Heading: title, Text: told.text, Next: told.next, RequestID: requestID(r.Context())}
	look, err := parseLook(r.URL.Query())
	if err != nil {
		look, _ = parseLook(nil)
	}
	made := excerptView{title: title, page: s.paths.Runs(nil), body: views.TroubleExcerpt(view)}
	body, err := s.excerpted(r.Context(), look, made, s.origin(r))
	if err != nil {
		s.log.ErrorContext(r.Context(), "render excerpt", "request", view.RequestID, "error", err)
		http.Error(w, told.text, told.status)
		return
	}
	if s.below(r, fragmentRoot) {
		s.write(w, r, told.status, typeHTML, func(b *bytes.Buffer) error { b.Write(body); return nil })
		return
	}
	page := s.embedView(r, embedding{look: look}, title, body, nil)
	page.Source, page.State = "", "refused"
	if told.status == http.StatusGone {
		page.State = "expired"
	}
	s.writeHTML(w, r, told.status, views.EmbedPage(page))
}

// below reports whether the address of a request is below root.
func (s *Server) below(r *http.Request, root string) bool {
	return strings.HasPrefix(r.URL.Path, string(s.paths)+root+"/")
}

// detailOf reads the run that the address names.
func (s *Server) detailOf(ctx context.Context, r *http.Request) (wave.RunDetail, error) {
	id, err := pathVar(r, "run")
	if err != nil {
		return wave.RunDetail{}, err
	}
	return s.store.Detail(ctx, id) //nolint:wrapcheck // described by the error table
}
