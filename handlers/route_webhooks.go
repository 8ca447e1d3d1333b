package handlers

// routeWebhooks adds the addresses of the webhooks of saved views.
func (s *Server) routeWebhooks(on routing) {
	for _, root := range []string{"", "/api"} { // the latter always answers JSON
		on.get(root+"/views/{view}/hook", s.showHook)
		on.post(root+"/views/{view}/hook", "set webhook", s.setHook)
		on.post(root+"/views/{view}/hook/remove", "remove webhook", s.removeHook)
		on.post(root+"/views/{view}/hook/test", "test webhook", s.testHook)
		on.post(root+"/views/{view}/hook/again", "resend webhook", s.sendHookAgain)
	}
}
