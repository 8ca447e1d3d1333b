package handlers_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wavedeck/handlers"
	"wavedeck/runner"
	"wavedeck/store"
	"wavedeck/store/appdb"
	"wavedeck/store/storetest"
)

type healthAnswer struct {
	State  string
	Checks []struct {
		Key   string
		State string
		Facts map[string]any
		Do    string
	}
}

// health asks how the site fares, and how one thing does.
func (s *site) health(key string) (all string, state, do string, facts map[string]any) {
	s.t.Helper()
	var answer healthAnswer
	body := s.get("/api/health").body
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		s.t.Fatalf("%v in %s", err, body)
	}
	for _, c := range answer.Checks {
		if c.Key == key {
			return answer.State, c.State, c.Do, c.Facts
		}
	}
	s.t.Fatalf("no %s in %s", key, body)
	return "", "", "", nil
}

// absentEngine has no program.
type absentEngine struct{ runner.Engine }

func (absentEngine) Name() string { return "wave" }

func (absentEngine) Version(context.Context) (string, error) { return "", runner.ErrUnavailable }

func TestHealthOfASoundProject(t *testing.T) {
	s := openSample(t, withData(t, t.TempDir())).ready()
	for key, want := range map[string]map[string]any{
		"database": {"phase": "open", "journal_mode": "wal", "last_error": "none", "read_mode": "read-only"},
		"schema":   {"noted": 33.0, "version": "33"},
		"changes":  {"last_event_id": 232.0, "noticed_by": "notification"},
		"index":    {"runs": 15.0, "built": "complete"},
		"project":  {"pipelines": 7.0, "problems": 0.0},
		"desk":     {"files": 3.0},
	} {
		_, state, do, facts := s.health(key)
		if state != "ok" || do != "" {
			t.Errorf("%s is %s: %s", key, state, do)
		}
		for name, value := range want {
			if facts[name] != value {
				t.Errorf("%s: %s is %v, want %v", key, name, facts[name], value)
			}
		}
	}
	if _, state, do, _ := s.health("engine"); state != "warning" || !strings.Contains(do, "--engine") {
		t.Errorf("without an engine it is %s: %s", state, do)
	}
	page := s.get("/health")
	if got := page.text("#health .lead"); got != "Working, with warnings" {
		t.Errorf("the page says %q", got)
	}
	if rows := page.doc().Find("#health tbody tr").Length(); rows != 12 {
		t.Errorf("%d rows", rows)
	}
	if link := page.doc().Find(`a[data-nav="health"]`).AttrOr("href", ""); link != "/health" {
		t.Errorf("the link leads to %q", link)
	}
	if page := s.get("/health", "Accept", "application/json"); !strings.HasPrefix(page.body, `{"state":"warning"`) {
		t.Errorf("asked for as JSON: %s", clip(page.body))
	}
}

func TestHealthTellsWhatIsWrong(t *testing.T) {
	t.Run("there is no database, and what depends on it is not known", func(t *testing.T) {
		s := openSite(t, emptyProject(t))
		s.until("it was looked for", func() bool { return s.store.Health().Phase == store.Missing })
		all, state, do, facts := s.health("database")
		if all != "broken" || state != "broken" || !strings.Contains(do, "Searched in ") || facts["last_error"] == "none" {
			t.Errorf("%s, %s: %s, %v", all, state, do, facts)
		}
		for _, key := range []string{"schema", "changes", "index"} {
			if _, state, _, _ := s.health(key); state != "unknown" {
				t.Errorf("%s is %s", key, state)
			}
		}
	})
	t.Run("an older schema that claims to be new", func(t *testing.T) {
		old := storetest.NewVersion(t, 16)
		old.Exec(`INSERT INTO schema_migrations (version, description, applied_at, checksum) VALUES (33, '', 0, '')`)
		root := emptyProject(t)
		if err := os.MkdirAll(filepath.Dir(storetest.StatePath(root)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(old.Path, storetest.StatePath(root)); err != nil {
			t.Fatal(err)
		}
		s := openSite(t, root).ready()
		_, state, do, facts := s.health("schema")
		missing, _ := facts["missing"].([]any)
		if state != "warning" || len(missing) < 5 || missing[0] != "decision_log" || do == "" {
			t.Errorf("%s: %s, missing %v", state, do, missing)
		}
	})
	t.Run("an engine whose program is not there", func(t *testing.T) {
		s := openSample(t, func(c *handlers.Config) { c.Engine = absentEngine{} }).ready()
		if _, state, do, facts := s.health("engine"); state != "broken" || !strings.Contains(do, "PATH") || facts["version"] != nil {
			t.Errorf("%s: %s, %v", state, do, facts)
		}
	})
	t.Run("a folder for own files that cannot be used", func(t *testing.T) {
		s := openSample(t, func(c *handlers.Config) {
			_ = c.Data.Close()
			c.Data = appdb.Open(t.Context(), "")
		}).ready()
		if _, state, do, _ := s.health("desk"); state != "broken" || !strings.Contains(do, "--data") {
			t.Errorf("%s: %s", state, do)
		}
		if _, state, _, facts := s.health("disk"); state != "unknown" || facts["data_free_bytes"] != nil {
			t.Errorf("the disk is %s: %v", state, facts)
		}
	})
	t.Run("a pipeline that does not parse, with its line", func(t *testing.T) {
		root := storetest.Project(t)
		if err := os.WriteFile(filepath.Join(root, ".agents", "pipelines", "broken.yaml"), []byte("kind: WavePipeline\nsteps:\n  - id: [a\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, state, do, _ := openSite(t, root).ready().health("project"); state != "warning" || !strings.Contains(do, "broken.yaml:") {
			t.Errorf("%s: %s", state, do)
		}
	})
	t.Run("streams are counted while they are open", func(t *testing.T) {
		s := openSample(t).ready()
		st := s.listen("/events?list=1")
		s.until("it is counted", func() bool { _, _, _, facts := s.health("streams"); return facts["open"] == 1.0 })
		st.end()
		s.until("it is not", func() bool { _, _, _, facts := s.health("streams"); return facts["open"] == 0.0 })
	})
}
