package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"wavedeck/store/storetest"
)

func TestDoctor(t *testing.T) {
	t.Run("a project in order", func(t *testing.T) {
		dir := storetest.Project(t)
		code, stdout, stderr := runHere(t, "doctor", "--project", dir)
		if code != exitOK || stderr != "" {
			t.Errorf("exit code %d, stderr %q", code, stderr)
		}
		for _, want := range []string{
			`(?m)^project +` + regexp.QuoteMeta(dir) + `$`,
			`(?m)^state +\.agents$`,
			`(?m)^database +\.agents/state\.db$`,
			`(?m)^  read +read-only$`,
			`(?m)^  journal +wal$`,
			`(?m)^  schema +33$`,
			`(?m)^  last event +232 at .*, of fix-issue-20261123-003950-9775$`,
			`(?m)^  pipeline_run +15 rows$`,
			`(?m)^  cancellation +1 row$`,
			`(?m)^  adapters +claude, codex$`,
			`(?m)^  personas +craftsman, navigator, reviewer, summarizer$`,
			`(?m)^pipelines +7$`,
			`(?m)^  release-check +6 steps, \.agents/pipelines/release-check\.yaml$`,
			`(?m)^problems +none$`,
		} {
			if !regexp.MustCompile(want).MatchString(stdout) {
				t.Errorf("no line like %s in\n%s", want, stdout)
			}
		}
	})

	t.Run("an empty folder", func(t *testing.T) {
		dir := t.TempDir()
		code, stdout, stderr := runHere(t, "doctor", "--project", dir)
		if code != exitError || stderr != "" {
			t.Errorf("exit code %d, stderr %q", code, stderr)
		}
		for _, want := range []string{
			`(?m)^problems +3$`,
			`(?m)^  there is no state database at .*; looked at ` + regexp.QuoteMeta(filepath.Join(dir, ".agents", "state.db")+" and "+filepath.Join(dir, ".wave", "state.db")) + `$`,
			`(?m)^  wave\.yaml: is missing`,
			`(?m)^  \.agents/pipelines: is missing`,
		} {
			if !regexp.MustCompile(want).MatchString(stdout) {
				t.Errorf("no line like %s in\n%s", want, stdout)
			}
		}
	})

	t.Run("a pipeline that does not parse is told with its line", func(t *testing.T) {
		dir := storetest.Project(t)
		broken := filepath.Join(dir, ".agents", "pipelines", "broken.yaml")
		if err := os.WriteFile(broken, []byte("kind: WavePipeline\nsteps:\n  - id: [a\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		code, stdout, _ := runHere(t, "doctor", "--project", dir)
		if code != exitError || !regexp.MustCompile(`(?m)^  \.agents/pipelines/broken\.yaml:\d+: does not parse: `).MatchString(stdout) {
			t.Errorf("exit code %d and\n%s", code, stdout)
		}
		if !regexp.MustCompile(`(?m)^pipelines +8$`).MatchString(stdout) {
			t.Errorf("the other pipelines are gone:\n%s", stdout)
		}
	})

	t.Run("a file that is no database", func(t *testing.T) {
		dir := t.TempDir()
		file := filepath.Join(dir, "state.db")
		if err := os.WriteFile(file, []byte(strings.Repeat("this is no database. ", 100)), 0o600); err != nil {
			t.Fatal(err)
		}
		code, stdout, _ := runHere(t, "doctor", "--project", dir, "--db", file)
		if code != exitError || !strings.Contains(stdout, "is not a SQLite database") {
			t.Errorf("exit code %d and\n%s", code, stdout)
		}
	})

	t.Run("an older schema is told by its tables", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, ".wave"), 0o700); err != nil {
			t.Fatal(err)
		}
		old := storetest.NewVersion(t, 16)
		old.Exec(`INSERT INTO schema_migrations (version, description, applied_at, checksum) VALUES (33, '', 0, '')`)
		_, stdout, _ := runHere(t, "doctor", "--project", dir, "--db", old.Path)
		if !regexp.MustCompile(`(?m)^  schema +33 is noted, but the tables are those of 15 to 16$`).MatchString(stdout) {
			t.Errorf("the schema is not told:\n%s", stdout)
		}
	})

	t.Run("as JSON", func(t *testing.T) {
		code, stdout, _ := runHere(t, "doctor", "--json", "--project", storetest.Project(t))
		var found findings
		if err := json.Unmarshal([]byte(stdout), &found); err != nil {
			t.Fatal(err)
		}
		if code != exitOK || !found.Well || found.Database.Schema.Noted != 33 || len(found.Pipelines) != 7 || len(found.Manifest.Personas) != 4 {
			t.Errorf("exit code %d, found %+v", code, found)
		}
	})

	t.Run("a name cannot steer the terminal", func(t *testing.T) {
		dir := t.TempDir()
		text := "kind: WaveManifest\nmetadata:\n  name: \"\\e[2Jgone\\tgone\"\n"
		if err := os.WriteFile(filepath.Join(dir, "wave.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, stdout, _ := runHere(t, "doctor", "--project", dir); strings.Contains(stdout, "\x1b") || !strings.Contains(stdout, "gone") {
			t.Errorf("stdout %q", stdout)
		}
	})
}
