package manifest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// patience is how long a condition is waited for; no test passes by waiting it out.
const patience = 20 * time.Second

// run opens a source and runs it for as long as the test does.
func run(t *testing.T, opts Options, adjust func(*Source)) *Source {
	t.Helper()
	s, err := Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	s.pollEvery = time.Hour // so that it is notification that is tested
	if adjust != nil {
		adjust(s)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { s.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return s
}

// pollOnly makes a source that gets no notifications, as on a system without watches left.
func pollOnly(s *Source) {
	s.pollEvery = 5 * time.Millisecond
	s.newWatcher = func() (*fsnotify.Watcher, error) { return nil, errors.New("too many open files") }
}

// await returns the first catalog that holds what is wanted.
func await(t *testing.T, s *Source, what string, holds func(*Catalog) bool) *Catalog {
	t.Helper()
	deadline := time.After(patience)
	for {
		changed, c := s.Changed(), s.Current()
		if holds(c) {
			return c
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("%s: not after %v; problems: %v", what, patience, texts(c.Problems))
		}
	}
}

func hasPipeline(name string) func(*Catalog) bool {
	return func(c *Catalog) bool { _, found := c.Pipeline(name); return found }
}

func lacksPipeline(name string) func(*Catalog) bool {
	return func(c *Catalog) bool { return !hasPipeline(name)(c) }
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func TestSourceNoticesChanges(t *testing.T) {
	const manifest = "metadata: {name: one}\n"
	const pipeline = "steps: [{id: a}]\n"
	whole := map[string]string{"wave.yaml": manifest, ".agents/state.db": "", ".agents/pipelines/p.yaml": pipeline}
	tests := []struct {
		name   string
		files  map[string]string
		change func(t *testing.T, root string)
		want   func(*Catalog) bool
	}{
		{
			"a pipeline is edited", whole,
			func(t *testing.T, root string) {
				writeFile(t, filepath.Join(root, ".agents/pipelines/p.yaml"), "steps: [{id: a}, {id: b}]\n")
			},
			func(c *Catalog) bool { p, _ := c.Pipeline("p"); return len(p.Steps) == 2 },
		},
		{
			"a pipeline is edited to the same size", whole,
			func(t *testing.T, root string) {
				writeFile(t, filepath.Join(root, ".agents/pipelines/p.yaml"), "steps: [{id: z}]\n")
			},
			func(c *Catalog) bool { p, _ := c.Pipeline("p"); return len(p.Steps) == 1 && p.Steps[0].ID == "z" },
		},
		{
			"a pipeline is replaced as editors do", whole,
			func(t *testing.T, root string) {
				path := filepath.Join(root, ".agents/pipelines/p.yaml")
				writeFile(t, path+".swp", "steps: [{id: new}]\n")
				move(t, path+".swp", path)
			},
			func(c *Catalog) bool { p, _ := c.Pipeline("p"); return len(p.Steps) == 1 && p.Steps[0].ID == "new" },
		},
		{
			"a pipeline is added", whole,
			func(t *testing.T, root string) {
				writeFile(t, filepath.Join(root, ".agents/pipelines/new.yaml"), pipeline)
			},
			hasPipeline("new"),
		},
		{
			"a pipeline goes away", whole,
			func(t *testing.T, root string) { remove(t, filepath.Join(root, ".agents/pipelines/p.yaml")) },
			lacksPipeline("p"),
		},
		{
			"the manifest is edited", whole,
			func(t *testing.T, root string) {
				writeFile(t, filepath.Join(root, "wave.yaml"), "metadata: {name: two}\n")
			},
			func(c *Catalog) bool { return c.Manifest.Name == "two" },
		},
		{
			"the manifest goes away", whole,
			func(t *testing.T, root string) { remove(t, filepath.Join(root, "wave.yaml")) },
			func(c *Catalog) bool { return !c.Manifest.Loaded && len(c.Project.Missing) == 1 },
		},
		{
			"the manifest appears", map[string]string{".agents/pipelines/p.yaml": pipeline},
			func(t *testing.T, root string) { writeFile(t, filepath.Join(root, "wave.yaml"), manifest) },
			func(c *Catalog) bool { return c.Manifest.Name == "one" },
		},
		{
			"the database appears", map[string]string{"wave.yaml": manifest, ".agents/pipelines/p.yaml": pipeline},
			func(t *testing.T, root string) { writeFile(t, filepath.Join(root, ".agents/state.db"), "") },
			func(c *Catalog) bool { return len(c.Project.Missing) == 0 },
		},
		{
			"the pipelines directory appears", map[string]string{"wave.yaml": manifest, ".agents/state.db": ""},
			func(t *testing.T, root string) {
				makeDir(t, filepath.Join(root, "new"))
				writeFile(t, filepath.Join(root, "new/p.yaml"), pipeline)
				move(t, filepath.Join(root, "new"), filepath.Join(root, ".agents/pipelines"))
			},
			hasPipeline("p"),
		},
		{
			"the state directory appears", map[string]string{"wave.yaml": manifest},
			func(t *testing.T, root string) {
				writeFile(t, filepath.Join(root, "new/pipelines/p.yaml"), pipeline)
				move(t, filepath.Join(root, "new"), filepath.Join(root, ".agents"))
			},
			hasPipeline("p"),
		},
		{
			"the state directory of an older Wave appears", map[string]string{"wave.yaml": manifest},
			func(t *testing.T, root string) {
				writeFile(t, filepath.Join(root, "new/pipelines/p.yaml"), pipeline)
				move(t, filepath.Join(root, "new"), filepath.Join(root, ".wave"))
			},
			func(c *Catalog) bool { return hasPipeline("p")(c) && filepath.Base(c.Project.StateDir) == ".wave" },
		},
		{
			"the project moves on to today's state directory", map[string]string{"wave.yaml": manifest, ".wave/pipelines/old.yaml": pipeline},
			func(t *testing.T, root string) {
				writeFile(t, filepath.Join(root, "new/state.db"), "")
				writeFile(t, filepath.Join(root, "new/pipelines/p.yaml"), pipeline)
				move(t, filepath.Join(root, "new"), filepath.Join(root, ".agents"))
			},
			func(c *Catalog) bool { return hasPipeline("p")(c) && lacksPipeline("old")(c) },
		},
		{
			"the pipelines directory goes away", whole,
			func(t *testing.T, root string) { remove(t, filepath.Join(root, ".agents/pipelines")) },
			func(c *Catalog) bool { return len(c.Pipelines) == 0 && len(c.Project.Missing) == 1 },
		},
		{
			"the state directory goes away", whole,
			func(t *testing.T, root string) { move(t, filepath.Join(root, ".agents"), filepath.Join(root, "gone")) },
			func(c *Catalog) bool { return len(c.Pipelines) == 0 && len(c.Project.Missing) == 2 },
		},
	}
	for _, tt := range tests {
		for how, adjust := range map[string]func(*Source){"": nil, " and only the poll tells": pollOnly} {
			t.Run(tt.name+how, func(t *testing.T) {
				t.Parallel()
				root := writeProject(t, tt.files)
				s := run(t, Options{Dir: root}, adjust)
				old := s.Current()
				if tt.want(old) {
					t.Fatal("what is waited for holds from the start")
				}
				ready(t, s, root)
				tt.change(t, root)
				got := await(t, s, tt.name, tt.want)
				if got.Generation <= old.Generation || got.Hash == old.Hash {
					t.Errorf("generation %d after %d, hash %s after %s", got.Generation, old.Generation, got.Hash, old.Hash)
				}
				if s.Current() == old || tt.want(old) {
					t.Error("the old catalog has changed")
				}
			})
		}
	}
}

// ready waits until the source has its watches, which it shows by noticing a
// change of the manifest's directory that leaves the project as it was.
func ready(t *testing.T, s *Source, root string) {
	t.Helper()
	path := filepath.Join(root, "wave.yaml")
	before, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		writeFile(t, path, "metadata: {name: ready}\n")
		await(t, s, "ready", func(c *Catalog) bool { return c.Manifest.Name == "ready" })
		remove(t, path)
		await(t, s, "as before", func(c *Catalog) bool { return !c.Manifest.Loaded })
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, "metadata: {name: ready}\n")
	await(t, s, "ready", func(c *Catalog) bool { return c.Manifest.Name == "ready" })
	writeFile(t, path, string(before))
	await(t, s, "as before", func(c *Catalog) bool { return c.Manifest.Name != "ready" && c.Manifest.Loaded })
}

func TestSourceFollowsADirectoryThroughItsLives(t *testing.T) {
	root := writeProject(t, map[string]string{"wave.yaml": "{}", ".agents/state.db": "", ".agents/pipelines/p.yaml": "steps: [{id: a}]"})
	s := run(t, Options{Dir: root}, nil)
	ready(t, s, root)
	for range 3 {
		remove(t, filepath.Join(root, ".agents/pipelines"))
		await(t, s, "gone", func(c *Catalog) bool { return len(c.Pipelines) == 0 })
		writeFile(t, filepath.Join(root, "next/p.yaml"), "steps: [{id: a}]")
		move(t, filepath.Join(root, "next"), filepath.Join(root, ".agents/pipelines"))
		await(t, s, "back", hasPipeline("p"))
		writeFile(t, filepath.Join(root, ".agents/pipelines/q.yaml"), "steps: [{id: a}]")
		await(t, s, "watched again", hasPipeline("q"))
	}
}

func TestSourceWaitsForAProjectThatHasGone(t *testing.T) {
	root := writeProject(t, map[string]string{"p/wave.yaml": "metadata: {name: one}", "p/.agents/pipelines/p.yaml": "steps: [{id: a}]"})
	s := run(t, Options{Dir: filepath.Join(root, "p")}, pollOnly)
	move(t, filepath.Join(root, "p"), filepath.Join(root, "elsewhere"))
	await(t, s, "gone", func(c *Catalog) bool { return !c.Manifest.Loaded && len(c.Project.Missing) == 3 })
	move(t, filepath.Join(root, "elsewhere"), filepath.Join(root, "p"))
	await(t, s, "back", func(c *Catalog) bool { return c.Manifest.Loaded && hasPipeline("p")(c) })
}

func TestSourceTellsOfAPromptThatChanged(t *testing.T) {
	root := writeProject(t, map[string]string{
		"wave.yaml": "personas: {nav: {system_prompt_file: nav.md}}", "nav.md": "old", ".agents/pipelines/": "",
	})
	s := run(t, Options{Dir: root}, pollOnly)
	first := s.Current()
	writeFile(t, filepath.Join(root, "nav.md"), "newer")
	await(t, s, "a new generation", func(c *Catalog) bool { return c.Generation > first.Generation })
	if p, err := s.Current().Prompt("nav.md"); err != nil || p.Text != "newer" {
		t.Errorf("got %+v, %v", p, err)
	}
}

func TestSourceWakesEveryListener(t *testing.T) {
	root := writeProject(t, map[string]string{"wave.yaml": "metadata: {name: one}", ".agents/pipelines/": ""})
	s := run(t, Options{Dir: root}, pollOnly)
	var listening sync.WaitGroup
	for range 8 {
		changed := s.Changed()
		listening.Go(func() {
			select {
			case <-changed:
			case <-time.After(patience):
				t.Error("a listener was not woken")
			}
		})
	}
	writeFile(t, filepath.Join(root, "wave.yaml"), "metadata: {name: two}")
	listening.Wait()
}

func TestSourceIsSilentWhenNothingChanged(t *testing.T) {
	root := writeProject(t, map[string]string{"wave.yaml": "metadata: {name: one}", ".agents/pipelines/": ""})
	s, err := Open(Options{Dir: root})
	if err != nil {
		t.Fatal(err)
	}
	changed, first := s.Changed(), s.Current()
	if first.Generation != 1 {
		t.Errorf("got generation %d, want 1", first.Generation)
	}
	s.load(locate(s.opts))
	select {
	case <-changed:
		t.Error("a change was told")
	default:
	}
	if s.Current() != first {
		t.Error("the catalog was replaced")
	}
}

func TestWatchLeavesTheDatabaseAlone(t *testing.T) {
	root := writeProject(t, map[string]string{"wave.yaml": "", ".agents/state.db": "", ".agents/pipelines/": ""})
	w := newWatch(fsnotify.NewWatcher)
	t.Cleanup(w.close)
	w.follow(mustLocate(t, Options{Dir: root}))
	for _, dir := range w.watcher.WatchList() {
		if dir == filepath.Join(root, ".agents") {
			t.Error("the state directory is watched, so every commit would wake the source")
		}
	}
	for path, want := range map[string]bool{
		"wave.yaml": true, ".agents": true, ".wave": true, ".agents/pipelines": true, ".agents/pipelines/p.yaml": true,
		".agents/state.db": false, ".agents/state.db-wal": false, "main.go": false, "wave.yaml.bak": false, ".agent": false,
	} {
		if got := w.concerns(filepath.Join(root, path)); got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
}
