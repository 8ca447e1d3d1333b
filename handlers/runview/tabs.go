package runview

import (
	"wavedeck/views"
)

// Tabs are the pages of a run, the current one marked. They say no counts: those
// would grow while the page stands.
func (rv *Reader) Tabs(id, current string) []views.Option {
	tab := func(name, label string) views.Option {
		href := rv.Paths.Run(id)
		if name != "" {
			href = rv.Paths.RunTab(id, name)
		}
		return views.Option{Label: label, Href: href, Count: -1, On: name == current}
	}
	return []views.Option{
		tab("", "Summary"),
		tab("timeline", "Timeline"),
		tab("graph", "Graph"),
		tab("log", "Log"),
		tab("artifacts", "Artifacts"),
	}
}

// OpenTab marks the one of a run's pages that is shown, and says in the title
// which one it is: a browser may have several of them open.
func (rv *Reader) OpenTab(view *views.RunView, tab string) {
	view.Tabs = rv.Tabs(view.RunID, tab)
	for _, t := range view.Tabs {
		if t.On && tab != "" {
			view.Title = t.Label + " · " + view.Title
		}
	}
}
