package manifest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLocate(t *testing.T) {
	tests := []struct {
		name    string
		files   map[string]string
		opts    Options // paths relative to the project
		state   string
		db      string
		yaml    string
		missing []string
	}{
		{
			name:  "the state directory of today's Wave is found",
			files: map[string]string{"wave.yaml": "", ".agents/state.db": "", ".agents/pipelines/": ""},
			state: ".agents", db: ".agents/state.db", yaml: "wave.yaml",
		},
		{
			name:  "the state directory of an older Wave is found",
			files: map[string]string{"wave.yaml": "", ".wave/state.db": "", ".wave/pipelines/": ""},
			state: ".wave", db: ".wave/state.db", yaml: "wave.yaml",
		},
		{
			name:  "of two state directories the one with a database is taken",
			files: map[string]string{"wave.yaml": "", ".agents/pipelines/": "", ".wave/state.db": "", ".wave/pipelines/": ""},
			state: ".wave", db: ".wave/state.db", yaml: "wave.yaml",
		},
		{
			name:  "of two state directories with databases today's is taken",
			files: map[string]string{"wave.yaml": "", ".agents/state.db": "", ".agents/pipelines/": "", ".wave/state.db": ""},
			state: ".agents", db: ".agents/state.db", yaml: "wave.yaml",
		},
		{
			name:  "of two state directories without a database today's is taken",
			files: map[string]string{"wave.yaml": "", ".agents/pipelines/": "", ".wave/pipelines/": ""},
			state: ".agents", db: ".agents/state.db", yaml: "wave.yaml", missing: []string{MissingDatabase},
		},
		{
			name:  "an empty directory waits for today's files",
			state: ".agents", db: ".agents/state.db", yaml: "wave.yaml",
			missing: []string{MissingDatabase, MissingManifest, MissingPipelines},
		},
		{
			name:  "a database and a manifest may be elsewhere",
			files: map[string]string{"other/my.db": "", "conf/w.yaml": "", ".agents/pipelines/": ""},
			opts:  Options{DB: "other/my.db", Manifest: "conf/w.yaml"},
			state: ".agents", db: "other/my.db", yaml: "conf/w.yaml",
		},
		{
			name:  "a directory in the database's place is no database",
			files: map[string]string{"wave.yaml": "", ".agents/state.db/": "", ".agents/pipelines/": ""},
			state: ".agents", db: ".agents/state.db", yaml: "wave.yaml", missing: []string{MissingDatabase},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := writeProject(t, tt.files)
			opts := Options{Dir: root}
			if tt.opts.DB != "" {
				opts.DB, opts.Manifest = filepath.Join(root, tt.opts.DB), filepath.Join(root, tt.opts.Manifest)
			}
			p := mustLocate(t, opts)
			var missing []string
			for _, m := range p.Missing {
				missing = append(missing, m.What)
			}
			got := []string{p.Root, p.StateDir, p.DB, p.Manifest, p.Pipelines}
			want := []string{
				root, filepath.Join(root, tt.state), filepath.Join(root, tt.db),
				filepath.Join(root, tt.yaml), filepath.Join(root, tt.state, "pipelines"),
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("paths (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.missing, missing); diff != "" {
				t.Errorf("missing (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("what is missing names every place looked at", func(t *testing.T) {
		root := t.TempDir()
		got := mustLocate(t, Options{Dir: root}).Missing[0].Looked
		want := []string{filepath.Join(root, ".agents/state.db"), filepath.Join(root, ".wave/state.db")}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("looked (-want +got):\n%s", diff)
		}
	})
	t.Run("a directory that does not exist is an error", func(t *testing.T) {
		root := filepath.Join(t.TempDir(), "nowhere")
		_, err := Locate(Options{Dir: root})
		if want := "locate project " + root + ": no such directory"; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
	t.Run("a file is no project", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		writeFile(t, path, "")
		if _, err := Locate(Options{Dir: path}); err == nil {
			t.Error("got no error")
		}
	})
	t.Run("no directory is the working directory", func(t *testing.T) {
		wd, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		if got := mustLocate(t, Options{}).Root; got != wd {
			t.Errorf("got %s, want %s", got, wd)
		}
	})
}
