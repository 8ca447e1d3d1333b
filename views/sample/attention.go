package sample

import (
	"time"

	"wavedeck/views"
)

func attention() []Case {
	v := views.AttentionView{
		Layout: Layout("Needs attention", "attention", "list=1"), Known: true, CanMark: true, Failed: true,
		Refresh: "/attention", SeenURL: "/attention/seen", Rows: attentionRows(), More: 2,
	}
	none, unkept := v, v
	none.Rows, none.More, none.Failed = nil, 0, false
	unkept.CanMark, unkept.Unkept = false, "the console data is not available: the disk is full"
	hostile := v
	hostile.Rows = nil
	for _, row := range Hostile() {
		hostile.Rows = append(hostile.Rows, views.AttentionRow{Run: row, Urgency: "failed", Flag: views.Flag{Symbol: "failed", Tone: "failed", Word: "failed", Title: row.Title}, Since: ago(time.Hour), Failed: true})
	}
	return []Case{
		{"attention", "what needs a human, the most urgent first", true, views.AttentionPage(v)},
		{"attention-unjudged", "nobody has looked yet", false, views.AttentionList(views.AttentionView{Layout: none.Layout, Unjudged: true})},
		{"attention-none", "nothing does", false, views.AttentionList(none)},
		{"attention-unkept", "nothing can be marked as seen", false, views.AttentionList(unkept)},
		{"attention-hostile", "texts that try to be something else", true, views.AttentionPage(hostile)},
	}
}

func attentionRows() []views.AttentionRow {
	rows := runRows()
	read := &views.Action{Label: "Read the log", Href: "/runs/x/log"}
	return []views.AttentionRow{
		{Run: rows[0], Urgency: "runaway", Flag: runaway().Runaway.Flag, Since: ago(4 * time.Minute), Action: &views.Action{Label: "Stop…", Href: "/runs/x/cancel"}},
		{Run: rows[2], Urgency: "waiting", Flag: views.Flag{Symbol: "waiting", Tone: "waiting", Word: "waiting for a human", Title: "A gate of a run that it started waits for a decision."}, Since: ago(12 * time.Minute), Action: read, In: &views.RunRef{ID: "ship-gate-1", Pipeline: "ship-gate", State: "waiting"}},
		{Run: rows[4], Urgency: "not moving", Flag: stuckFlag(), Since: ago(9 * time.Minute), Action: read},
		{Run: rows[5], Urgency: "failed", Flag: views.Flag{Symbol: "failed", Tone: "failed", Word: "failed", Title: "missing property 'suite_passed'"}, Since: ago(time.Hour), Action: &views.Action{Label: "Resume…", Href: "/runs/x/resume"}, Failed: true},
	}
}
