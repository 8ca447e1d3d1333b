package web

import (
	"net/http"
)

// varyFragment lists the request headers that choose between a page and a
// fragment of it.
const varyFragment = "HX-Request, HX-Request-Type"

// IsFragment reports whether htmx asks for a part of a page.
func IsFragment(r *http.Request) bool {
	return r.Header.Get("HX-Request-Type") == "partial" //nolint:canonicalheader // as htmx and varyFragment spell it
}
