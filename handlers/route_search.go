package handlers

// routeSearch adds the addresses of the search over all runs and events.
func (s *Server) routeSearch(on routing) {
	on.get("/search", s.showSearch)
	on.get("/search/index", s.showSearchIndex)
	on.get("/api/search", s.apiSearch)
	for _, root := range []string{"", "/api"} { // the latter always answers JSON
		on.post(root+"/search/rebuild", actionRebuild, s.rebuildSearch)
	}
}
