//go:build unix

package manifest

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const okPipeline = "steps: [{id: a}]\n"

func symlink(t *testing.T, target, path string) {
	t.Helper()
	makeDir(t, filepath.Dir(path))
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func TestFilesThatAreNotRead(t *testing.T) {
	tests := []struct {
		name string
		make func(t *testing.T, root, path string)
		want string // of the only problem of the pipeline; empty when it is read
	}{
		{"a FIFO does not hang", func(t *testing.T, _, path string) {
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "is a FIFO, not a file"},
		{"a link to a device", func(t *testing.T, _, path string) {
			symlink(t, "/dev/zero", path)
		}, "is a symbolic link that cannot be followed within the project"},
		{"a socket", func(t *testing.T, _, path string) {
			t.Chdir(filepath.Dir(path)) // the path of a socket may be 108 bytes only
			l, err := net.Listen("unix", filepath.Base(path))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
		}, "is a socket, not a file"},
		{"a link that leads out of the project", func(t *testing.T, _, path string) {
			outside := filepath.Join(t.TempDir(), "out.yaml")
			writeFile(t, outside, okPipeline)
			symlink(t, outside, path)
		}, "is a symbolic link that cannot be followed within the project"},
		{"a link up and out of the project", func(t *testing.T, root, path string) {
			writeFile(t, filepath.Join(filepath.Dir(root), "up.yaml"), okPipeline)
			symlink(t, "../../../up.yaml", path)
		}, "is a symbolic link that cannot be followed within the project"},
		{"a link to nothing", func(t *testing.T, _, path string) {
			symlink(t, "nothing.yaml", path)
		}, "is a symbolic link to nothing"},
		{"a link to itself", func(t *testing.T, _, path string) {
			symlink(t, filepath.Base(path), path)
		}, "is a symbolic link that cannot be followed within the project"},
		{"a link to the database", func(t *testing.T, _, path string) {
			symlink(t, "../state.db", path)
		}, "is a database in use"},
		{"a hard link to the database", func(t *testing.T, root, path string) {
			if err := os.Link(filepath.Join(root, ".agents/state.db"), path); err != nil {
				t.Fatal(err)
			}
		}, "is a database in use"},
		{"a file that may not be read", func(t *testing.T, _, path string) {
			if os.Getuid() == 0 {
				t.Skip("root may read everything")
			}
			writeFile(t, path, okPipeline)
			if err := os.Chmod(path, 0); err != nil {
				t.Fatal(err)
			}
		}, "cannot be read: permission denied"},
		{"a link within the project is read", func(t *testing.T, root, path string) {
			writeFile(t, filepath.Join(root, "shared.yaml"), okPipeline)
			symlink(t, "../../shared.yaml", path)
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := writeProject(t, map[string]string{
				"wave.yaml": "metadata: {name: x}\n", ".agents/state.db": "db", ".agents/pipelines/ok.yaml": okPipeline,
			})
			tt.make(t, root, filepath.Join(root, ".agents/pipelines/odd.yaml"))
			c := load(t, root)
			if p, found := c.Pipeline("ok"); !found || p.Broken {
				t.Errorf("the other pipeline: got %v %+v", found, p)
			}
			p, found := c.Pipeline("odd")
			if !found || p.Broken != (tt.want != "") {
				t.Fatalf("got %v %+v", found, p)
			}
			if tt.want != "" && (len(p.Problems) != 1 || !strings.HasPrefix(p.Problems[0].Text, tt.want)) {
				t.Errorf("problems: %v, want %s", texts(p.Problems), tt.want)
			}
		})
	}
}

func TestDirectoriesThatLeadOut(t *testing.T) {
	t.Run("a pipelines directory outside the project", func(t *testing.T) {
		outside := writeProject(t, map[string]string{"p.yaml": okPipeline})
		root := writeProject(t, map[string]string{"wave.yaml": "{}", ".agents/state.db": ""})
		symlink(t, outside, filepath.Join(root, ".agents/pipelines"))
		c := load(t, root)
		if len(c.Pipelines) != 0 || len(c.Problems) != 1 || !strings.Contains(c.Problems[0].Text, "cannot be followed") {
			t.Errorf("got %d pipelines, %v", len(c.Pipelines), texts(c.Problems))
		}
	})
	t.Run("a FIFO in the place of the pipelines directory", func(t *testing.T) {
		root := writeProject(t, map[string]string{"wave.yaml": "{}", ".agents/state.db": ""})
		if err := syscall.Mkfifo(filepath.Join(root, ".agents/pipelines"), 0o600); err != nil {
			t.Fatal(err)
		}
		c := load(t, root)
		if len(c.Problems) != 1 || c.Problems[0].Text != "is a FIFO, not a file" {
			t.Errorf("problems: %v", texts(c.Problems))
		}
		_ = fingerprint(c.Project)
	})
	t.Run("a manifest that leads out of the project is refused", func(t *testing.T) {
		outside := writeProject(t, map[string]string{"w.yaml": "metadata: {name: out}"})
		root := writeProject(t, map[string]string{".agents/pipelines/": ""})
		symlink(t, filepath.Join(outside, "w.yaml"), filepath.Join(root, "wave.yaml"))
		if c := load(t, root); c.Manifest.Loaded || len(c.Problems) != 1 {
			t.Errorf("got %+v, %v", c.Manifest, texts(c.Problems))
		}
	})
	t.Run("a manifest that the operator names may lie and lead anywhere", func(t *testing.T) {
		outside := writeProject(t, map[string]string{"conf/w.yaml": "metadata: {name: out}"})
		symlink(t, filepath.Join(outside, "conf/w.yaml"), filepath.Join(outside, "link.yaml"))
		root := writeProject(t, map[string]string{".agents/pipelines/": ""})
		for _, name := range []string{"conf/w.yaml", "link.yaml"} {
			c := Load(mustLocate(t, Options{Dir: root, Manifest: filepath.Join(outside, name)}))
			if c.Manifest.Name != "out" || len(c.Problems) != 0 {
				t.Errorf("%s: got %+v, %v", name, c.Manifest, texts(c.Problems))
			}
		}
	})
}

func TestAManifestElsewhereIsOpenedAsCarefully(t *testing.T) {
	root := writeProject(t, map[string]string{".agents/state.db": "db", ".agents/pipelines/": ""})
	outside := writeProject(t, map[string]string{"folder/": ""})
	if err := syscall.Mkfifo(filepath.Join(outside, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	symlink(t, filepath.Join(root, ".agents/state.db"), filepath.Join(outside, "database"))
	symlink(t, "nothing", filepath.Join(outside, "dangling"))
	for name, want := range map[string]string{
		"database": "is a database in use",
		"fifo":     "is a FIFO, not a file",
		"folder":   "is a directory, not a file",
		"dangling": "is missing: no personas and adapters are known",
		"nothing":  "is missing: no personas and adapters are known",
	} {
		c := Load(mustLocate(t, Options{Dir: root, Manifest: filepath.Join(outside, name)}))
		if c.Manifest.Loaded || len(c.Problems) != 1 || c.Problems[0].Text != want {
			t.Errorf("%s: got %+v, %v, want %s", name, c.Manifest, texts(c.Problems), want)
		}
	}
}

func TestFileNamesMayBeAnyText(t *testing.T) {
	root := writeProject(t, map[string]string{
		"wave.yaml":                                              "{}",
		".agents/pipelines/<b>\x1b[31m\n.yaml":                   okPipeline,
		".agents/pipelines/not \xff utf-8.yaml":                  okPipeline,
		".agents/pipelines/.hidden.yaml":                         okPipeline,
		".agents/pipelines/" + strings.Repeat("x", 240) + ".yml": okPipeline,
	})
	c := load(t, root)
	if len(c.Pipelines) != 3 || len(c.Problems) != 0 {
		t.Errorf("got %d pipelines, %v", len(c.Pipelines), texts(c.Problems))
	}
	if _, found := c.Pipeline(".hidden"); found {
		t.Error("a hidden file was read")
	}
	if got, want := (Problem{File: "a\x1b[31m.yaml", Line: 2, Text: "x"}).String(), `"a\x1b[31m.yaml":2: x`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, found := c.Pipeline("not \uFFFD utf-8"); !found {
		t.Error("the pipeline whose file name is not UTF-8 was not found")
	}
}
