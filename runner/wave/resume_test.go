//go:build unix

package wave

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"wavedeck/runner"
	"wavedeck/store"
	"wavedeck/store/manifest"
	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// seen is what the stand-in for Wave finds for the steps before the one that it
// begins with: outputs by step and name, and how that step failed before.
type seen struct {
	Outputs map[string]string
	Bases   map[string]string `json:",omitempty"` // the names of the files, of outputs found by rows
	Failed  string
	Force   bool
}

// resumeAsWave looks up what earlier steps left as Wave does, and nowhere else.
func resumeAsWave(args []string) error {
	value := func(flag string) string { return args[slices.Index(args, flag)+1] }
	run, from, name := value("--run"), value("--from-step"), value("--pipeline")
	place, err := manifest.Locate(manifest.Options{Dir: "."})
	if err != nil {
		return err
	}
	p, _ := manifest.Load(place).Pipeline(name)
	db, err := statedb.Open(context.Background(), ".agents/state.db")
	if err != nil {
		return err
	}
	defer db.Close()
	dirs := []string{filepath.Join(".agents/workspaces", run)}
	if info, err := os.Stat(dirs[0]); err != nil || !info.IsDir() {
		if dirs, err = filepath.Glob(filepath.Join(".agents/workspaces", name+"-*")); err != nil {
			return err
		}
	}
	paths := workspacePaths(p, from, dirs)
	told := seen{Outputs: map[string]string{}, Bases: map[string]string{}, Force: slices.Contains(args, "--force")}
	var rows []struct {
		Step string `db:"step_id"`
		Name string `db:"name"`
		Path string `db:"path"`
	}
	if err := db.Select(&rows, `SELECT step_id, name, path FROM artifact WHERE run_id = ? ORDER BY created_at`, run); err != nil {
		return err
	}
	for _, r := range rows {
		if key := r.Step + ":" + r.Name; paths[key] == "" {
			paths[key], told.Bases[key] = r.Path, filepath.Base(r.Path)
		}
	}
	for key, path := range paths {
		if text, err := os.ReadFile(path); err == nil {
			told.Outputs[key] = string(text)
		}
	}
	var failed []string
	if err := db.Select(&failed, `SELECT error_message FROM step_attempt WHERE run_id = ? AND step_id = ? AND state = 'failed' ORDER BY attempt`, run, from); err != nil {
		return err
	}
	told.Failed = strings.Join(failed, ";")
	text, err := json.Marshal(told)
	if err != nil {
		return err
	}
	if err := os.WriteFile("seen", append(text, "\n.\n"...), 0o600); err != nil {
		return err
	}
	_, err = db.Exec(`UPDATE pipeline_run SET status = 'completed', completed_at = ? WHERE run_id = ?`, time.Now().Unix(), run)
	return err
}

func workspacePaths(p manifest.Pipeline, from string, dirs []string) map[string]string {
	paths, spaces := map[string]string{}, map[string]string{}
	for _, step := range p.Steps {
		if step.ID == from {
			break
		}
		space := spaces[step.Workspace.Ref]
		for i := len(dirs) - 1; i >= 0 && space == ""; i-- {
			if step.Workspace.Type == "worktree" {
				trees, _ := filepath.Glob(filepath.Join(dirs[i], "__wt_*"))
				for _, tree := range trees {
					if slices.ContainsFunc(step.OutputArtifacts, func(o manifest.OutputArtifact) bool {
						_, err := os.Stat(filepath.Join(tree, o.Path))
						return err == nil
					}) {
						space = tree
						break
					}
				}
			}
			if _, err := os.Stat(filepath.Join(dirs[i], step.ID)); err == nil && space == "" {
				space = filepath.Join(dirs[i], step.ID)
			}
		}
		if space == "" {
			continue
		}
		spaces[step.ID] = space
		for _, o := range step.OutputArtifacts {
			paths[step.ID+":"+o.Name] = filepath.Join(space, o.Path)
		}
	}
	return paths
}

// past writes what earlier runs left. Times of rows are of now, unless a test
// needs others.
type past struct {
	*world
	db  *sqlx.DB
	now time.Time
}

func newPast(t *testing.T, pipelines map[string]string) *past {
	t.Helper()
	w := newWorld(t, takesUp(t))
	for name, steps := range pipelines {
		w.write(".agents/pipelines/"+name+".yaml", "kind: WavePipeline\nmetadata: {name: "+name+"}\nsteps:\n"+steps)
	}
	if err := runner.EnsureDatabase(t.Context(), storetest.StatePath(w.root)); err != nil {
		t.Fatal(err)
	}
	db, err := statedb.Open(t.Context(), storetest.StatePath(w.root))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &past{world: w, db: db, now: time.Now()}
}

func (p *past) exec(query string, args ...any) {
	p.t.Helper()
	if _, err := p.db.Exec(query, args...); err != nil {
		p.t.Fatal(err)
	}
}

// run records one that failed ten minutes ago.
func (p *past) run(id, pipeline string) {
	p.t.Helper()
	p.exec(`INSERT INTO pipeline_run (run_id, pipeline_name, status, input, started_at, completed_at) VALUES (?, ?, 'failed', 'x', ?, ?)`,
		id, pipeline, p.now.Unix()-600, p.now.Unix()-500)
}

// child records a run that another one was given for a step.
func (p *past) child(id, pipeline, parent, step, kind string) {
	p.t.Helper()
	p.exec(`INSERT INTO pipeline_run (run_id, pipeline_name, status, input, started_at, completed_at, parent_run_id, parent_step_id, run_kind, iterate_mode)
VALUES (?, ?, 'completed', 'x', ?, ?, ?, ?, ?, 'serial')`, id, pipeline, p.now.Unix()-600, p.now.Unix()-500, parent, step, kind)
}

// left writes an output's file and row.
func (p *past) left(run, step, name, path, text string) {
	p.t.Helper()
	p.write(path, text)
	p.exec(`INSERT INTO artifact (run_id, step_id, name, path, type, size_bytes, created_at) VALUES (?, ?, ?, ?, 'text', ?, ?)`,
		run, step, name, path, len(text), time.Now().Unix())
}

// archived is where Wave keeps a step's output.
func archived(run, step, name string) string {
	return ".agents/workspaces/" + run + "/" + step + "/.agents/artifacts/" + step + "/" + name
}

// plain leaves a run of the pipeline in linear.
func (p *past) plain(id, pipeline, text string) {
	p.t.Helper()
	p.run(id, pipeline)
	p.write(".agents/workspaces/"+id+"/a/out/a.txt", text)
	p.left(id, "a", "first", archived(id, "a", "first"), text)
	p.left(id, "s", "said", archived(id, "s", "said"), "said "+text)
}

const linear = `
  - {id: a, type: command, script: 'true', output_artifacts: [{name: first, path: out/a.txt}]}
  - {id: s, type: command, script: 'true', output_artifacts: [{name: said, source: stdout}]}
  - {id: b, type: command, script: 'true', dependencies: [a, s]}
`

// resumed resumes a run as the console does, and says what Wave saw.
func (p *past) resumed(id, from string, completed ...string) (seen, string, error) {
	p.t.Helper()
	left, err := p.control.Leftovers(p.t.Context(), id)
	if err != nil {
		p.t.Fatal(err)
	}
	run, err := p.Start(p.t.Context(), runner.Request{
		Pipeline: p.recorded(id).Pipeline, Input: "x", FromStep: from, Original: id, Completed: completed, Left: left,
	})
	if err != nil {
		return seen{}, run, err
	}
	var got seen
	if err := json.Unmarshal([]byte(p.wrote("seen")), &got); err != nil {
		p.t.Fatal(err)
	}
	await(p.t, "the run to end", func() bool { return p.recorded(run).Status == "completed" })
	return got, run, os.Remove(filepath.Join(p.root, "seen"))
}

const original = "fix-20261101-100000-aaaa"

func TestAResumedRunReadsWhatItsOriginalLeft(t *testing.T) {
	for name, test := range map[string]struct {
		pipeline  string
		past      func(p *past)
		from      string
		completed []string
		want      map[string]string
		bases     map[string]string
	}{
		"though ten newer runs left other things": {
			pipeline: linear, from: "b", completed: []string{"a", "s"},
			past: func(p *past) {
				p.plain(original, "fix", "AAA")
				for i := range 10 {
					p.plain(fmt.Sprintf("fix-20261102-1000%02d-bbbb", i), "fix", fmt.Sprint("B", i))
				}
			},
			want: map[string]string{"a:first": "AAA", "s:said": "said AAA"}, bases: map[string]string{"s:said": "said"},
		},
		"though another pipeline's name begins with this one's": {
			pipeline: linear, from: "b", completed: []string{"a", "s"},
			past: func(p *past) {
				p.plain(original, "fix", "AAA")
				p.plain("fix-other-20261102-100000-bbbb", "fix-other", "BBB")
			},
			want: map[string]string{"a:first": "AAA", "s:said": "said AAA"}, bases: map[string]string{"s:said": "said"},
		},
		"of the last attempt, and not what was never written": {
			pipeline: linear, from: "b", completed: []string{"a", "s"},
			past: func(p *past) {
				p.run(original, "fix")
				p.left(original, "a", "first", archived(original, "a", "first"), "one")
				p.left(original, "a", "first", archived(original, "a", "first"), "two, longer")
				p.exec(`INSERT INTO artifact (run_id, step_id, name, path, size_bytes, created_at) VALUES (?, 's', 'said', ?, 0, 1)`, original, archived(original, "s", "said"))
			},
			want: map[string]string{"a:first": "two, longer"},
		},
		"where the record of outputs was lost": {
			pipeline: "\n  - {id: a, type: command, script: 'true', output_artifacts: [{name: first, path: out/a.txt}]}\n  - {id: b, type: command, script: 'true'}\n",
			from:     "b", completed: []string{"a"},
			past: func(p *past) {
				p.run(original, "fix")
				p.write(".agents/workspaces/"+original+"/a/out/a.txt", "AAA")
			},
			want: map[string]string{"a:first": "AAA"},
		},
		"of iterations, aggregations and sub-pipelines": {
			pipeline: composed, from: "r", completed: []string{"each", "all", "sub"}, past: func(p *past) { p.composed(original, "AAA") },
			want:  map[string]string{"each:collected-output": `["AAA1","AAA2"]`, "all:all": `["AAA1","AAA2"]`, "sub:c": `"subAAA"`},
			bases: map[string]string{"each:collected-output": "each-collected.json", "all:all": "all.json", "sub:c": "c"},
		},
		"of iterations and aggregations that a newer run overwrote": {
			pipeline: composed, from: "r", completed: []string{"each", "all", "sub"},
			past: func(p *past) {
				p.composed(original, "AAA")
				p.composed("fix-20261102-100000-bbbb", "BBB")
			},
			want:  map[string]string{"each:collected-output": `["AAA1","AAA2"]`, "all:all": `["AAA1","AAA2"]`, "sub:c": `"subAAA"`},
			bases: map[string]string{"each:collected-output": "each-collected.json", "all:all": "all.json", "sub:c": "c"},
		},
		"of what that resumed itself": {
			pipeline: linear, from: "b", completed: []string{"a", "s"},
			past: func(p *past) {
				p.plain("fix-20261101-090000-9999", "fix", "AAA")
				p.run(original, "fix")
				p.exec(`UPDATE pipeline_run SET run_kind = 'resume', parent_run_id = 'fix-20261101-090000-9999', parent_step_id = 's' WHERE run_id = ?`, original)
				p.left(original, "s", "said", archived(original, "s", "said"), "said again")
				p.plain("fix-20261102-100000-bbbb", "fix", "BBB")
			},
			want: map[string]string{"a:first": "AAA", "s:said": "said again"}, bases: map[string]string{"s:said": "said"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPast(t, map[string]string{"fix": test.pipeline, "fix-other": linear})
			test.past(p)
			got, run, err := p.resumed(original, test.from, test.completed...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got.Outputs); diff != "" {
				t.Errorf("Wave sees (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.bases, got.Bases); diff != "" {
				t.Errorf("found by rows (-want +got):\n%s", diff)
			}
			if r := p.recorded(run); !got.Force || r.Kind != "resume" || r.Parent != original || r.ForkedFrom != "" {
				t.Errorf("%+v, force %v", r, got.Force)
			}
		})
	}
}

// composed has an iteration, an aggregation and a sub-pipeline.
const composed = `
  - {id: each, pipeline: child, iterate: {over: '["1","2"]', mode: sequential}}
  - {id: all, dependencies: [each], aggregate: {from: '{{ each.output }}', into: .agents/output/all.json, strategy: concat}}
  - {id: sub, pipeline: child, dependencies: [all]}
  - {id: r, type: command, script: 'true', dependencies: [each, all, sub]}
`

// composed leaves a run of that, whose children are of three pipelines.
func (p *past) composed(id, text string) {
	p.t.Helper()
	p.run(id, "fix")
	inner := func(n, step, kind, text string) {
		child := "child" + n + "-" + id
		p.child(child, "child"+n, id, step, kind)
		p.left(child, "c", "c", archived(child, "c", "c"), text)
	}
	inner("1", "each", "iterate_child", `"`+text+`1"`)
	inner("2", "each", "iterate_child", `"`+text+`2"`)
	collected := `["` + text + `1","` + text + `2"]`
	p.left(id, "each", "collected-output", ".agents/output/each-collected.json", collected)
	p.left(id, "all", "all", ".agents/output/all.json", collected)
	inner("3", "sub", "sub_pipeline_child", `"sub`+text+`"`)
}

func TestAResumedRunIsToldHowItsStepFailed(t *testing.T) {
	p := newPast(t, map[string]string{"fix": linear})
	p.plain(original, "fix", "AAA")
	const attempt = `INSERT INTO step_attempt (run_id, step_id, attempt, state, error_message, failure_class, started_at) VALUES (?, 'b', ?, ?, ?, 'deterministic', ?)`
	for i, state := range []string{"running", "failed", "running", "failed"} {
		p.exec(attempt, original, i/2+1, state, map[string]string{"failed": fmt.Sprint("wrong ", i)}[state], p.now.Unix()-550)
	}
	got, run, err := p.resumed(original, "b", "a", "s")
	if err != nil || got.Failed != "wrong 3" {
		t.Errorf("%q, %v", got.Failed, err)
	}
	s := store.Open(storetest.StatePath(p.root), store.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	var following sync.WaitGroup
	defer following.Wait()
	defer cancel()
	following.Go(func() { _ = s.Follow(ctx) })
	await(t, "the store", func() bool { return s.Health().Phase == store.Ready })
	d, err := s.Detail(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range d.Steps {
		if len(step.Attempts) > 0 {
			t.Errorf("the attempt of the original is shown as one of step %s of the run that resumes it: %+v", step.ID, step.Attempts)
		}
	}
}

func TestWhatIsGoneOrAnothersIsNotHandedOver(t *testing.T) {
	for name, test := range map[string]struct {
		pipeline  string
		past      func(p *past)
		completed []string
		why       string
	}{
		"the workspace was cleaned up": {
			past: func(p *past) {
				p.plain(original, "fix", "AAA")
				p.plain("fix-20261102-100000-bbbb", "fix", "BBB")
				p.remove(".agents/workspaces/" + original)
			},
			why: `the output "first" of step "a" was cleaned up, or never written`,
		},
		"the file is a link out of the project": {
			past: func(p *past) {
				p.plain(original, "fix", "AAA")
				p.remove(archived(original, "a", "first"))
				if err := os.Symlink("/etc/hostname", filepath.Join(p.root, archived(original, "a", "first"))); err != nil {
					p.t.Fatal(err)
				}
			},
			why: "symbolic link that cannot be followed within the project",
		},
		"the row leads to another run's workspace": {
			past: func(p *past) {
				p.plain("fix-20261102-100000-bbbb", "fix", "BBB")
				p.plain(original, "fix", "AAA")
				p.exec(`UPDATE artifact SET path = ? WHERE run_id = ? AND step_id = 'a'`, archived("fix-20261102-100000-bbbb", "a", "first"), original)
			},
			why: "lies in the workspace of another run, fix-20261102-100000-bbbb",
		},
		"the row leads to the state database": {
			past: func(p *past) {
				p.plain(original, "fix", "AAA")
				p.exec(`UPDATE artifact SET path = '.agents/state.db' WHERE run_id = ? AND step_id = 'a'`, original)
			},
			why: "is a database in use",
		},
		"the next run overwrote it, and it cannot be made again": {
			pipeline: strings.Replace(composed, "concat", "merge_arrays", 1), completed: []string{"each", "all", "sub"},
			past: func(p *past) {
				p.composed(original, "AAA")
				p.composed("fix-20261102-100000-bbbb", "BBB")
			},
			why: `the output "all" of step "all" was overwritten by fix-20261102-100000-bbbb; resume at "all" to make it again`,
		},
		"a step before did not complete": {
			past:      func(p *past) { p.plain(original, "fix", "AAA") },
			completed: []string{"s"}, why: `needs "a"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			pipeline, from, completed := linear, "b", []string{"a", "s"}
			if test.pipeline != "" {
				pipeline, from = test.pipeline, "r"
			}
			if test.completed != nil {
				completed = test.completed
			}
			p := newPast(t, map[string]string{"fix": pipeline})
			test.past(p)
			before := p.listed()
			_, run, err := p.resumed(original, from, completed...)
			var conflict *runner.ConflictError
			if !errors.As(err, &conflict) || !strings.Contains(err.Error(), test.why) || run != "" {
				t.Errorf("%v, run %q", err, run)
			}
			if diff := cmp.Diff(before, p.listed()); diff != "" {
				t.Errorf("a refusal left (-before +after):\n%s", diff)
			}
		})
	}
}

// remove removes what lies at a path of the project.
func (p *past) remove(name string) {
	p.t.Helper()
	if err := os.RemoveAll(filepath.Join(p.root, name)); err != nil {
		p.t.Fatal(err)
	}
}

// listed are the workspaces and the runs.
func (p *past) listed() []string {
	p.t.Helper()
	names, err := filepath.Glob(filepath.Join(p.root, ".agents/workspaces/*"))
	if err != nil {
		p.t.Fatal(err)
	}
	var runs []string
	if err := p.db.Select(&runs, `SELECT run_id FROM pipeline_run ORDER BY run_id`); err != nil {
		p.t.Fatal(err)
	}
	return append(names, runs...)
}

func TestWhatCannotBeHandedOverLeavesAFailedRunAndNoFolder(t *testing.T) {
	p := newPast(t, map[string]string{"fix": linear})
	p.plain(original, "fix", "AAA")
	p.limit = 1
	left, err := p.control.Leftovers(t.Context(), original)
	if err != nil {
		t.Fatal(err)
	}
	const id = "fix-20261103-100000-cccc"
	_, err = p.Start(t.Context(), runner.Request{ID: id, Pipeline: "fix", FromStep: "b", Original: original, Completed: []string{"a", "s"}, Left: left})
	if err == nil || !strings.Contains(err.Error(), "more than is copied") {
		t.Error(err)
	}
	if r := p.recorded(id); r.State != wave.Failed || !strings.Contains(r.Error, "more than is copied") {
		t.Errorf("%s: %q", r.State, r.Error)
	}
	if _, err := os.Stat(filepath.Join(p.root, ".agents/workspaces", id)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its folder is there: %v", err)
	}
}

// TestWorktreesAreContinuedAsTheyWere: the resumed run works on the same branch
// and files, in a worktree of its own.
func TestWorktreesAreContinuedAsTheyWere(t *testing.T) {
	p := newPast(t, map[string]string{"fix": `
  - {id: w, type: command, script: 'true', workspace: {type: worktree, branch: topic}, output_artifacts: [{name: w, path: out/w.txt}]}
  - {id: v, type: command, script: 'true', dependencies: [w], workspace: {type: worktree, branch: topic}}
`})
	git := func(dir string, args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.org"}, args...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	p.write(".gitignore", ".agents/\n")
	p.write("kept.txt", "kept")
	p.write("removed.txt", "removed")
	git(p.root, "init", "-q", "-b", "main")
	git(p.root, "add", ".gitignore", "kept.txt", "removed.txt")
	git(p.root, "commit", "-qm", "first")
	p.run(original, "fix")
	tree := ".agents/workspaces/" + original + "/__wt_topic"
	at := filepath.Join(p.root, tree)
	git(p.root, "worktree", "add", "-q", "-b", "topic", at)
	p.write(tree+"/code.txt", "code")
	git(at, "add", "code.txt")
	git(at, "commit", "-qm", "second")
	p.write(tree+"/loose.txt", "loose")
	p.write(tree+"/kept.txt", "changed")
	p.remove(tree + "/removed.txt")
	if err := os.Symlink("/etc/hostname", filepath.Join(at, "link")); err != nil {
		t.Fatal(err)
	}
	p.write(tree+"/out/w.txt", "AAA")
	p.left(original, "w", "w", filepath.Join(tree, ".agents/artifacts/w/w"), "AAA")
	status := git(at, "status", "--porcelain")

	got, run, err := p.resumed(original, "v", "w")
	if err != nil || got.Outputs["w:w"] != "AAA" {
		t.Fatalf("%v, %v", got.Outputs, err)
	}
	again := filepath.Join(p.root, ".agents/workspaces", run, "__wt_topic")
	if now := git(again, "status", "--porcelain"); now != status {
		t.Errorf("its worktree has\n%s\nthe original's has\n%s", now, status)
	}
	if branch := git(again, "symbolic-ref", "--short", "HEAD"); branch != "topic" {
		t.Errorf("it is on %s", branch)
	}
	if link, err := os.Readlink(filepath.Join(again, "link")); err != nil || link != "/etc/hostname" {
		t.Errorf("the link leads to %q, %v", link, err)
	}
	git(again, "add", "loose.txt")
	git(again, "commit", "-qm", "third")
	if text, err := os.ReadFile(filepath.Join(at, "loose.txt")); err != nil || string(text) != "loose" {
		t.Errorf("the original's file is %q, %v", text, err)
	}
}
