package handlers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"

	"wavedeck/store"
	"wavedeck/store/criteria"
	"wavedeck/store/files"
	"wavedeck/store/redact"
	"wavedeck/store/wave"
	"wavedeck/views"
	"wavedeck/views/markup"
)

// artifactRef is an output of a run that an address names: one attempt's row,
// and all rows of that output.
type artifactRef struct {
	run      string
	row      wave.Artifact
	attempt  int // from 1
	attempts []wave.Artifact
}

// artifactOf finds the output that the path names; ?attempt= chooses among those
// that several attempts left, the latest without it.
func (s *Server) artifactOf(ctx context.Context, r *http.Request) (artifactRef, error) {
	var ref artifactRef
	var names [3]string
	for i, variable := range []string{"run", "step", "artifact"} {
		var err error
		if names[i], err = pathVar(r, variable); err != nil {
			return ref, err
		}
	}
	rows, err := s.store.Artifact(ctx, names[0], names[1], names[2])
	if errors.Is(err, store.ErrNotFound) {
		return ref, &httpError{
			status: http.StatusNotFound, err: err,
			text: "step " + quoted(clip(names[1], 80)) + " of this run left no artifact " + quoted(clip(names[2], 80)),
			next: "What it left stands at " + s.paths.Run(names[0]) + "#artifacts.",
		}
	}
	if err != nil {
		return ref, err
	}
	ref = artifactRef{run: names[0], attempts: rows, attempt: len(rows)}
	if text := r.URL.Query().Get("attempt"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > len(rows) {
			return ref, &criteria.InputError{Field: "attempt", Got: clip(text, 64), Want: fmt.Sprintf("a number from 1 to %d", len(rows))}
		}
		ref.attempt = n
	}
	ref.row = rows[ref.attempt-1]
	return ref, nil
}

// openArtifact opens an artifact's file. Nothing outside the project is ever
// opened, nor a database of Wave's or a file of the console, which may lie in the project too:
// ours hold the secrets of webhooks.
func (s *Server) openArtifact(a wave.Artifact) (*os.File, os.FileInfo, error) {
	project := s.manifest.Current().Project
	f, info, err := files.Open(project.Root, a.Path, project.Databases()...)
	if err != nil {
		return nil, nil, refusal(err)
	}
	return f, info, nil
}

// refusal says why a file is not served. The name was recorded by whoever ran
// the step; it is not repeated here.
func refusal(err error) error {
	for _, known := range []struct {
		err    error
		status int
	}{
		{files.ErrGone, http.StatusNotFound}, {files.ErrName, http.StatusNotFound}, {files.ErrDirectory, http.StatusNotFound},
		{files.ErrOutside, http.StatusForbidden}, {files.ErrUnreachable, http.StatusForbidden}, {files.ErrForbidden, http.StatusForbidden},
		{files.ErrPrivate, http.StatusForbidden},
		{files.ErrFIFO, http.StatusForbidden}, {files.ErrSocket, http.StatusForbidden}, {files.ErrDevice, http.StatusForbidden},
	} {
		if errors.Is(err, known.err) {
			return &httpError{status: known.status, text: "the recorded file " + known.err.Error(), err: err}
		}
	}
	return fmt.Errorf("open artifact: %w", err)
}

// showArtifact is the page of one output.
func (s *Server) showArtifact(w http.ResponseWriter, r *http.Request) error {
	return s.serveCached(w, r, typeHTML, func(ctx context.Context, b *bytes.Buffer) error {
		ref, err := s.artifactOf(ctx, r)
		if err != nil {
			return err
		}
		d, err := s.store.Detail(ctx, ref.run)
		if err != nil {
			return err
		}
		view := s.runHeadView(r, d)
		view.Title = shown(ref.row.Name) + " of " + shown(ref.row.StepID) + " · " + view.Title
		view.Tabs = s.tabs(d.Run.ID, "artifacts")
		view.Failure, view.Error, view.Refresh.Head, view.Refresh.Why = nil, "", "", "" // the output is what is asked for here
		found, err := s.replacedIn(ctx, d)
		if err != nil {
			return err
		}
		artifact, err := s.artifactView(ctx, view.Chrome, ref, found)
		if err != nil {
			return err
		}
		return views.RunTab(view, views.Artifact(artifact)).Render(ctx, b)
	})
}

func (s *Server) artifactView(ctx context.Context, chrome views.Chrome, ref artifactRef, found map[int64]store.Replacement) (views.ArtifactView, error) {
	a := ref.row
	v := views.ArtifactView{Chrome: chrome, Step: a.StepID, ArtifactRow: s.artifactRow(ref.run, a, found)}
	if len(ref.attempts) > 1 {
		for i := range ref.attempts {
			n := strconv.Itoa(i + 1)
			v.Attempts = append(v.Attempts, views.Option{
				Label: "attempt " + n, Count: -1, On: i+1 == ref.attempt,
				Href: s.paths.Artifact(ref.run, a.StepID, a.Name) + "?attempt=" + n,
			})
		}
	}
	body, err := s.readArtifact(a)
	if refused, ok := errors.AsType[*httpError](err); ok {
		v.Gone = refused.text
		return v, nil
	}
	if err != nil {
		return v, err
	}
	at := url.Values{"attempt": {strconv.Itoa(ref.attempt)}}
	v.RawURL = s.paths.ArtifactRaw(ref.run, a.StepID, a.Name, with(at, "raw", "1"))
	v.Facts, v.Redacted, v.Size = body.mime, body.redacted, body.size
	shown := s.renderBody(ctx, markup.Body{
		Name: path.Base(a.Path), MIME: body.mime, Data: body.data, Size: body.total(), Heading: 2, ID: "body-",
		Image: s.paths.ArtifactRaw(ref.run, a.StepID, a.Name, with(at, "image", "1")),
	}, body.kind)
	v.Body = shown.View()
	return v, nil
}

// renderBody renders the body of an artifact within Budgets.Render, and few at once:
// each may take all of a processor. One that does not get its turn, or ends too late,
// is shown as text, which costs next to nothing.
func (s *Server) renderBody(ctx context.Context, body markup.Body, kind markup.Kind) markup.Shown {
	ctx, cancel := context.WithTimeout(ctx, s.budgets.Render)
	defer cancel()
	select {
	case s.renderings <- struct{}{}:
		defer func() { <-s.renderings }()
	case <-ctx.Done():
	}
	return markup.Show(ctx, body, kind)
}

func (s *Server) artifactRow(run string, a wave.Artifact, found map[int64]store.Replacement) views.ArtifactRow {
	return bounded(views.ArtifactRow{
		Name: a.Name, Path: a.Path, Type: a.Type, Size: a.Size, Created: a.CreatedAt,
		Preview: opening(a.Preview), Href: s.paths.Artifact(run, a.StepID, a.Name), Replaced: s.replacedView(found, a.ID),
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

func (s *Server) readArtifact(a wave.Artifact) (artifactBody, error) {
	f, info, err := s.openArtifact(a)
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
	artifactSummary
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
func (s *Server) apiArtifact(w http.ResponseWriter, r *http.Request) error {
	ref, err := s.artifactOf(r.Context(), r)
	if err != nil {
		return err
	}
	replaced, err := s.replacedOf(r.Context(), ref)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	if q.Get("raw") != "" || q.Get("image") != "" {
		if replaced != nil {
			w.Header().Set(headerReplaced, headerText(shown(replaced.Text())))
		}
		return s.sendFile(w, r, ref.row, q.Get("image") != "")
	}
	body, err := s.readArtifact(ref.row)
	if err != nil {
		return err
	}
	content := artifactContent{
		artifactSummary: artifactSummaryOf(ref.row), RunID: ref.run, MIMEType: body.mime, Attempt: ref.attempt,
		Attempts: len(ref.attempts), Truncated: body.left > 0, Redacted: body.redacted,
	}
	content.SizeBytes = body.size
	if replaced != nil {
		content.Replaced = &replacedSummary{Text: shown(replaced.Text()), By: replaced.By}
	}
	if body.kind != markup.Image && body.kind != markup.Binary {
		content.Content = string(bytes.ToValidUTF8(body.data, []byte("\uFFFD")))
	}
	w.Header().Set("Cache-Control", "no-store")
	s.writeJSON(w, r, http.StatusOK, content)
	return nil
}

// filePolicy is for bytes that others wrote: whatever a browser takes them for,
// they can do nothing.
const filePolicy = "default-src 'none'; sandbox"

// sendFile sends a whole file, secrets and all: who may open the console may
// open the project. It is offered for saving, never shown, but for a picture
// that is one by its bytes.
func (s *Server) sendFile(w http.ResponseWriter, r *http.Request, a wave.Artifact, image bool) error {
	f, info, err := s.openArtifact(a)
	if err != nil {
		return err
	}
	defer f.Close()
	header := w.Header()
	header.Set("Content-Security-Policy", filePolicy)
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Type", "text/plain; charset=utf-8")
	disposition := "attachment"
	if image {
		head := make([]byte, 512)
		n, _ := f.ReadAt(head, 0)
		if markup.Choose("", "", head[:n]) != markup.Image {
			return &httpError{status: http.StatusUnsupportedMediaType, text: "the recorded file is no picture"}
		}
		header.Set("Content-Type", http.DetectContentType(head[:n]))
		disposition = "inline"
	}
	header.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": path.Base(a.Path)}))
	http.ServeContent(w, r, "", info.ModTime(), f)
	return nil
}
