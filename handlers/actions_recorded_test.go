package handlers

import (
	"bufio"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wavedeck/handlers/audit"
	"wavedeck/handlers/auth"
	"wavedeck/handlers/web"
	"wavedeck/store"
	"wavedeck/store/appdb"
	"wavedeck/store/manifest"
)

// benchServer is a server on an empty project, with data of its own.
func benchServer(t *testing.T, change ...func(*Config)) *Server {
	t.Helper()
	source, err := manifest.Open(manifest.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	own := appdb.Open(t.Context(), t.TempDir())
	t.Cleanup(func() { _ = own.Close() })
	config := Config{Store: store.Open(source.Current().Project.DB, store.Options{}), Manifest: source, Data: own}
	for _, c := range change {
		c(&config)
	}
	return New(config)
}

// entries are the lines of the audit log in dir.
func entries(t *testing.T, dir string) (all []appdb.Entry) {
	t.Helper()
	file, err := os.Open(filepath.Join(dir, "audit.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var e appdb.Entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		all = append(all, e)
	}
	return all
}

// answered is a client that looks around as soon as it hears anything.
type answered struct {
	*httptest.ResponseRecorder

	look func()
}

func (w *answered) WriteHeader(status int) {
	w.look()
	w.ResponseRecorder.WriteHeader(status)
}

func TestAction(t *testing.T) {
	const secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
	act := func(w http.ResponseWriter, r *http.Request) error {
		audit.RecordOf(r.Context()).About("run-1", "build")
		audit.RecordOf(r.Context()).Param("input", "token "+secret)
		audit.RecordOf(r.Context()).Param("long", strings.Repeat("x", 10_000))
		audit.RecordOf(r.Context()).Note("stopped")
		switch r.URL.Query().Get("end") {
		case "refused":
			return &web.Error{Status: http.StatusConflict, Text: "it has ended"}
		case "failed":
			return context.DeadlineExceeded
		case "panic":
			panic("no")
		case "silent":
			return nil
		}
		w.WriteHeader(http.StatusSeeOther)
		return nil
	}
	for name, c := range map[string]struct {
		query    string
		readOnly bool
		header   []string
		status   int
		want     appdb.Result
		says     string
	}{
		"it is done":                                     {"", false, nil, 303, appdb.Done, ""},
		"it is done and says nothing":                    {"end=silent", false, nil, 200, appdb.Done, ""},
		"it is refused":                                  {"end=refused", false, nil, 409, appdb.Refused, "it has ended"},
		"it fails":                                       {"end=failed", false, nil, 503, appdb.Failed, "the request timed out"},
		"it panics":                                      {"end=panic", false, nil, 500, appdb.Failed, "internal error"},
		"a page of ours asks":                            {"", false, []string{"Sec-Fetch-Site", "same-origin"}, 303, appdb.Done, ""},
		"a person types the address":                     {"", false, []string{"Sec-Fetch-Site", "none"}, 303, appdb.Done, ""},
		"an old browser names our origin":                {"", false, []string{"Origin", "http://example.com"}, 303, appdb.Done, ""},
		"a page of another site asks":                    {"", false, []string{"Sec-Fetch-Site", "cross-site"}, 403, appdb.Refused, "the request came from a page of another site"},
		"a page of a neighbouring name asks":             {"", false, []string{"Sec-Fetch-Site", "same-site"}, 403, appdb.Refused, "the request came from a page of another site"},
		"an old browser names another origin":            {"", false, []string{"Origin", "http://evil.example"}, 403, appdb.Refused, "the request came from a page of another site"},
		"an old browser names our name, another port":    {"", false, []string{"Origin", "http://example.com:81"}, 403, appdb.Refused, "the request came from a page of another site"},
		"a sandboxed frame asks":                         {"", false, []string{"Origin", "null"}, 403, appdb.Refused, "the request came from a page of another site"},
		"it is asked of a console that only reads":       {"", true, nil, 403, appdb.Refused, "this console is read-only: it was started with --read-only"},
		"another site asks of a console that only reads": {"", true, []string{"Sec-Fetch-Site", "cross-site"}, 403, appdb.Refused, "the request came from a page of another site"},
	} {
		t.Run(name, func(t *testing.T) {
			s := benchServer(t, func(c2 *Config) { c2.ReadOnly = c.readOnly })
			r := httptest.NewRequest(http.MethodPost, "/x?"+c.query, nil)
			for i := 0; i+1 < len(c.header); i += 2 {
				r.Header.Set(c.header[i], c.header[i+1])
			}
			w := &answered{httptest.NewRecorder(), func() {
				if all := entries(t, s.Data.Dir()); len(all) != 1 {
					t.Errorf("as it is answered the log has %d entries", len(all))
				}
			}}
			s.wrapped(s.auth.Action("test", act).Served(s.Kit)).ServeHTTP(w, r)
			if w.Code != c.status {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
			all := entries(t, s.Data.Dir())
			if len(all) != 1 {
				t.Fatalf("%d entries, want 1", len(all))
			}
			e := all[0]
			if e.Result != c.want || e.Status != c.status || e.Error != c.says || e.Action != "test" || e.Who != "local" || e.From != "192.0.2.1" || e.Request == "" || e.At.IsZero() {
				t.Errorf("entry %+v", e)
			}
			if c.status == http.StatusForbidden {
				if e.Run != "" {
					t.Error("the handler ran")
				}
				return
			}
			if e.Run != "run-1" || e.Pipeline != "build" || e.Note != "stopped" {
				t.Errorf("entry %+v", e)
			}
			if strings.Contains(e.Params["input"], secret[8:]) || len(e.Params["long"]) > audit.MaxText+len("…") {
				t.Errorf("parameters %v", e.Params)
			}
		})
	}
}

// TestPagesOfOthersDoNotFillTheLog has a page of another site ask again and again.
func TestPagesOfOthersDoNotFillTheLog(t *testing.T) {
	s := benchServer(t)
	asked := s.wrapped(s.auth.Action("test", func(http.ResponseWriter, *http.Request) error { return nil }).Served(s.Kit))
	for i := range 100 {
		r := httptest.NewRequest(http.MethodPost, "/x", nil)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		w := httptest.NewRecorder()
		if asked.ServeHTTP(w, r); w.Code != http.StatusForbidden {
			t.Fatalf("request %d: status %d", i, w.Code)
		}
	}
	asked.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/x", nil))
	all := entries(t, s.Data.Dir())
	if n := len(all); n < 2 || n > auth.LoginBurst+2 || all[n-1].Result != appdb.Done {
		t.Errorf("%d entries", n)
	}
}

func TestActionWithoutData(t *testing.T) {
	var log strings.Builder
	s := benchServer(t, func(c *Config) { c.Data = nil; c.Log = testLog(&log) })
	w := httptest.NewRecorder()
	s.auth.Action("test", func(_ http.ResponseWriter, r *http.Request) error {
		audit.RecordOf(r.Context()).About("run-1", "build")
		return nil
	}).Served(s.Kit).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/x", nil))
	if w.Code != http.StatusOK {
		t.Errorf("status %d", w.Code)
	}
	if !strings.Contains(log.String(), "failed to write audit entry") || !strings.Contains(log.String(), "run-1") {
		t.Errorf("the log does not have it: %s", log.String())
	}
}

func testLog(to *strings.Builder) *slog.Logger { return slog.New(slog.NewTextHandler(to, nil)) }
