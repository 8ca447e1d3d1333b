package web

import (
	"errors"
	"net/http"
)

// ErrElsewhere marks a request that a page of another site made.
var ErrElsewhere = errors.New("asked by a page of another site")

// SameOrigin refuses what a page of another site asks for.
// Where a proxy changes the Host header, its other headers say what the same origin is.
func (k *Kit) SameOrigin(h HandlerFunc) HandlerFunc {
	protection := http.NewCrossOriginProtection()
	return func(w http.ResponseWriter, r *http.Request) error {
		ours := r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == k.Origin(r)
		if err := protection.Check(r); err != nil && !ours {
			return &Error{
				Status: http.StatusForbidden, Text: "the request came from a page of another site", Err: ErrElsewhere,
				Next: "Open the console itself and do it there.",
			}
		}
		return h(w, r)
	}
}
