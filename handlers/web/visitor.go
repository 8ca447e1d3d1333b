package web

import (
	"context"
	"net/http"
)

type visitorKey struct{}

// Visitor is who asks, as far as it is known.
type Visitor struct {
	Who  string // "local", or "token:" and the token's name
	Says string // the name they gave, which nobody checked
	From string // address
}

// VisitorOf is who asks. Of a request that was not let in only the address is known.
func VisitorOf(r *http.Request) Visitor {
	if v, ok := r.Context().Value(visitorKey{}).(Visitor); ok {
		return v
	}
	return Visitor{Who: "nobody", From: remoteIP(r)}
}

// Admitted reports whether the request was let in, so that an answer may tell
// where things are.
func Admitted(r *http.Request) bool { return VisitorOf(r).Who != "nobody" }

// WithVisitor is the request of a visitor.
func WithVisitor(r *http.Request, v Visitor) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), visitorKey{}, v))
}
