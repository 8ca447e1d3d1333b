package sample

import (
	"time"

	"wavedeck/views"
)

func searches() []Case {
	rows := runRows()
	v := views.SearchView{
		Layout: Layout("Search", "search", ""), Text: "7f3a timeout", Complete: "/complete?for=filter", Known: true, Asked: true, HasWords: true,
		Exact: rows[:1], Rows: rows[1:3], RunsMore: "/search?older=x&q=timeout", ListURL: "/runs?q=timeout",
		EventsMore: "/search?before=120&q=timeout", SearchedTo: 120,
		Events: []views.FoundRun{{
			Run: rows[4], More: 12, LogURL: "/runs/x/log?q=timeout&show=all",
			Hits: []views.FoundEvent{
				{ID: 18233, Step: "implement", Word: "failed", At: ago(time.Hour), Href: "/runs/x/log?L=18233#L18233", Parts: []views.SnippetPart{{Text: "… gave up: "}, {Text: "timeout", Hit: true}, {Text: " after 5m"}}},
				{ID: 18100, Word: "warning", At: ago(time.Hour), Href: "/runs/x/log?L=18100#L18100", Parts: []views.SnippetPart{{Text: "timeout", Hit: true}}},
			},
		}},
		Index: views.SearchIndex{State: "ready", Events: 18240, Of: 18240, Bytes: 412_000, RebuildURL: "/search/rebuild", CanRebuild: true, Text: "7f3a timeout"},
	}
	building := v
	building.Exact, building.Rows, building.Events, building.RunsMore, building.EventsMore = nil, nil, nil, "", ""
	building.Index = views.SearchIndex{State: "building", Percent: 43, Events: 7843, Of: 18240, Bytes: 200_000, Refresh: "/search/index?q=timeout", RebuildURL: "/search/rebuild", CanRebuild: true}
	tired := v
	tired.Tired, tired.OnlyEvents, tired.First, tired.Exact, tired.Rows = true, true, "/search?q=timeout", nil, nil
	off := building
	off.Index = views.SearchIndex{State: "off"}
	form := views.SearchView{Layout: v.Layout, Known: true, Complete: v.Complete, Index: building.Index}
	form.Index.State, form.Index.Problem = "paused", "less than 256 MB of the disk are left; it goes on when there is more"
	broken := v.Index
	broken.State, broken.Problem, broken.CanRebuild = "unusable", "the folder /var/lib/deck cannot be written; name another with --data", false
	hostile := v
	hostile.Text, hostile.Exact, hostile.Rows, hostile.Events = Hostile()[0].Title, Hostile(), nil, nil
	for _, row := range Hostile() {
		hostile.Events = append(hostile.Events, views.FoundRun{Run: row, LogURL: "/runs/x/log", Hits: []views.FoundEvent{
			{ID: 1, Step: row.Title, Word: row.Title, Href: "/runs/x/log?L=1#L1", Parts: []views.SnippetPart{{Text: row.Title}, {Text: row.Title, Hit: true}}},
		}})
	}
	hostile.Index.Text, hostile.Index.Problem = Hostile()[0].Title, Hostile()[0].Title
	return []Case{
		{"search", "what a search found", true, views.SearchPage(v)},
		{"search-building", "nothing found while events are indexed", true, views.SearchPage(building)},
		{"search-tired", "a page of events that took too long", true, views.SearchPage(tired)},
		{"search-off", "nothing found where events are not indexed", true, views.SearchPage(off)},
		{"search-form", "before anything is searched, and the disk is full", true, views.SearchPage(form)},
		{"search-unusable", "the index cannot be used", false, views.SearchIndexPanel(views.SearchView{Index: broken})},
		{"search-hostile", "texts that try to be something else", true, views.SearchPage(hostile)},
	}
}
