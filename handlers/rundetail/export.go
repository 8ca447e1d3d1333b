package rundetail

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/a-h/templ"

	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/static"
	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
	"wavedeck/views"
	"wavedeck/views/dag"
	"wavedeck/views/excerpt"
	"wavedeck/views/markup"
	"wavedeck/views/timeline"
)

// Bounds of an exported run, in bytes of HTML. The log has what the others leave.
const (
	exportPart     = 3_000_000 // of the steps, the timeline, the graph, and so on
	exportArtifact = 300_000
	exportPictures = 1_000_000 // of one picture
	exportOutputs  = 5_000_000 // of all artifacts
)

// exportStyles are the looks of everything that an exported run shows.
//
//nolint:gochecknoglobals // a list cannot be a constant
var exportStyles = []string{"app.css", "timeline.css", "dag.css", "log.css", "ansi.css", "markup.css", "export.css"}

// exportRun is a run as one file of HTML that opens without the console: it loads
// nothing, runs nothing and leads nowhere outside. It is written part by part.
func (h *Handler) exportRun(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	id, err := web.PathVar(r, "run")
	if err != nil {
		return err
	}
	at, err := h.MomentOf(ctx, r)
	if err != nil {
		return err
	}
	d, err := h.DetailAsOf(ctx, id, at)
	if err != nil {
		return err
	}
	view, err := h.runDetailView(ctx, r, d, runview.EventWindow{})
	if err != nil {
		return err
	}
	view.Run.Acts, view.Run.At = views.RunActions{}, ""
	listChildren(&view, d, len(d.Children)) // in a file nothing stands behind a link
	if at != nil {
		runview.StillRows(view.ChildRows, at.Time)
	}
	x := &exporter{h: h, d: d, view: view, left: h.ExportBytes}
	head, end, err := x.shell(ctx)
	if err != nil {
		return err
	}
	x.out = h.StartFlow(w, r, web.TypeHTML)
	w.Header().Set("Content-Disposition", `attachment; filename="`+runview.FileName(id)+`.html"`)
	w.Header().Set("Content-Security-Policy", web.FilePolicy) // its own policy stands in it, for when it is opened from a disk
	if r.Method == http.MethodHead {
		return nil
	}
	x.out.Buf.WriteString(head)
	err = x.parts(ctx)
	if err == nil {
		x.out.Buf.WriteString(end)
		err = x.out.Flush()
	}
	if err != nil && !errors.Is(err, web.ErrClientGone) {
		return h.BreakOff(ctx, err)
	}
	return err
}

// exporter writes a run as one file.
type exporter struct {
	h       *Handler
	d       wave.RunDetail
	view    views.RunView
	out     *web.ResponseStream
	left    int      // bytes that may still be written
	leftOut []string // what was not, in words
}

// shell is what is written before and after the parts.
func (x *exporter) shell(ctx context.Context) (head, end string, err error) {
	style := static.Text(exportStyles...)
	v := views.ExportView{Layout: x.view.Layout, RunID: x.d.Run.ID, Style: style, Policy: views.ExportPolicy(style), Parts: []views.ExportSection{
		{Anchor: "head", Title: "Summary"}, {Anchor: "steps", Title: "Steps"}, exportTimeline, exportGraph,
		{Anchor: "artifacts", Title: "Artifacts"}, exportLog, exportEnd,
	}}
	v.Now = x.h.Now()
	var b bytes.Buffer
	if err := views.ExportPage(v).Render(ctx, &b); err != nil {
		return "", "", fmt.Errorf("render file of %s: %w", x.d.Run.ID, err)
	}
	head, end, _ = strings.Cut(b.String(), views.ExportMark)
	return head, end, nil
}

//nolint:gochecknoglobals // read only
var (
	exportTimeline = views.ExportSection{Anchor: "timeline", Title: "Timeline"}
	exportGraph    = views.ExportSection{Anchor: "graph-part", Title: "Graph"}
	exportOutput   = views.ExportSection{Anchor: "contents", Title: "Content of artifacts"}
	exportLog      = views.ExportSection{Anchor: "log", Title: "Log"}
	exportEnd      = views.ExportSection{Anchor: "left-out", Title: "What this file leaves out"}
)

func (x *exporter) parts(ctx context.Context) error {
	v := x.view
	lanes, err := x.h.Lanes(ctx, x.d, true)
	if err != nil {
		return err
	}
	whole, _ := timeline.ParseQuery(nil)
	layout, options := x.h.RunPicture(x.d)
	options.Sprite = x.h.Sprite()
	parts := []struct {
		name string
		body templ.Component
	}{
		{"the header", views.RunHead(v)},
		{"why it is not moving", views.RunWhy(v)},
		{"the steps", views.RunSteps(v)},
		{"the timeline", views.ExportPart(exportTimeline, timeline.Timeline(timeline.View{
			ID: "waterfall", Query: whole, Sprite: x.h.Sprite(), Link: func(url.Values) string { return "" },
			Run: timeline.Run{Start: x.d.Run.StartedAt, End: runview.EndOf(x.d.Run), Now: x.h.NowOf(x.d), Lanes: lanes},
		}))},
		{"the graph", views.ExportPart(exportGraph, templ.Join(dag.Problems(layout), dag.Graph(layout, options)))},
		{"outcomes, decisions and checkpoints", views.RunOutcomes(v)},
		{"parents and children", views.RunFamily(v)},
		{"the list of artifacts", views.RunArtifacts(v)},
	}
	for _, p := range parts {
		html, err := x.Made(ctx, p.body)
		if err != nil {
			return err
		}
		if err := x.write(ctx, p.name, html, exportPart); err != nil {
			return err
		}
	}
	if err := x.artifacts(ctx); err != nil {
		return err
	}
	if err := x.log(ctx); err != nil {
		return err
	}
	return x.raw(ctx, views.ExportPart(exportEnd, views.ExportEnd(x.leftOut)))
}

// Made renders a part so that it can stand alone.
func (x *exporter) Made(ctx context.Context, body templ.Component) ([]byte, error) {
	var rendered, out bytes.Buffer
	if err := body.Render(ctx, &rendered); err != nil {
		return nil, fmt.Errorf("render part of %s: %w", x.d.Run.ID, err)
	}
	page, err := url.Parse(x.h.Paths.Run(x.d.Run.ID))
	if err != nil {
		return nil, fmt.Errorf("address of %s: %w", x.d.Run.ID, err)
	}
	err = excerpt.Write(&out, rendered.Bytes(), excerpt.Options{
		Page: page, Symbol: static.Symbol, Link: func(to *url.URL) string { return within(to, page) },
		Time: func(t time.Time, clock bool) string {
			if clock {
				return t.UTC().Format(time.TimeOnly)
			}
			return t.UTC().Format(time.DateTime)
		},
		Since: func(t time.Time) string { return "since " + t.UTC().Format(time.DateTime) },
	})
	return out.Bytes(), err //nolint:wrapcheck // into memory
}

// within is where a link to the run's own pages leads in the file; other links
// lead nowhere.
func within(to, page *url.URL) string {
	switch {
	case to.Fragment == "":
	case to.Path == page.Path, to.Path == page.Path+"/log":
		return "#" + to.EscapedFragment()
	}
	return ""
}

// write writes a part, or leaves it out and says so where it is larger than most
// or than what is left.
func (x *exporter) write(ctx context.Context, name string, html []byte, most int) error {
	if len(html) > most || len(html) > x.left {
		return x.Leave(ctx, name+", "+views.Bytes(int64(len(html))))
	}
	return x.Put(html)
}

// Leave says in its place and at the end that something is left out.
func (x *exporter) Leave(ctx context.Context, what string) error {
	x.Without(what)
	return x.raw(ctx, views.ExportLeftOut("Left out of this file: "+what+"."))
}

// raw writes what is the file's own.
func (x *exporter) raw(ctx context.Context, c templ.Component) error {
	before := x.out.Buf.Len()
	if err := c.Render(ctx, &x.out.Buf); err != nil {
		return fmt.Errorf("render file: %w", err)
	}
	x.left -= x.out.Buf.Len() - before
	return x.out.Flush()
}

// log writes the run's log.
func (x *exporter) log(ctx context.Context) error {
	x.out.Buf.WriteString(`<section id="log" class="part" aria-labelledby="log-head"><h2 id="log-head">` + exportLog.Title + `</h2><div id="lines" class="lines">`)
	if err := x.h.ExportLog(ctx, x.d, x); err != nil {
		return err
	}
	x.out.Buf.WriteString(`</div></section>`)
	return x.out.Flush()
}

func (x *exporter) Room() int { return x.left }

func (x *exporter) Put(html []byte) error {
	x.left -= len(html)
	x.out.Buf.Write(html)
	return x.out.Flush()
}

func (x *exporter) Without(what string) { x.leftOut = append(x.leftOut, what) }

// maxNamed is how many artifacts that are left out are named; the others are counted.
const maxNamed = 50

// artifacts writes the content of small outputs.
func (x *exporter) artifacts(ctx context.Context) error {
	if len(x.d.Artifacts) == 0 {
		return nil
	}
	open, end, _ := strings.Cut(`<section id="contents" class="part" aria-labelledby="contents-head"><h2 id="contents-head">`+exportOutput.Title+`</h2>|</section>`, "|")
	x.out.Buf.WriteString(open)
	budget, unnamed := min(exportOutputs, x.left), 0
	found, err := x.h.ReplacedIn(ctx, x.d)
	if err != nil {
		return err
	}
	for i, a := range x.d.Artifacts {
		html, why, err := x.artifact(ctx, a, i, found)
		if err != nil {
			return err
		}
		if why == "" && len(html) > budget {
			why = "the others took the room for it"
		}
		switch {
		case why == "":
			budget -= len(html)
			if err := x.write(ctx, "", html, len(html)); err != nil {
				return err
			}
		case len(x.leftOut) < maxNamed:
			if err := x.Leave(ctx, "the artifact "+web.Quoted(present.Clip(present.Redact(a.Name), 80))+" of step "+web.Quoted(present.Clip(present.Redact(a.StepID), 80))+": "+why); err != nil {
				return err
			}
		default:
			unnamed++
		}
	}
	if unnamed > 0 {
		if err := x.Leave(ctx, views.Plural(unnamed, "more artifact", "more artifacts")); err != nil {
			return err
		}
	}
	x.out.Buf.WriteString(end)
	return x.out.Flush()
}

// artifact is an output as it stands in the file, or why it does not.
func (x *exporter) artifact(ctx context.Context, a wave.Artifact, i int, found map[int64]diagnose.Replacement) (html []byte, why string, err error) {
	body, err := x.h.readArtifact(a)
	if refused, ok := errors.AsType[*web.Error](err); ok {
		return nil, refused.Text, nil
	}
	if err != nil {
		return nil, "", err
	}
	name, facts := present.Redact(a.StepID)+" / "+present.Redact(a.Name), body.mime+" · "+views.Bytes(body.size)
	if r, ok := found[a.ID]; ok {
		facts = present.Redact(r.Text()) + " · " + facts
	}
	switch {
	case body.kind == markup.Binary:
		return nil, "its content is not text, " + views.Bytes(body.size), nil
	case body.left > 0:
		return nil, "it has " + views.Bytes(body.size), nil
	case body.kind == markup.Image:
		return x.picture(ctx, name, facts, body)
	}
	content := x.h.renderBody(ctx, markup.Body{
		Name: path.Base(a.Path), MIME: body.mime, Data: body.data, Size: body.total(), Heading: 3, ID: fmt.Sprintf("body-%d-", i),
	}, body.kind)
	html, err = x.Made(ctx, views.ExportArtifact(name, facts, content.View()))
	if err == nil && len(html) > exportArtifact {
		return nil, "it is large, " + views.Bytes(body.size), nil
	}
	return html, "", err
}

// picture stands in the file itself.
func (x *exporter) picture(ctx context.Context, name, facts string, body artifactBody) ([]byte, string, error) {
	if len(body.data) > exportPictures {
		return nil, "it is large, " + views.Bytes(body.size), nil
	}
	data := "data:" + body.mime + ";base64," + base64.StdEncoding.EncodeToString(body.data)
	var b bytes.Buffer
	err := views.ExportArtifact(name, facts, views.ExportPicture(name, data)).Render(ctx, &b)
	return b.Bytes(), "", err //nolint:wrapcheck // into memory
}
