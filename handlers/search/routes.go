package search

import (
	"wavedeck/handlers/web"
)

// Routes adds the addresses of the search over all runs and events.
func (h *Handler) Routes(on web.Router) {
	on.Get("/search", h.showSearch)
	on.Get("/search/index", h.showSearchIndex)
	on.Get("/api/search", h.apiSearch)
	for _, root := range []string{"", "/api"} { // the latter always answers JSON
		on.Post(root+"/search/rebuild", actionRebuild, h.rebuildSearch)
	}
}
