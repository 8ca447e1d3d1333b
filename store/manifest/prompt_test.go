package manifest

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPrompt(t *testing.T) {
	long := strings.Repeat("x", maxPrompt-1) + strings.Repeat("é", 10)
	outside := writeProject(t, map[string]string{"secret.md": "secret"})
	root := writeProject(t, map[string]string{
		"p/nav.md": "You plan.\n", "p/long.md": long, "p/latin.md": "caf\xe9", "p/dir/": "",
		"p/exact.md": strings.Repeat("y", maxPrompt), ".agents/state.db": "db", ".agents/state.db-wal": "wal", ".wave/state.db": "old",
	})
	c := load(t, root)
	tests := []struct {
		name      string
		path      string
		text      string
		truncated bool
	}{
		{"a file in the project", "p/nav.md", "You plan.\n", false},
		{"a path with dots within the project", "./p/../p/nav.md", "You plan.\n", false},
		{"an absolute path within the project", filepath.Join(root, "p/nav.md"), "You plan.\n", false},
		{"a long file is cut between characters", "p/long.md", long[:maxPrompt-1], true},
		{"a file of just the limit is whole", "p/exact.md", strings.Repeat("y", maxPrompt), false},
		{"what is not UTF-8 is replaced", "p/latin.md", "caf\uFFFD", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := c.Prompt(tt.path)
			if err != nil {
				t.Fatal(err)
			}
			if got.Text != tt.text || got.Truncated != tt.truncated || !utf8.ValidString(got.Text) {
				t.Errorf("got %d bytes, truncated %v, want %d bytes, %v", len(got.Text), got.Truncated, len(tt.text), tt.truncated)
			}
			if tt.truncated && got.Size != int64(len(long)) {
				t.Errorf("got size %d, want %d", got.Size, len(long))
			}
		})
	}
	for name, tt := range map[string]struct{ path, want string }{
		"a path out of the project":           {"../secret.md", "read prompt ../secret.md: lies outside the project"},
		"an absolute path out of the project": {filepath.Join(outside, "secret.md"), "lies outside the project"},
		"no path":                             {"", "read prompt: no file is named"},
		"a directory":                         {"p/dir", "read prompt p/dir: is a directory, not a file"},
		"a file that is not there":            {"p/none.md", "read prompt p/none.md: no such file or directory"},
		"a file under a file":                 {"p/nav.md/x", "read prompt p/nav.md/x: no such file or directory"},
		"the database of an older Wave":       {".wave/state.db", "is a database in use"},
		"the database":                        {".agents/state.db", "is a database in use"},
		"the database's log":                  {".agents/state.db-wal", "is a database in use"},
		"a path with a zero byte":             {"p/\x00", "is not a file name"},
	} {
		t.Run(name+" is an error", func(t *testing.T) {
			got, err := c.Prompt(tt.path)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %+v, %v, want %s", got, err, tt.want)
			}
		})
	}
}
