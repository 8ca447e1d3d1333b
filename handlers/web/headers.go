package web

import (
	"net/http"
	"time"
)

// maxBody bounds what a request may carry.
const maxBody = 1 << 20

// ContentPolicy lets a page use our own files and nothing else.
const ContentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// EmbedPolicy is ContentPolicy for a part that stands in a page of others: it
// sends no form, whoever asks, and opens nothing but a tab of its own.
const EmbedPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'none'; base-uri 'none'; " +
	"sandbox allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox; frame-ancestors "

// FilePolicy is for bytes that others wrote: whatever a browser takes them for,
// they can do nothing.
const FilePolicy = "default-src 'none'; sandbox"

// permissionsPolicy switches off what the console never asks a browser for.
const permissionsPolicy = "accelerometer=(), autoplay=(), browsing-topics=(), camera=(), display-capture=(), encrypted-media=(), " +
	"geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(), " +
	"screen-wake-lock=(), serial=(), usb=(), xr-spatial-tracking=()"

// SetHeaders sets the headers of every answer, and bounds what a request may carry.
func (k *Kit) SetHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", ContentPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		// Not no-referrer: forms would then say that they come from nowhere, and be refused.
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Permissions-Policy", permissionsPolicy)
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		if r.TLS != nil && !Loopback(HostName(r.Host)) {
			header.Set("Strict-Transport-Security", "max-age=2592000")
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		if r.ContentLength != 0 { // anyone may send a body, if only to sign in, and holds a connection no longer than this
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(k.Budgets.Body)) // a writer of a test has none
		}
		next.ServeHTTP(w, r)
	})
}
