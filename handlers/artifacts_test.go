package handlers_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"wavedeck/store/storetest"
)

// outputs is a project with one run whose artifacts are at the given paths, each
// named as its key.
func outputs(t testing.TB, paths map[string]string, files map[string][]byte) *site {
	t.Helper()
	root := emptyProject(t)
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b := newState(t, root)
	run := b.Run(storetest.Run{ID: "r", Status: "completed"})
	for name, path := range paths {
		b.Artifact(run, storetest.Artifact{Step: "s", Name: name, Path: strings.ReplaceAll(path, "ROOT", root)})
	}
	return openSite(t, root).ready()
}

func artifactPath(name string) string { return "/api/runs/r/artifacts/s/" + url.PathEscape(name) }

func TestOnlyFilesOfTheProjectAreServed(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside.txt")
	if err := os.WriteFile(outside, []byte("not yours"), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		path   string
		status int
	}{
		"a file":                             {"out/a.txt", 200},
		"a file by its absolute path":        {"ROOT/out/a.txt", 200},
		"a link within the project":          {"out/link-in", 200},
		"a way up":                           {"out/../../outside.txt", 403},
		"a way up and back":                  {"out/../out/a.txt", 403},
		"an absolute path elsewhere":         {"/etc/passwd", 403},
		"a link out":                         {"out/link-out", 403},
		"a directory that is a link out":     {"out/dir-out/outside.txt", 403},
		"a file that was cleaned up":         {"out/gone.txt", 404},
		"a directory":                        {"out", 404},
		"a FIFO":                             {"out/fifo", 403},
		"a device":                           {"/dev/zero", 403},
		"the state database":                 {".agents/state.db", 403},
		"the state database's log":           {".agents/state.db-wal", 403},
		"a link to the state database":       {"out/link-db", 403},
		"the state database's absolute path": {"ROOT/.agents/state.db", 403},
		"the console's own database":         {"data/desk.db", 403},
		"its log":                            {"ROOT/data/desk.db-wal", 403},
		"a link to it":                       {"out/link-desk", 403},
		"the index of events":                {"data/search.db", 403},
		"nothing":                            {"", 404},
		"a name that is encoded":             {"out/%2e%2e/a.txt", 404},
		"a name with a zero byte":            {"out/a.txt\x00.png", 404},
	}
	paths := map[string]string{}
	for name, c := range cases {
		paths[name] = c.path
	}
	s := outputs(t, paths, map[string][]byte{"out/a.txt": []byte("hello"), "data/search.db": nil})
	s = openSite(t, s.root, withData(t, filepath.Join(s.root, "data"))).ready()
	for link, to := range map[string]string{
		"link-in": "a.txt", "link-out": outside, "dir-out": filepath.Dir(outside), "link-db": "../.agents/state.db", "link-desk": "../data/desk.db",
	} {
		if err := os.Symlink(to, filepath.Join(s.root, "out", link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(s.root, "out", "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := s.as(t)
			for _, query := range []string{"", "?raw=1"} {
				r := s.get(artifactPath(name) + query)
				if r.status != c.status {
					t.Errorf("%q: status %d, want %d: %s", query, r.status, c.status, clip(r.body))
				}
				if c.status != 200 && (strings.Contains(r.body, s.root) || strings.Contains(r.body, "not yours")) {
					t.Errorf("%q: it tells %s", query, clip(r.body))
				}
			}
			page := s.get("/runs/r/artifacts/s/" + url.PathEscape(name))
			if page.status != 200 {
				t.Errorf("the page has status %d", page.status)
			}
			if gone := page.doc().Find(".nothing").Length() == 1; gone != (c.status != 200) {
				t.Errorf("the page says that there is nothing: %t", gone)
			}
		})
	}
	t.Run("the database is still locked as it was", func(t *testing.T) {
		b := storetest.At(t, storetest.StatePath(s.root))
		b.Run(storetest.Run{ID: "another"})
		if s.as(t).get("/api/runs/r").status != 200 {
			t.Error("the database cannot be read any more")
		}
	})
}

func TestAnArtifactIsShownWithoutItsSecrets(t *testing.T) {
	token := "ghp_" + strings.Repeat("a1B2", 9)
	s := outputs(t, map[string]string{"env": "env.txt", "page": "page.html", "picture": "p.png", "bytes": "b.bin"}, map[string][]byte{
		"env.txt":   []byte("TOKEN=" + token + "\n<script>x()</script>\n"),
		"page.html": []byte("<html><script>parent.x()</script></html>"),
		"p.png":     append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte{0}, 600)...),
		"b.bin":     bytes.Repeat([]byte{0, 1, 2, 3}, 300),
	})
	page := s.get("/runs/r/artifacts/s/env")
	if strings.Contains(page.body, token) || !strings.Contains(page.text(".m-body"), "[redacted: ") {
		t.Errorf("the page shows %s", page.text(".m-body"))
	}
	if n := page.doc().Find(".m-body script").Length(); n != 0 {
		t.Errorf("%d scripts in the body", n)
	}
	var body struct {
		Content  string `json:"content"`
		Redacted int    `json:"redacted"`
	}
	if err := json.Unmarshal([]byte(s.get(artifactPath("env")).body), &body); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(body.Content, token) || body.Redacted != 1 {
		t.Errorf("the API tells %q with %d redacted", body.Content, body.Redacted)
	}
	for _, name := range []string{"env", "page", "picture"} {
		raw := s.get(artifactPath(name) + "?raw=1")
		if raw.header.Get("Content-Type") != "text/plain; charset=utf-8" || !strings.HasPrefix(raw.header.Get("Content-Disposition"), "attachment") ||
			!strings.Contains(raw.header.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%s is sent as %v", name, raw.header)
		}
	}
	if r := s.get(artifactPath("picture") + "?image=1"); r.header.Get("Content-Type") != "image/png" {
		t.Errorf("the picture is sent as %s", r.header.Get("Content-Type"))
	}
	if r := s.get(artifactPath("page") + "?image=1"); r.status != 415 {
		t.Errorf("a page that claims to be a picture: status %d", r.status)
	}
	if !strings.Contains(s.get("/runs/r/artifacts/s/bytes").text(".m-body"), "00 01 02 03") {
		t.Error("bytes are not shown as such")
	}
}

// BenchmarkHugeArtifact shows what a file of 600 MB costs in memory.
func BenchmarkHugeArtifact(b *testing.B) {
	s := outputs(b, map[string]string{"huge": "huge.log"}, nil)
	path := filepath.Join(s.root, "huge.log")
	if err := os.WriteFile(path, []byte("begin\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	if err := os.Truncate(path, 600<<20); err != nil {
		b.Fatal(err)
	}
	for name, ask := range map[string]string{"page": "/runs/r/artifacts/s/huge", "download": artifactPath("huge") + "?raw=1"} {
		b.Run(name, func(b *testing.B) {
			var peak uint64
			b.ReportAllocs()
			for b.Loop() {
				resp, err := s.Client().Get(s.URL + ask)
				if err != nil {
					b.Fatal(err)
				}
				n, _ := io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapAlloc)
				b.SetBytes(n)
			}
			b.ReportMetric(float64(peak)/(1<<20), "MB-heap")
		})
	}
}
