package handlers

import "net/http"

// routeAuth adds the addresses of signing in and out.
func (s *Server) routeAuth(on routing) {
	on.get("/login", s.showLogin)
	on.base.Handle("/login", s.deadline(s.sameOrigin(s.signIn)).served(s)).Methods(http.MethodPost)
	on.base.Handle("/logout", s.deadline(s.audited("sign-out", s.sameOrigin(s.signOut))).served(s)).Methods(http.MethodPost)
}
