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
	list := views.RunsExcerptView{Chrome: Chrome("Runs", "", ""), Rows: runRows()[:6], All: "/runs"}
	history := views.RunsExcerptView{Chrome: Chrome("fix-issue", "", ""), Rows: past()[3:8], All: "/pipelines/fix-issue", Stats: &stats}
	trouble := views.ErrorView{Status: 410, Heading: "Gone", Text: "this view has expired", Next: "Load the page around it again.", RequestID: "req-1"}
	return []Case{
		{"embed-card", "a failed run in another page", true, embedded(views.RunCard(failedRun()))},
		{"embed-card-running", "a run that goes on", true, embedded(views.RunCard(runningRun()))},
		{"embed-card-hostile", "texts that try to be something else", true, embedded(views.RunCard(hostileRun()))},
		{"embed-steps", "steps without their attempts", true, embedded(views.StepsExcerpt(failedRun()))},
		{"embed-log", "a window of the log", true, embedded(views.LogExcerpt(logView()))},
		{"embed-runs", "a list", true, embedded(views.RunsExcerpt(list))},
		{"embed-history", "a pipeline's record", true, embedded(views.RunsExcerpt(history))},
		{"embed-trouble", "an embed that has expired", true, embedded(views.TroubleExcerpt(trouble))},
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
		Chrome: Chrome("Card", "", ""), Look: look, Body: append(append([]byte(`<div class="wavedeck">`), out.Bytes()...), "</div>"...),
		Styles: []string{"log.css", "ansi.css"},
	})
}
