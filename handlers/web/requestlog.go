package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
)

type requestIDKey struct{}

// RequestID is the name of this request in the log.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// NameRequests gives each request an id, for the log and for whoever asked.
func NameRequests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()[:10]
		w.Header().Set("X-Request-ID", id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id)))
	})
}

// Recover turns a panic into an error answer of its own request.
func (k *Kit) Recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		defer func() {
			caught := recover()
			if caught == nil {
				return
			}
			if err, ok := caught.(error); ok && err == http.ErrAbortHandler { //nolint:errorlint // the documented sentinel is compared as it is
				panic(caught)
			}
			k.Log.ErrorContext(ctx, "panic", "request", RequestID(ctx), "value", caught, "stack", string(debug.Stack()))
			if rec, ok := w.(*Recorder); ok && rec.Status != 0 {
				panic(http.ErrAbortHandler) // half an answer is out: cut the connection rather than pretend
			}
			k.Fail(w, r, fmt.Errorf("panic: %v", caught))
		}()
		next.ServeHTTP(w, r)
	})
}

// loggedPath is the path of a request as the log has it: of a token only its
// name, when it is one of this program.
func (k *Kit) loggedPath(r *http.Request) string {
	path := r.URL.Path
	for _, root := range []string{EmbedRoot, FragmentRoot, BadgeRoot} {
		if before, after, found := strings.Cut(path, root+"/t/"); found {
			token, rest, _ := strings.Cut(after, "/")
			return before + root + "/t/" + cmp.Or(k.Frame.TokenName(token), "…") + "/" + rest
		}
	}
	return path
}
