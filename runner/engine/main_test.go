//go:build unix

package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"wavedeck/runner"
	"wavedeck/runner/process"
	"wavedeck/store"
	"wavedeck/store/manifest"
	"wavedeck/store/wave"
)

// asEngine in the environment makes the test binary a process that carries out
// the request that it holds, in JSON.
const asEngine = "WAVEDECK_TEST_ENGINE"

type engineCall struct {
	Dir     string
	Request runner.Request
}

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "guard" {
		process.Guard(os.Stdin, os.Args[2:]...)
		os.Exit(0)
	}
	if text := os.Getenv(asEngine); text != "" {
		os.Exit(engineHere(text))
	}
	goleak.VerifyTestMain(m)
}

func engineHere(text string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var call engineCall
	if err := json.Unmarshal([]byte(text), &call); err != nil {
		panic(err)
	}
	if err := os.Unsetenv(asEngine); err != nil {
		panic(err)
	}
	source, err := manifest.Open(manifest.Options{Dir: call.Dir})
	if err != nil {
		panic(err)
	}
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	res, err := Run(ctx, Options{
		Catalog: source.Current(), Request: call.Request, Out: os.Stdout, Guard: []string{self, "guard"}, beat: 100 * time.Millisecond,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Fprintln(os.Stdout, res.Outcome)
	return 0
}

// patience is how long a test waits for what must come; it is no measure.
const patienceInTests = 30 * time.Second

// project is a Wave project of one test.
type project struct {
	t   testing.TB
	dir string
}

// newProject writes a project with one pipeline, called "p", and further files
// given as path and text.
func newProject(t testing.TB, steps string, files ...string) *project {
	t.Helper()
	p := &project{t, t.TempDir()}
	p.write("wave.yaml", "metadata: {name: test}\nadapters:\n  claude: {binary: claude}\n  codex: {binary: codex, default_model: o3}\n"+
		"personas:\n  writer: {adapter: claude, model: cheapest}\n  reviewer: {adapter: codex}\nruntime: {max_concurrent_workers: 3}\n")
	p.write(".agents/pipelines/p.yaml", "kind: WavePipeline\nmetadata: {name: p}\nsteps:\n"+steps)
	for i := 0; i+1 < len(files); i += 2 {
		p.write(files[i], files[i+1])
	}
	return p
}

func (p *project) write(name, text string) {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		p.t.Fatal(err)
	}
}

func (p *project) read(parts ...string) string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{p.dir}, parts...)...))
	if err != nil {
		p.t.Error(err)
	}
	return string(text)
}

func (p *project) catalog() *manifest.Catalog {
	p.t.Helper()
	located, err := manifest.Locate(manifest.Options{Dir: p.dir})
	if err != nil {
		p.t.Fatal(err)
	}
	return manifest.Load(located)
}

// run carries out "p" in this process.
func (p *project) run(r runner.Request, adapt ...func(*Options)) Result {
	p.t.Helper()
	r.Pipeline = "p"
	opt := Options{Catalog: p.catalog(), Request: r, grace: time.Second}
	for _, f := range adapt {
		f(&opt)
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), patienceInTests)
	defer cancel()
	res, err := Run(ctx, opt)
	if err != nil {
		p.t.Fatal(err)
	}
	return res
}

// detail reads a run as the console does.
func (p *project) detail(run string, now time.Time, alive func(int) bool) wave.RunDetail {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	var following sync.WaitGroup
	defer following.Wait()
	defer cancel()
	catalog := p.catalog()
	s := store.Open(filepath.Join(p.dir, ".agents/state.db"), store.Options{
		Now: func() time.Time { return now }, Alive: alive,
		Definition: func(name string) []wave.StepDef {
			pipeline, _ := catalog.Pipeline(name)
			var defs []wave.StepDef
			for _, step := range pipeline.Steps {
				defs = append(defs, wave.StepDef{ID: step.ID, Kind: string(step.Kind), Persona: step.Persona, Dependencies: step.Dependencies})
			}
			return defs
		},
	})
	following.Go(func() { _ = s.Follow(ctx) })
	var detail wave.RunDetail
	p.await("the store to be open", func() bool {
		var err error
		detail, err = s.Detail(ctx, run)
		return err == nil
	})
	return detail
}

func (p *project) readBack(run string) wave.RunDetail {
	p.t.Helper()
	return p.detail(run, time.Now(), nil)
}

func (p *project) await(what string, done func() bool) {
	p.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patienceInTests)
	for !done() {
		select {
		case <-tick.C:
		case <-late:
			p.t.Fatalf("waited for %s", what)
		}
	}
}

// step finds a step of a run.
func step(t testing.TB, d wave.RunDetail, id string) wave.Step {
	t.Helper()
	for _, s := range d.Steps {
		if s.ID == id {
			return s
		}
	}
	t.Fatalf("no step %s in %v", id, d.Steps)
	return wave.Step{}
}

// states are the derived states of a run's steps: "a=succeeded b=skipped".
func states(d wave.RunDetail) string {
	var all []string
	for _, s := range d.Steps {
		all = append(all, s.ID+"="+string(s.State))
	}
	return strings.Join(all, " ")
}
