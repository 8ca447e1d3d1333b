package handlers

// routeSavedViews adds the addresses of saved views.
func (s *Server) routeSavedViews(on routing) {
	on.get("/views", s.listViews)
	on.get("/views/{view}", s.openView)
	on.get("/api/views", s.apiViews)
	for _, root := range []string{"", "/api"} { // the latter always answers JSON
		on.post(root+"/views", "save view", s.saveView)
		on.post(root+"/views/{view}/rename", "rename view", s.changeView(s.renameView, "name"))
		on.post(root+"/views/{view}/move", "move view", s.changeView(s.moveView, "to"))
		on.post(root+"/views/{view}/delete", "delete view", s.changeView(s.deleteView))
	}
}
