// Package sample holds every view in every state as fixed values: what the
// gallery shows and the golden tests compare. Nothing here is read from a project.
package sample

import (
	"time"

	"github.com/a-h/templ"

	"wavedeck/views"
)

// Case is one thing to look at.
type Case struct {
	Name  string // of its file and its address
	About string
	Page  bool // a whole document; else a fragment
	View  templ.Component
}

// Now is the moment all of it is seen at.
var Now = time.Date(2026, 11, 23, 12, 57, 34, 0, time.UTC) //nolint:gochecknoglobals // a time cannot be a constant

// Cases lists everything, in the order in which to look at it.
func Cases() []Case {
	cases := runLists()
	cases = append(cases, runs()...)
	cases = append(cases, outlooks()...)
	cases = append(cases, attention()...)
	cases = append(cases, searches()...)
	cases = append(cases, health()...)
	cases = append(cases, hooks()...)
	cases = append(cases, logs()...)
	cases = append(cases, compares()...)
	cases = append(cases, definitions()...)
	cases = append(cases, audits()...)
	cases = append(cases, queries()...)
	cases = append(cases, embeds()...)
	cases = append(cases, controls()...)
	cases = append(cases, keyboard()...)
	return append(cases, parts()...)
}

// Layout is around every page here.
func Layout(title, section, topic string) views.Layout {
	return views.Layout{
		Title:   title,
		Section: section,
		Project: "acme-widgets",
		Source:  ".agents/state.db · schema 33",
		Now:     Now,
		Live:    views.Live{Topic: topic, Cursor: "7f3a-18233", LastEvent: 18233},
		CanAct:  true,

		Attention: 3,
		CanRun:    true,
	}
}

func ago(d time.Duration) time.Time { return Now.Add(-d) }

func took(d time.Duration) views.Duration { return views.Duration{D: d, Known: true, Coarse: true} }

func ticking(d time.Duration) views.Duration {
	return views.Duration{D: d, Known: true, Coarse: true, Since: ago(d)}
}

// Row is a run with the cursor that its list would have given it.
func row(id, pipeline, title, state string, started time.Duration) views.RunRow {
	return views.RunRow{ID: id, Pipeline: pipeline, Title: title, State: state, Word: state, Started: ago(started), Acts: acts(id, state)}
}

// acts are what can be done with a run in a state.
func acts(id, state string) views.RunActions {
	switch at := views.Paths("").Run(id); state {
	case "pending", "queued", "running", "waiting":
		return views.RunActions{Stop: at + "/cancel"}
	case "lost":
		return views.RunActions{Stop: at + "/cancel", Close: true, Retry: at + "/retry", Resume: at + "/resume", Key: "20261123-125730-0123456789abcdef"}
	default:
		return views.RunActions{Retry: at + "/retry", Resume: at + "/resume", Key: "20261123-125730-0123456789abcdef"}
	}
}

func parts() []Case {
	c := Layout("Parts", "", "")
	return []Case{
		{"states", "every told state", false, Palette(c)},
		{"notices", "banners of each level", false, group(
			views.Banners(views.Banner{ID: "db", Level: "error", Title: "The state database is gone", Detail: []string{"Looked for /home/me/acme/.agents/state.db", "What is shown is as of 12:55:02 UTC"}}),
			views.Banners(views.Banner{ID: "manifest", Level: "warn", Title: "No manifest", Detail: []string{"Looked for wave.yaml in /home/me/acme"}}),
			views.Banners(views.Banner{ID: "demo", Level: "info", Title: "This is a recording"}),
		)},
		{"error-page", "a page that is not there", true, views.ErrorPage(views.ErrorView{
			Layout: Layout("Not found", "", ""), Status: 404, Heading: "There is no such run",
			Text: "No run is called fix-issue-20260101-000000-dead.", Next: "It may belong to another project, or its database was replaced.", RequestID: "r-4f2a91",
		})},
		{"error-panel", "a fragment that went wrong", false, views.ErrorPanel(views.ErrorView{
			Layout: c, Status: 400, Text: "The cursor in the address cannot be read.", Next: "Go back to the newest runs.", RequestID: "r-4f2a92",
		})},
	}
}
