package sample

import (
	"bytes"
	"context"
	"net/url"
	"time"

	"github.com/a-h/templ"

	"wavedeck/static"
	"wavedeck/views"
	"wavedeck/views/excerpt"
)

func embeds() []Case {
	stats := pipelineRows()[0].Stats
	list := views.RunsFragmentView{Layout: Layout("Runs", "", ""), Rows: runRows()[:6], All: "/runs"}
	history := views.RunsFragmentView{Layout: Layout("fix-issue", "", ""), Rows: past()[3:8], All: "/pipelines/fix-issue", Stats: &stats}
	trouble := views.ErrorView{Status: 410, Heading: "Gone", Text: "this embed has expired", Next: "Load the page around it again.", RequestID: "req-1"}
	return []Case{
		{"embed-card", "a failed run in another page", true, embedded(views.RunCard(failedRun()))},
		{"embed-card-running", "a run that goes on", true, embedded(views.RunCard(runningRun()))},
		{"embed-card-hostile", "texts that try to be something else", true, embedded(views.RunCard(hostileRun()))},
		{"embed-steps", "steps without their attempts", true, embedded(views.StepsFragment(failedRun()))},
		{"embed-log", "a window of the log", true, embedded(views.LogFragment(logView()))},
		{"embed-runs", "a list", true, embedded(views.RunsFragment(list))},
		{"embed-history", "a pipeline's record", true, embedded(views.RunsFragment(history))},
		{"share", "what to write in another page, and why not", true, views.SharePage(sharing())},
		{"guide-embedding", "the guide", true, views.EmbeddingGuide(guide())},
		{"embed-trouble", "an embed that has expired", true, embedded(views.TroubleFragment(trouble))},
	}
}

// embedded is a part of the console as a frame shows it.
func embedded(part templ.Component) templ.Component {
	var in, out bytes.Buffer
	look := views.Look{Theme: "auto", Density: "compact", Live: "poll"}
	if err := part.Render(context.Background(), &in); err != nil {
		panic(err) // a buffer takes everything
	}
	at := func(t time.Time, _ bool) string { return t.Format("2 Jan 15:04:05 MST") }
	err := excerpt.Write(&out, in.Bytes(), excerpt.Options{
		Page: &url.URL{Scheme: "http", Host: "localhost", Path: "/runs"}, Prefix: "wd-", Symbol: static.Symbol,
		Time: at, Since: func(t time.Time) string { return "since " + at(t, false) },
	})
	if err != nil {
		panic(err) // as above
	}
	return views.EmbedPage(views.EmbedView{
		Layout: Layout("Card", "", ""), Look: look, Body: append(append([]byte(`<div class="wavedeck">`), out.Bytes()...), "</div>"...),
		Styles: []string{"log.css", "ansi.css"},
	})
}

func sharing() views.ShareView {
	return views.ShareView{
		Layout: Layout("Share", "runs", ""), Of: "runs/7f3a", What: "Card of run 7f3a", Kind: "card", Site: "https://portal.example",
		Sites: []string{"https://portal.example"}, Preview: "/embed/v1/runs/7f3a/card", Guide: "/help/embedding",
		Kinds: []views.Option{{Label: "card", Href: "/share?of=runs/7f3a&kind=card", On: true}, {Label: "log", Href: "/share?of=runs/7f3a&kind=log"}},
		Snippets: []views.Snippet{
			{ID: "iframe", Title: "Frame", About: "For any page that takes HTML.", Code: `<iframe src="https://wave.example/embed/v1/runs/7f3a/card" title="Card"></iframe>`, Near: "Only browsers on this machine reach it."},
			{ID: "fragment", Title: "Fragment", Why: "Pages of https://portal.example may frame this console and not read it. Add them to --cors-origins."},
		},
	}
}

func guide() views.GuideView {
	return views.GuideView{
		Layout: Layout("Embed parts of the console", "", ""), Lead: "A run can stand in a page of another site.",
		Sections: []views.GuideSection{{ID: "html", Title: "Plain HTML", Text: []string{"Give the frame a title."}, Code: []views.Snippet{{ID: "html", Title: "In your page", Code: `<iframe src="https://wave.example/embed/v1/runs/7f3a/card" title="Card"></iframe>`}}}},
	}
}
