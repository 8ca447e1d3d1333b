package static

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
)

// Handler serves the embedded files below base + Dir. A hashed name may be kept for ever by any cache; a file's own
// name is answered too, but asked for again each time; any other is 404.
func Handler(base string) http.Handler {
	return assets.handler(base)
}

func (c catalogue) handler(base string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ok := strings.CutPrefix(r.URL.Path, base+Dir)
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		if a, ok := c.byHashedName[name]; ok {
			a.serve(w, r, "public, max-age=31536000, immutable")
			return
		}
		if a, ok := c.byName[name]; ok {
			a.serve(w, r, "no-cache")
			return
		}
		http.NotFound(w, r)
	})
}

func (a *asset) serve(w http.ResponseWriter, r *http.Request, cacheControl string) {
	header := w.Header()
	header.Set("Cache-Control", cacheControl)
	header.Set("Content-Type", a.contentType)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Add("Vary", "Accept-Encoding")

	body, etag := a.plain, `"`+a.hash+`"`
	if AcceptsGzip(r.Header.Get("Accept-Encoding")) {
		if zipped := a.gzipped(); zipped != nil {
			body, etag = zipped, `"`+a.hash+`-gzip"`
			header.Set("Content-Encoding", "gzip")
		}
	}
	header.Set("ETag", etag)
	// The build has no modification time to tell: the ETag alone answers "changed since?".
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// AcceptsGzip reads an Accept-Encoding header. Anything it cannot read counts as "no": plain bytes are always right.
func AcceptsGzip(acceptEncoding string) bool {
	for offer := range strings.SplitSeq(acceptEncoding, ",") {
		coding, params, _ := strings.Cut(offer, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		weight, hasWeight := strings.CutPrefix(strings.TrimSpace(params), "q=")
		if !hasWeight {
			return true
		}
		q, err := strconv.ParseFloat(weight, 64)
		return err == nil && q > 0
	}
	return false
}

// Compress gzips content at a level of the gzip package. It returns nil when content does not get smaller.
func Compress(content []byte, level int) []byte {
	var zipped bytes.Buffer
	w, err := gzip.NewWriterLevel(&zipped, level)
	if err != nil {
		return nil
	}
	if _, err := w.Write(content); err != nil {
		return nil
	}
	if err := w.Close(); err != nil || zipped.Len() >= len(content) {
		return nil
	}
	return zipped.Bytes()
}
