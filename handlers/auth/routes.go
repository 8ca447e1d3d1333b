package auth

import (
	"net/http"

	"wavedeck/handlers/web"
)

// Routes adds the addresses of signing in and out.
func (h *Handler) Routes(on web.Router) {
	on.Get("/login", h.showLogin)
	on.Base.Handle("/login", h.Deadline(h.SameOrigin(h.signIn)).Served(h.Kit)).Methods(http.MethodPost)
	on.Base.Handle("/logout", h.Deadline(h.Audited("sign-out", h.SameOrigin(h.signOut))).Served(h.Kit)).Methods(http.MethodPost)
}
