package handlers_test

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wavedeck/handlers"
	"wavedeck/store/appdb"
	"wavedeck/store/storetest"
)

// TestNoPageShowsTheConsolesOwnFiles: whoever writes the manifest or a row may name any
// file of the project, and the folder of --data may lie there.
func TestNoPageShowsTheConsolesOwnFiles(t *testing.T) {
	root := emptyProject(t)
	own := appdb.Open(t.Context(), filepath.Join(root, ".deck"))
	t.Cleanup(func() { _ = own.Close() })
	const secret = "a-secret-of-the-console"
	for name, file := range map[string]string{"audit.jsonl.1": secret, "notes.txt": secret} {
		if err := os.WriteFile(filepath.Join(root, ".deck", name), []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(filepath.Join(root, ".deck/notes.txt"), filepath.Join(root, "hard.txt")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(".deck/notes.txt", filepath.Join(root, "soft.txt")); err != nil {
		t.Fatal(err)
	}
	paths := []string{".deck/desk.db", ".deck/desk.db-wal", ".deck/desk.db-shm", ".deck/audit.jsonl.1", ".deck/notes.txt", "hard.txt", "soft.txt"}
	manifest := "apiVersion: v1\nkind: WaveManifest\nadapters:\n  claude:\n    binary: claude\npersonas:\n"
	state := newState(t, root)
	run := state.Run(storetest.Run{ID: "r", Status: "completed"})
	for i, path := range paths {
		name := string(rune('a' + i))
		manifest += "  " + name + ":\n    adapter: claude\n    system_prompt_file: " + path + "\n"
		state.Artifact(run, storetest.Artifact{Step: "build", Name: name, Path: path})
	}
	if err := os.WriteFile(filepath.Join(root, "wave.yaml"), []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	s := openSite(t, root, func(c *handlers.Config) { c.Data = own }).ready()
	for i, path := range paths {
		name := string(rune('a' + i))
		for _, page := range []string{
			"/personas/" + name, "/runs/r/artifacts/build/" + name, "/api/runs/r/artifacts/build/" + name,
			"/api/runs/r/artifacts/build/" + name + "?raw=1", "/runs/r/export", "/compare?" + url.Values{"left": {"r"}, "right": {"r"}}.Encode(),
		} {
			if body := s.get(page).body; strings.Contains(body, secret) || strings.Contains(body, "SQLite format 3") || strings.Contains(body, "CREATE TABLE") {
				t.Errorf("%s shows %s: %s", page, path, clip(body))
			}
		}
		if body := s.get("/personas/" + name).body; !strings.Contains(body, "belongs to the console itself") {
			t.Errorf("the page of a persona does not say why %s is not shown: %s", path, clip(body))
		}
		if r := s.get("/api/runs/r/artifacts/build/" + name + "?raw=1"); r.status != 403 || !strings.Contains(r.body, "belongs to the console itself") {
			t.Errorf("%s: status %d, %s", path, r.status, clip(r.body))
		}
	}
}
