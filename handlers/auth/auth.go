// Package auth decides who may ask: by a token in a header, or by a session that began
// with the token.
package auth

import "wavedeck/handlers/audit"

// Handler lets visitors in, and signs them in and out.
type Handler struct {
	*audit.Trail
	gate *Authenticator
}

// New makes a Handler. Consoles at several prefixes share an Authenticator.
func New(trail *audit.Trail, gate *Authenticator) *Handler { return &Handler{trail, gate} }
