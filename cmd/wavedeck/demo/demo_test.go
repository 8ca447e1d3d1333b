package demo

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"wavedeck/runner"
	"wavedeck/runner/engine"
	"wavedeck/store"
	"wavedeck/store/criteria"
	"wavedeck/store/manifest"
	"wavedeck/store/statedb"
	"wavedeck/store/tape"
	"wavedeck/store/wave"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come; it is no measure.
const patience = 30 * time.Second

// written is a demo written just now.
func written(t *testing.T) Script {
	t.Helper()
	s := Script{Dir: filepath.Join(t.TempDir(), "demo"), Epoch: time.Now(), Seed: 1}
	if err := Write(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return s
}

// projectOnly is a demo without its database.
func projectOnly(t *testing.T) Script {
	t.Helper()
	s := Script{Dir: filepath.Join(t.TempDir(), "demo"), Epoch: time.Now(), Seed: 1}
	if err := writeProject(s.Dir); err != nil {
		t.Fatal(err)
	}
	return s
}

// reader reads the demo's database as the console does, until the test ends.
func reader(t *testing.T, s Script) *store.Store {
	t.Helper()
	db := store.Open(s.database(), store.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- db.Follow(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	eventually(t, "the database is read", func() bool {
		h := db.Health()
		return h.Phase == store.Ready && h.Index.Ready
	})
	return db
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); !holds(); {
		select {
		case <-late:
			t.Fatalf("in vain waited until %s", what)
		case <-tick.C:
		}
	}
}

func TestProjectHasNoProblems(t *testing.T) {
	s := projectOnly(t)
	place, err := manifest.Locate(manifest.Options{Dir: s.Dir})
	if err != nil {
		t.Fatal(err)
	}
	catalog := manifest.Load(place)
	if len(catalog.Problems) > 0 || len(catalog.Pipelines) == 0 || !catalog.Manifest.Loaded {
		t.Errorf("%d pipelines, problems %v, missing %v", len(catalog.Pipelines), catalog.Problems, place.Missing)
	}
	for _, p := range catalog.Pipelines {
		for _, step := range p.Steps {
			if step.Iterate != nil && len(iterateItems(step.Iterate.Over)) == 0 {
				t.Errorf("%s: step %s has no items", p.Name, step.ID)
			}
		}
	}
	for _, p := range catalog.Manifest.Personas {
		if _, err := os.Stat(filepath.Join(s.Dir, p.SystemPromptFile)); err != nil {
			t.Errorf("persona %s: %v", p.Name, err)
		}
	}
}

func TestHistory(t *testing.T) {
	s := written(t)
	db := reader(t, s)

	t.Run("it holds every state that a run can be told in", func(t *testing.T) {
		facets, err := db.Facets(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, state := range wave.States {
			switch state {
			case wave.Queued: // the schema has no word for it
			case wave.Skipped: // only steps are
			case wave.Unknown: // every run left something to derive its state from
			default:
				if facets.States[state] == 0 {
					t.Errorf("no run is %s", state)
				}
			}
		}
		if facets.All < 100 {
			t.Errorf("only %d runs", facets.All)
		}
	})

	find := func(t *testing.T, text string, matches func(wave.Run) bool) wave.RunDetail {
		t.Helper()
		page, err := db.Runs(t.Context(), criteria.RunFilter{Predicates: criteria.Words(text), Limit: criteria.MaxLimit})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Runs {
			if matches(r) {
				detail, err := db.Detail(t.Context(), r.ID)
				if err != nil {
					t.Fatal(err)
				}
				return detail
			}
		}
		t.Fatalf("no such run among %d", len(page.Runs))
		return wave.RunDetail{}
	}
	first := func(wave.Run) bool { return true }
	step := func(d wave.RunDetail, id string) wave.Step {
		i := slices.IndexFunc(d.Steps, func(s wave.Step) bool { return s.ID == id })
		if i < 0 {
			return wave.Step{}
		}
		return d.Steps[i]
	}

	t.Run("a run that an operator stopped is recorded as failed", func(t *testing.T) {
		d := find(t, "500 customers", func(r wave.Run) bool { return r.Input == "500 customers" }) // an id may hold the number too
		if d.Run.State != wave.Cancelled || d.Run.Status != "failed" || d.Run.Cancel == nil {
			t.Errorf("%+v", d.Run)
		}
	})
	t.Run("a preflight failure has a reason and no events", func(t *testing.T) {
		d := find(t, "hollis.docx", first)
		if d.Run.State != wave.Failed || d.Events != 0 || !strings.Contains(d.Run.Error, "pdftotext") {
			t.Errorf("%d events, %+v", d.Events, d.Run)
		}
	})
	t.Run("a contract fails three times and the run with it", func(t *testing.T) {
		d := find(t, "baumann.pdf", func(r wave.Run) bool { return r.State == wave.Failed })
		convert := step(d, "convert")
		if convert.State != wave.Failed || len(convert.Attempts) != 3 || convert.Contract == nil || convert.Contract.Result != "failed" {
			t.Errorf("%+v", convert)
		}
	})
	t.Run("a failed run was taken up again", func(t *testing.T) {
		d := find(t, "baumann.pdf", func(r wave.Run) bool { return r.Kind == "resume" })
		if d.Run.State != wave.Succeeded || d.Parent == nil || d.Parent.State != wave.Failed {
			t.Errorf("%+v of %+v", d.Run, d.Parent)
		}
	})
	t.Run("a step was reworked by another", func(t *testing.T) {
		d := find(t, "verger-du-lac.html", first)
		if d.Run.State != wave.Succeeded || step(d, "convert").Recorded != "reworking" || step(d, "convert-by-table").State != wave.Succeeded {
			t.Errorf("%+v", d.Steps)
		}
	})
	t.Run("an optional step fails and the run goes on", func(t *testing.T) {
		d := find(t, "newsletter", func(r wave.Run) bool { return r.Status == "completed" && r.Parent == "" })
		if step(d, "pictures").State != wave.Failed {
			t.Errorf("%+v", d.Steps)
		}
	})
	t.Run("a branch leads nowhere", func(t *testing.T) {
		d := find(t, "restock", func(r wave.Run) bool { return r.State == wave.Succeeded && r.Children.All == 0 })
		if step(d, "order").State != wave.Skipped {
			t.Errorf("%+v", d.Steps)
		}
	})
	t.Run("a run fans out to four children", func(t *testing.T) {
		d := find(t, "price-watch", func(r wave.Run) bool { return r.State == wave.Succeeded })
		if len(d.Children) != 4 || d.Children[3].Iterate == nil {
			t.Errorf("%d children", len(d.Children))
		}
	})
	t.Run("the outer row of a composition has the state of its children", func(t *testing.T) {
		d := find(t, "then newsletter", first)
		if d.Run.State != wave.Succeeded || len(d.Children) != 2 {
			t.Errorf("%d children of %+v", len(d.Children), d.Run)
		}
	})
	t.Run("a run was forked from a failed one", func(t *testing.T) {
		d := find(t, "off by one cent", func(r wave.Run) bool { return r.ForkedFrom != "" })
		if d.Fork == nil || d.Fork.State != wave.Failed || d.Run.State != wave.Succeeded {
			t.Errorf("%+v from %+v", d.Run, d.Fork)
		}
	})
}

func TestScriptIsDeterministic(t *testing.T) {
	s := projectOnly(t)
	one, err := s.recording()
	if err != nil {
		t.Fatal(err)
	}
	two, err := s.recording()
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(one.entries, two.entries) || !maps.EqualFunc(one.files, two.files, bytes.Equal) {
		t.Error("the second time it differs")
	}
}

func TestWriteRefusesAFolderInUse(t *testing.T) {
	s := projectOnly(t)
	if err := Write(t.Context(), s); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("error %v", err)
	}
}

func TestPassesFitTogether(t *testing.T) {
	s := projectOnly(t)
	rec, err := s.recording()
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n < 12; n++ {
		first := len(rec.entries)
		rec.addPass(n)
		for _, e := range rec.entries[first:] {
			if e.At < time.Duration(n)*period-lead {
				t.Fatalf("pass %d has an entry before it begins, at %v", n, e.At)
			}
		}
	}
	rec.sort()
	created := map[string]bool{}
	for _, e := range rec.entries {
		if e.Table != "pipeline_run" {
			continue
		}
		id := e.Row["run_id"].(string)
		if e.Op == tape.Insert && created[id] {
			t.Errorf("there are two runs %s", id)
		}
		if e.Op == tape.Update && !created[id] {
			t.Errorf("run %s changes before it is there", id)
		}
		created[id] = true
	}
}

func TestReplay(t *testing.T) {
	s := written(t)
	db := reader(t, s)
	before := db.Health().LastEventID
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Replay(ctx, s) }()

	eventually(t, "runs go on", func() bool { return db.Health().LastEventID >= before+3 })
	artifacts := map[string]int64{}
	page, err := db.Runs(t.Context(), criteria.RunFilter{States: []wave.State{wave.Succeeded}, Limit: criteria.MaxLimit})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range page.Runs {
		d, err := db.Detail(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range d.Artifacts {
			artifacts[a.Path] = a.Size
		}
	}
	if len(artifacts) < 50 {
		t.Errorf("only %d artifacts", len(artifacts))
	}
	eventually(t, "the history's artifacts have their files", func() bool {
		for path, size := range artifacts {
			info, err := os.Stat(filepath.Join(s.Dir, path))
			if err != nil || info.Size() != size {
				return false
			}
		}
		return true
	})
	cancel()
	if err := <-done; err != nil {
		t.Errorf("it ends with %v", err)
	}
}

// TestPassesEnd commits two passes at once and looks at how their runs ended.
func TestPassesEnd(t *testing.T) {
	s := written(t)
	rec, err := s.recording()
	if err != nil {
		t.Fatal(err)
	}
	rec.addPass(1)
	rec.sort()
	_, future := rec.split()
	writer, err := statedb.Open(t.Context(), s.database())
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	schema, err := statedb.ReadSchema(t.Context(), writer)
	if err != nil {
		t.Fatal(err)
	}
	if err := commit(t.Context(), writer, schema, future); err != nil {
		t.Fatal(err)
	}
	page, err := reader(t, s).Runs(t.Context(), criteria.RunFilter{Since: s.Epoch.Add(-lead - time.Second), Limit: criteria.MaxLimit})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, r := range page.Runs {
		seen[fmt.Sprintf("%s %s", r.Pipeline, r.State)]++
	}
	want := map[string]int{
		"build-shop succeeded": 2, "fix-bug succeeded": 1, "fix-bug failed": 1, "deploy-shop succeeded": 2,
		"price-watch succeeded": 2, "supplier-prices succeeded": 8, "import-catalogue failed": 1,
		"import-catalogue succeeded": 1, "load-test cancelled": 2,
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("runs that were not as planned: %s", diff)
	}
}

// Beside the recorded ones, these do real work on any machine.
func TestPipelinesThatRunOnAnyMachine(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes seconds")
	}
	s := projectOnly(t)
	place, err := manifest.Locate(manifest.Options{Dir: s.Dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		pipeline, input string
		outcome         engine.Outcome
		says            string
	}{
		{"build-shop", "main", engine.Completed, ""},
		{"stock-count", "20", engine.Completed, ""},
		{"stock-count", "many", engine.Completed, ""},
		{"print-labels", "Boskoop", engine.Failed, `step "cut" failed`},
		{"print-labels", "Boskoop", engine.Completed, ""},
		{"print-labels", "", "", "is required"},
	} {
		t.Run(test.pipeline+" with the input "+strconv.Quote(test.input), func(t *testing.T) {
			result, err := engine.Run(t.Context(), engine.Options{
				Catalog: manifest.Load(place), Request: runner.Request{Pipeline: test.pipeline, Input: test.input},
			})
			said := result.Message
			if err != nil {
				said = err.Error()
			}
			if result.Outcome != test.outcome || !strings.Contains(said, test.says) {
				t.Errorf("%s: %s", result.Outcome, said)
			}
		})
	}
	reports, err := filepath.Glob(filepath.Join(s.Dir, ".agents/workspaces/stock-count-*/report/.agents/artifacts/report/report"))
	if err != nil || len(reports) != 2 {
		t.Fatalf("%v, %v", reports, err)
	}
	text, err := os.ReadFile(reports[0])
	if err != nil || !strings.Contains(string(text), "- apple: 167 trees of 3 sorts") || !strings.Contains(string(text), "- Gravenstein on M26 (apple): 7") {
		t.Errorf("the report says %s, %v", text, err)
	}
}

// Their personas are played by the programs in the project: no model is asked.
func TestPipelinesWithPersonasRunOnAnyMachine(t *testing.T) {
	hurry := t.TempDir()
	if err := os.WriteFile(filepath.Join(hurry, "sleep"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", hurry+":/usr/bin:/bin") // no agent is installed there, and nobody has to wait
	s := projectOnly(t)
	place, err := manifest.Locate(manifest.Options{Dir: s.Dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("at once", func(t *testing.T) {
		for _, test := range []struct {
			pipeline, input string
			outcome         engine.Outcome
			says, leaves    string // a part of the end's message; an artifact
		}{
			{"fix-bug", "#418 the apple filter shows pears", engine.Completed, "", "repair/.agents/artifacts/repair/patch"},
			{"fix-bug", "#422 total is off by one cent", engine.Failed, `step "unit-tests" failed`, "triage/.agents/artifacts/triage/cause"},
			{"import-catalogue", "suppliers/kessler.xlsx", engine.Completed, "", "convert/.agents/artifacts/convert/catalogue.json"},
			{"import-catalogue", "suppliers/baumann.pdf", engine.Completed, "", "convert-by-table/.agents/artifacts/convert-by-table/catalogue.json"},
			{"newsletter", "November", engine.Completed, "", "draft/.agents/artifacts/draft/draft"},
			{"order-trees", "40 Boskoop", engine.Completed, "", "choose/.agents/artifacts/choose/order.json"},
			{"supplier-prices", "Baumann", engine.Completed, "", "read/.agents/artifacts/read/prices.json"},
		} {
			t.Run(test.pipeline+" with the input "+strconv.Quote(test.input), func(t *testing.T) {
				t.Parallel()
				result, err := engine.Run(t.Context(), engine.Options{
					Catalog: manifest.Load(place), Request: runner.Request{Pipeline: test.pipeline, Input: test.input},
				})
				if err != nil || result.Outcome != test.outcome || !strings.Contains(result.Message, test.says) {
					t.Errorf("%s: %s, %v", result.Outcome, result.Message, err)
				}
				file := filepath.Join(s.Dir, ".agents/workspaces", result.Run, test.leaves)
				if info, err := os.Stat(file); err != nil || info.Size() == 0 {
					t.Errorf("it left %v, %v", info, err)
				}
			})
		}
	})
}
