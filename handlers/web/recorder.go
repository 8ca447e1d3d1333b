package web

import (
	"net/http"
	"time"
)

// Recorder remembers what was answered.
type Recorder struct {
	http.ResponseWriter
	Begins   func(status int) // called before anything is written; or nil
	patience *writeDeadline   // with who reads; nil: another writer has it
	Status   int
	bytes    int64
}

func (w *Recorder) begin(status int) {
	if w.Status != 0 {
		return
	}
	w.Status = status
	w.patience.start()
	if w.Begins != nil {
		w.Begins(status)
	}
}

// WriteHeader notes the status and passes it on.
func (w *Recorder) WriteHeader(status int) {
	w.begin(status)
	w.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes and passes them on, piece by piece.
func (w *Recorder) Write(b []byte) (int, error) {
	w.begin(http.StatusOK)
	n, err := w.patience.write(w.ResponseWriter, b)
	w.bytes += int64(n)
	return n, err
}

// begun reports whether anything of an answer was written.
func begun(w http.ResponseWriter) bool {
	for {
		switch under := w.(type) {
		case *Recorder:
			return under.Status != 0
		case interface{ Unwrap() http.ResponseWriter }:
			w = under.Unwrap()
		default:
			return false
		}
	}
}

// Unwrap lets http.ResponseController reach the connection.
func (w *Recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// LogRequests writes one line per request. The query is left out: it may hold what
// an operator searched for.
func (k *Kit) LogRequests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, start := r.Context(), time.Now()
		rec := &Recorder{ResponseWriter: w, patience: k.writeDeadline(w, r)}
		rec.patience.start()
		defer func() {
			rec.patience.start() // for what is still in a buffer
			k.Log.InfoContext(ctx, "request",
				"request", RequestID(ctx), "from", k.Access.Proxies.Client(r), "method", r.Method, "path", k.loggedPath(r),
				"status", rec.Status, "bytes", rec.bytes, "took", time.Since(start).Round(time.Microsecond))
		}()
		next.ServeHTTP(rec, r)
	})
}
