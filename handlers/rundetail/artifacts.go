package rundetail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/store"
	"wavedeck/store/criteria"
	"wavedeck/store/diagnose"
	"wavedeck/store/files"
	"wavedeck/store/redact"
	"wavedeck/store/wave"
	"wavedeck/views"
	"wavedeck/views/markup"
)

// artifactOf finds the output that the path names; ?attempt= chooses among those
// that several attempts left, the latest without it.
func (h *Handler) artifactOf(ctx context.Context, r *http.Request) (runview.ArtifactRef, error) {
	var ref runview.ArtifactRef
	var names [3]string
	for i, variable := range []string{"run", "step", "artifact"} {
		var err error
		if names[i], err = web.PathVar(r, variable); err != nil {
			return ref, err
		}
	}
	rows, err := h.Store.Artifact(ctx, names[0], names[1], names[2])
	if errors.Is(err, store.ErrNotFound) {
		return ref, &web.Error{
			Status: http.StatusNotFound, Err: err,
			Text: "step " + web.Quoted(present.Clip(names[1], 80)) + " of this run left no artifact " + web.Quoted(present.Clip(names[2], 80)),
			Next: "Its artifacts are listed at " + h.Paths.Run(names[0]) + "#artifacts.",
		}
	}
	if err != nil {
		return ref, err
	}
	ref = runview.ArtifactRef{Run: names[0], Attempts: rows, Attempt: len(rows)}
	if text := r.URL.Query().Get("attempt"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > len(rows) {
			return ref, &criteria.InputError{Field: "attempt", Got: present.Clip(text, 64), Want: fmt.Sprintf("a number from 1 to %d", len(rows))}
		}
		ref.Attempt = n
	}
	ref.Row = rows[ref.Attempt-1]
	return ref, nil
}

// showArtifact is the page of one output.
func (h *Handler) showArtifact(w http.ResponseWriter, r *http.Request) error {
	return h.ServeCached(w, r, web.TypeHTML, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		ref, err := h.artifactOf(ctx, r)
		if err != nil {
			return err
		}
		d, err := h.Store.Detail(ctx, ref.Run)
		if err != nil {
			return err
		}
		view := h.RunHeadView(r, d)
		view.Title = present.Redact(ref.Row.Name) + " of " + present.Redact(ref.Row.StepID) + " · " + view.Title
		view.Tabs = h.Tabs(d.Run.ID, "artifacts")
		view.Failure, view.Error, view.Refresh.Head, view.Refresh.Why = nil, "", "", "" // the output is what is asked for here
		found, err := h.ReplacedIn(ctx, d)
		if err != nil {
			return err
		}
		artifact, err := h.artifactView(ctx, view.Layout, ref, found)
		if err != nil {
			return err
		}
		return views.RunTab(view, views.Artifact(artifact)).Render(ctx, b)
	})
}

func (h *Handler) artifactView(ctx context.Context, chrome views.Layout, ref runview.ArtifactRef, found map[int64]diagnose.Replacement) (views.ArtifactView, error) {
	a := ref.Row
	v := views.ArtifactView{Layout: chrome, Step: a.StepID, ArtifactRow: h.artifactRow(ref.Run, a, found)}
	if len(ref.Attempts) > 1 {
		for i := range ref.Attempts {
			n := strconv.Itoa(i + 1)
			v.Attempts = append(v.Attempts, views.Option{
				Label: "attempt " + n, Count: -1, On: i+1 == ref.Attempt,
				Href: h.Paths.Artifact(ref.Run, a.StepID, a.Name) + "?attempt=" + n,
			})
		}
	}
	body, err := h.readArtifact(a)
	if refused, ok := errors.AsType[*web.Error](err); ok {
		v.Gone = refused.Text
		return v, nil
	}
	if err != nil {
		return v, err
	}
	at := url.Values{"attempt": {strconv.Itoa(ref.Attempt)}}
	v.RawURL = h.Paths.ArtifactRaw(ref.Run, a.StepID, a.Name, runview.With(at, "raw", "1"))
	v.Facts, v.Redacted, v.Size = body.mime, body.redacted, body.size
	shown := h.renderBody(ctx, markup.Body{
		Name: path.Base(a.Path), MIME: body.mime, Data: body.data, Size: body.total(), Heading: 2, ID: "body-",
		Image: h.Paths.ArtifactRaw(ref.Run, a.StepID, a.Name, runview.With(at, "image", "1")),
	}, body.kind)
	v.Body = shown.View()
	return v, nil
}

// renderBody renders the body of an artifact within Budgets.Render, and few at once:
// each may take all of a processor. One that does not get its turn, or ends too late,
// is shown as text, which costs next to nothing.
func (h *Handler) renderBody(ctx context.Context, body markup.Body, kind markup.Kind) markup.Shown {
	ctx, cancel := context.WithTimeout(ctx, h.Budgets.Render)
	defer cancel()
	select {
	case h.Renderings <- struct{}{}:
		defer func() { <-h.Renderings }()
	case <-ctx.Done():
	}
	return markup.Show(ctx, body, kind)
}

func (h *Handler) artifactRow(run string, a wave.Artifact, found map[int64]diagnose.Replacement) views.ArtifactRow {
	return present.Bounded(views.ArtifactRow{
		Name: a.Name, Path: a.Path, Type: a.Type, Size: a.Size, Created: a.CreatedAt,
		Preview: present.Opening(a.Preview), Href: h.Paths.Artifact(run, a.StepID, a.Name), Replaced: h.ReplacedView(found, a.ID),
	})
}

// artifactBody is the beginning of a file, without its secrets.
type artifactBody struct {
	kind     markup.Kind
	mime     string
	data     []byte // at most markup.MaxBody
	left     int64  // bytes that were not read
	size     int64  // of the file
	redacted int    // how many secrets were taken out
}

// total is how long the body would be had it been read whole.
func (b artifactBody) total() int64 { return int64(len(b.data)) + b.left }

func (h *Handler) readArtifact(a wave.Artifact) (artifactBody, error) {
	f, info, err := h.OpenArtifact(a)
	if err != nil {
		return artifactBody{}, err
	}
	defer f.Close()
	head, size, err := files.Head(f, info, markup.MaxBody)
	if err != nil {
		return artifactBody{}, fmt.Errorf("read artifact: %w", err)
	}
	b := artifactBody{mime: http.DetectContentType(head), data: head, size: size, left: size - int64(len(head))}
	b.kind = markup.Choose(path.Base(a.Path), a.Type, head[:min(len(head), 4096)])
	switch b.kind {
	case markup.Image:
	case markup.Binary:
		b.data, b.redacted = masked(head)
	default:
		decoded, charset, ok := markup.Decode(head)
		if !ok {
			b.kind = markup.Binary
			b.data, b.redacted = masked(head)
			break
		}
		b.kind = markup.Choose(path.Base(a.Path), a.Type, decoded[:min(len(decoded), 4096)])
		media, _, _ := strings.Cut(b.mime, ";")
		if !strings.HasPrefix(media, "text/") {
			media = "text/plain"
		}
		b.mime = media + "; charset=" + charset
		text, found := redact.Text(string(decoded))
		b.data, b.redacted = []byte(text), len(found)
	}
	return b, nil
}

// masked is the beginning of a file that is no text, as much of it as a dump shows,
// with * in place of each byte of a secret, also of one in characters of two bytes.
func masked(data []byte) ([]byte, int) {
	const shown, ahead = markup.MaxHex, 32 << 10
	out := bytes.Clone(data)
	secrets := 0
	for _, wide := range []bool{false, true} {
		var text []byte
		var at []int
		for i, c := range data[:min(len(data), shown+ahead)] {
			if !wide || c != 0 {
				text, at = append(text, c), append(at, i)
			}
		}
		_, found := redact.Text(string(text))
		for _, f := range found {
			for _, i := range at[f.Start:f.End] {
				if out[i] != 0 {
					out[i] = '*'
				}
			}
		}
		secrets = max(secrets, len(found))
	}
	return out, secrets
}

// artifactContent is an output for programs.
type artifactContent struct {
	present.ArtifactSummary
	RunID     string `json:"run_id"`
	MIMEType  string `json:"mime_type"`
	Attempt   int    `json:"attempt"`
	Attempts  int    `json:"attempts"`
	Content   string `json:"content,omitempty"` // of texts only, without secrets
	Truncated bool   `json:"truncated"`
	Redacted  int    `json:"redacted"`
}

// apiArtifact is one output as JSON; with raw=1 the file itself, with image=1 a
// picture for a page.
func (h *Handler) apiArtifact(w http.ResponseWriter, r *http.Request) error {
	ref, err := h.artifactOf(r.Context(), r)
	if err != nil {
		return err
	}
	replaced, err := h.ReplacedOf(r.Context(), ref)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	if q.Get("raw") != "" || q.Get("image") != "" {
		if replaced != nil {
			w.Header().Set(runview.HeaderReplaced, runview.HeaderText(present.Redact(replaced.Text())))
		}
		return h.sendFile(w, r, ref.Row, q.Get("image") != "")
	}
	body, err := h.readArtifact(ref.Row)
	if err != nil {
		return err
	}
	content := artifactContent{
		ArtifactSummary: present.ArtifactSummaryOf(ref.Row), RunID: ref.Run, MIMEType: body.mime, Attempt: ref.Attempt,
		Attempts: len(ref.Attempts), Truncated: body.left > 0, Redacted: body.redacted,
	}
	content.SizeBytes = body.size
	if replaced != nil {
		content.Replaced = &present.ReplacedSummary{Text: present.Redact(replaced.Text()), By: replaced.By}
	}
	if body.kind != markup.Image && body.kind != markup.Binary {
		content.Content = string(bytes.ToValidUTF8(body.data, []byte("\uFFFD")))
	}
	w.Header().Set("Cache-Control", "no-store")
	h.WriteJSON(w, r, http.StatusOK, content)
	return nil
}

// sendFile sends a whole file, secrets and all: who may open the console may
// open the project. It is offered for saving, never shown, but for a picture
// that is one by its bytes.
func (h *Handler) sendFile(w http.ResponseWriter, r *http.Request, a wave.Artifact, image bool) error {
	f, info, err := h.OpenArtifact(a)
	if err != nil {
		return err
	}
	defer f.Close()
	header := w.Header()
	header.Set("Content-Security-Policy", web.FilePolicy)
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Type", "text/plain; charset=utf-8")
	disposition := "attachment"
	if image {
		head := make([]byte, 512)
		n, _ := f.ReadAt(head, 0)
		if markup.Choose("", "", head[:n]) != markup.Image {
			return &web.Error{Status: http.StatusUnsupportedMediaType, Text: "the recorded file is not an image"}
		}
		header.Set("Content-Type", http.DetectContentType(head[:n]))
		disposition = "inline"
	}
	header.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": path.Base(a.Path)}))
	http.ServeContent(w, r, "", info.ModTime(), f)
	return nil
}
