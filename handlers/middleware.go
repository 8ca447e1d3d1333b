package handlers

import (
	"net/http"

	"wavedeck/handlers/web"
)

// wrapped puts around the router what every answer needs, 404 and 405 included:
// the router's own middleware would not run for those.
func (s *Server) wrapped(router http.Handler) http.Handler {
	return web.NameRequests(s.LogRequests(s.Recover(s.SetHeaders(s.RefuseCrowded(s.CheckHost(
		s.embed.AllowOrigins(s.Isolate(s.auth.Authenticate(router)))))))))
}
