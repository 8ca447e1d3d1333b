package savedviews

import (
	"wavedeck/handlers/web"
)

// Routes adds the addresses of saved views.
func (h *Handler) Routes(on web.Router) {
	on.Get("/views", h.listViews)
	on.Get("/views/{view}", h.openView)
	on.Get("/api/views", h.apiViews)
	for _, root := range []string{"", "/api"} { // the latter always answers JSON
		on.Post(root+"/views", "save view", h.saveView)
		on.Post(root+"/views/{view}/rename", "rename view", h.changeView(h.renameView, "name"))
		on.Post(root+"/views/{view}/move", "move view", h.changeView(h.moveView, "to"))
		on.Post(root+"/views/{view}/delete", "delete view", h.changeView(h.deleteView))
	}
}
