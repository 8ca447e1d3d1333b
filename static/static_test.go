package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

// style is as small as it gets, and gzip makes it smaller.
const style = ".a{margin:1px 2px 3px}.b{margin:1px 2px 4px}.c{margin:1px 2px 5px}.d{margin:1px 2px 6px}.e{margin:1px 2px 7px}"

func setup(t *testing.T) catalogue {
	t.Helper()
	c, err := load(fstest.MapFS{
		"app.css":             {Data: []byte(style)},
		"vendor/htmx.min.js":  {Data: []byte("1")},
		"vendor/sub/icon.svg": {Data: []byte("<svg/>")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func get(t *testing.T, h http.Handler, method, target string, headers map[string]string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func read(t *testing.T, r io.Reader) string {
	t.Helper()
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestEmbeddedFiles(t *testing.T) {
	names := []string{"htmx.min.js", "hx-sse.min.js"}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !entry.IsDir() && path.Ext(entry.Name()) != ".go" {
			names = append(names, entry.Name())
		}
	}
	for _, name := range names {
		t.Run(name+" is embedded and served under its hashed address", func(t *testing.T) {
			url := URL("/deck", name)
			if !regexp.MustCompile(`^/deck/static/.+\.[0-9a-f]{12}\.\w+$`).MatchString(url) {
				t.Fatalf("URL = %q has no hash", url)
			}
			resp := get(t, Handler("/deck"), http.MethodGet, url, nil)
			if resp.StatusCode != http.StatusOK || len(read(t, resp.Body)) == 0 {
				t.Errorf("%s answers %s", url, resp.Status)
			}
		})
	}
	t.Run("a name that is not embedded gives an address that is not found", func(t *testing.T) {
		resp := get(t, Handler(""), http.MethodGet, URL("", "missing.css"), nil)
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("status %s", resp.Status)
		}
	})
	t.Run("licences and checksums are not served", func(t *testing.T) {
		for _, name := range []string{"SHA256SUMS", "htmx.LICENSE"} {
			if resp := get(t, Handler(""), http.MethodGet, Dir+name, nil); resp.StatusCode != http.StatusNotFound {
				t.Errorf("%s: status %s", name, resp.Status)
			}
		}
	})
}

func TestHandler(t *testing.T) {
	c := setup(t)
	const forever, askAgain = "public, max-age=31536000, immutable", "no-cache"
	tests := []struct {
		name, method, base, target string
		status                     int
		cache, contentType         string
	}{
		{"a hashed name is kept for ever", "GET", "", c.path("app.css"), 200, forever, "text/css; charset=utf-8"},
		{"a file in a folder is served by its name alone", "GET", "", c.path("icon.svg"), 200, forever, "image/svg+xml"},
		{"a script has a script's type", "GET", "/d", "/d" + c.path("htmx.min.js"), 200, forever, "text/javascript; charset=utf-8"},
		{"HEAD has the headers of GET", "HEAD", "", c.path("app.css"), 200, forever, "text/css; charset=utf-8"},
		{"a file's own name is asked for again", "GET", "", "/static/app.css", 200, askAgain, "text/css; charset=utf-8"},
		{"the hash of another version is not found", "GET", "", "/static/app.000000000000.css", 404, "", "text/plain; charset=utf-8"},
		{"the folder itself is not found", "GET", "", "/static/", 404, "", "text/plain; charset=utf-8"},
		{"a path that climbs is not found", "GET", "", "/static/../static.go", 404, "", "text/plain; charset=utf-8"},
		{"outside the base path nothing is found", "GET", "/d", c.path("app.css"), 404, "", "text/plain; charset=utf-8"},
		{"POST is refused", "POST", "", c.path("app.css"), 405, "", "text/plain; charset=utf-8"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			resp := get(t, c.handler(test.base), test.method, test.target, nil)
			if resp.StatusCode != test.status {
				t.Errorf("status %d, want %d", resp.StatusCode, test.status)
			}
			for header, want := range map[string]string{
				"Cache-Control": test.cache, "Content-Type": test.contentType, "X-Content-Type-Options": "nosniff",
			} {
				if got := resp.Header.Get(header); got != want {
					t.Errorf("%s: %q, want %q", header, got, want)
				}
			}
		})
	}
}

func TestCompression(t *testing.T) {
	c := setup(t)
	h, css := c.handler(""), c.path("app.css")
	t.Run("a browser that takes gzip gets gzip", func(t *testing.T) {
		resp := get(t, h, http.MethodGet, css, map[string]string{"Accept-Encoding": "br, gzip;q=0.5"})
		if got := resp.Header.Get("Content-Encoding"); got != "gzip" {
			t.Fatalf("Content-Encoding %q", got)
		}
		if got := resp.Header.Get("Vary"); got != "Accept-Encoding" {
			t.Errorf("Vary %q", got)
		}
		plain, err := gzip.NewReader(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, plain); strings.TrimSpace(got) != style {
			t.Errorf("body %q", got)
		}
	})
	t.Run("what gzip would make larger is sent plain", func(t *testing.T) {
		resp := get(t, h, http.MethodGet, c.path("htmx.min.js"), map[string]string{"Accept-Encoding": "gzip"})
		if got := resp.Header.Get("Content-Encoding"); got != "" || read(t, resp.Body) != "1" {
			t.Errorf("Content-Encoding %q", got)
		}
	})
	t.Run("an ETag from an earlier answer is answered 304", func(t *testing.T) {
		gz := map[string]string{"Accept-Encoding": "gzip"}
		zipped := get(t, h, http.MethodGet, css, gz).Header.Get("ETag")
		plain := get(t, h, http.MethodGet, css, nil).Header.Get("ETag")
		if zipped == plain || plain == "" {
			t.Errorf("two encodings share the ETag %s", plain)
		}
		resp := get(t, h, http.MethodGet, css, map[string]string{"Accept-Encoding": "gzip", "If-None-Match": zipped})
		if resp.StatusCode != http.StatusNotModified {
			t.Errorf("status %s", resp.Status)
		}
	})
	for header, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "br,gzip": true, "gzip; q=1": true, "gzip;q=0": false,
		"gzip; q=0.0": false, "gzip;q=x": false, "identity": false, "xgzip": false, ";;,,": false,
	} {
		t.Run("Accept-Encoding "+header, func(t *testing.T) {
			if got := AcceptsGzip(header); got != want {
				t.Errorf("AcceptsGzip(%q) = %v", header, got)
			}
		})
	}
}

func TestMinified(t *testing.T) {
	for _, pattern := range []string{"*.css", "*.js"} {
		sources, err := filepath.Glob(pattern)
		if err != nil || len(sources) == 0 {
			t.Fatalf("%s: %v, %v", pattern, sources, err)
		}
		for _, name := range sources {
			t.Run(name+" is served without its comments", func(t *testing.T) {
				source, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				a, ok := assets.byName[name]
				if !ok {
					t.Fatal("not embedded: `go run ./cmd/dev gen` writes the file in minified/")
				}
				if len(a.plain) >= len(source) || bytes.Contains(a.plain, []byte("\n// ")) {
					t.Errorf("%d bytes are served of %d that are written", len(a.plain), len(source))
				}
			})
		}
	}
}

func TestLoad(t *testing.T) {
	t.Run("other content gives another address", func(t *testing.T) {
		other, err := load(fstest.MapFS{"app.css": {Data: []byte(style + ".g{margin:0}")}})
		if err != nil {
			t.Fatal(err)
		}
		if other.path("app.css") == setup(t).path("app.css") {
			t.Error("both contents have one address")
		}
	})
	t.Run("two files of one name are an error", func(t *testing.T) {
		if _, err := load(fstest.MapFS{"a/x.js": {}, "b/x.js": {}}); err == nil {
			t.Error("no error")
		}
	})
	t.Run("a kind of file without a content type is an error", func(t *testing.T) {
		if _, err := load(fstest.MapFS{"x.exe": {}}); err == nil {
			t.Error("no error")
		}
	})
}

func TestEmbedScript(t *testing.T) {
	if size := len(Text("embed.js")); size == 0 || size > 5<<10 {
		t.Errorf("embed.js has %d bytes, want at most 5 KiB", size)
	}
	if got := Integrity("embed.js"); !regexp.MustCompile(`^sha384-[A-Za-z0-9+/]{64}$`).MatchString(got) {
		t.Errorf("its integrity is %q", got)
	}
	for _, state := range []string{"failed", "succeeded", "unknown"} {
		if svg, ok := Symbol(state); !ok || svg == "" {
			t.Errorf("there is no symbol for %s", state)
		}
	}
}
