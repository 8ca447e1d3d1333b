package handlers_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wavedeck/store/storetest"
)

// keyColumns hold what other rows, and addresses, name a row by.
var keyColumns = []string{"run_id", "pipeline_id", "step_id", "pipeline_name", "parent_run_id", "forked_from_run_id", "name", "status", "type", "action", "outcome", "current_stage"}

const (
	largeRun  = "large-20261123-010000-0001"
	largePage = 640 << 10 // bytes that no page has more of, a hundred rows of nothing but long texts included
	largeList = 200_000   // bytes that the list of runs has at most
	largeJSON = 8 << 20   // bytes of the JSON of one run, which has its input and error whole
)

// fillColumns sets every text column of every table to what text makes of it.
func fillColumns(t *testing.T, b *storetest.Builder, text, where string) {
	t.Helper()
	var columns []struct {
		Table  string `db:"tbl"`
		Column string `db:"col"`
	}
	if err := b.DB.Select(&columns, `SELECT m.name AS tbl, c.name AS col FROM sqlite_schema m JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table' AND upper(c.type) = 'TEXT' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'schema_migrations'`); err != nil {
		t.Fatal(err)
	}
	if len(columns) < 40 {
		t.Fatalf("only %d text columns", len(columns))
	}
	for _, c := range columns {
		if slices.Contains(keyColumns, c.Column) || c.Column == "state" && c.Table != "event_log" {
			continue
		}
		value := text
		if c.Column == "tags_json" {
			own := make([]string, 10)
			for i := range own {
				own[i] = fmt.Sprint("#", i, text[:len(text)/20])
			}
			value = encode(t, slices.Concat(own, slices.Repeat([]string{"abc"}, len(text)/12)))
		}
		query := "UPDATE OR IGNORE " + c.Table + " SET " + c.Column + " = replace(?, '#', rowid)"
		if where != "" {
			has := 0
			if err := b.DB.Get(&has, `SELECT count(*) FROM pragma_table_info(?) WHERE name = 'run_id'`, c.Table); err != nil {
				t.Fatal(err)
			}
			if has == 0 {
				continue
			}
			query += " WHERE " + where
		}
		b.Exec(query, value)
	}
}

// openLarge serves a project in which every text of one run has a megabyte, every
// text of a hundred others five kilobytes, and every field of the YAML files a
// megabyte or as much as such a file may have.
func openLarge(t *testing.T) (*site, *stage) {
	t.Helper()
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, ".agents", "pipelines"), 0o755); err != nil {
		t.Fatal(err)
	}
	b := storetest.New(t)
	run := func(id, status, step string) {
		b.Run(storetest.Run{ID: id, Pipeline: "large", Status: status, Input: "x", Start: opened.Add(-1e12)})
		b.Step(id, storetest.Step{ID: step, State: "failed"})
		b.Attempt(id, storetest.Attempt{Step: step, State: "failed"})
		b.Metric(id, storetest.Metric{Step: step, Pipeline: "large"})
		for range 3 {
			b.Event(id, storetest.Event{Step: step})
		}
		b.Artifact(id, storetest.Artifact{Step: step, Name: "a"})
		b.Outcome(id, storetest.Outcome{Step: step})
		b.Exec(`INSERT INTO decision_log (run_id, step_id, timestamp, category, decision) VALUES (?, ?, 1, 'retry', 'x')`, id, step)
		b.Exec(`INSERT INTO checkpoint (run_id, step_id, step_index, created_at) VALUES (?, ?, 1, 1)`, id, step)
		b.Exec(`INSERT INTO step_progress (run_id, step_id, state, updated_at) VALUES (?, ?, 'running', 1)`, id, step)
	}
	for i := range 100 {
		id := fmt.Sprintf("many-20261123-010000-%04x", i)
		run(id, []string{"failed", "cancelled", "running", "completed"}[i%4], fmt.Sprintf("s%d", i))
		for k := range 4 {
			b.Step(id, storetest.Step{ID: fmt.Sprintf("%s-%d", strings.Repeat("step", 30), k), State: []string{"completed", "failed", "running"}[k%3]})
		}
	}
	fillColumns(t, b, strings.Repeat("ab,\" <c>", 5<<10/8), "")
	run(largeRun, "failed", "build")
	b.Run(storetest.Run{ID: strings.Repeat("id-", 1<<20/3), Pipeline: strings.Repeat("pipeline-", 1<<20/9), Status: "failed", Start: opened.Add(-1e12)})
	fillColumns(t, b, strings.Repeat("word <b>&\"", 1<<20/10), "run_id = '"+largeRun+"'")
	b.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`)
	data, err := os.ReadFile(b.Path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(".agents/state.db", string(data))
	long := func(n int) string { return "\"" + strings.Repeat("long text ", n/10) + "\"" }
	fields := func(format string, names ...string) string {
		var all strings.Builder
		for _, name := range names {
			fmt.Fprintf(&all, format, name, long(1000<<10/len(names)))
		}
		return all.String()
	}
	write("wave.yaml", "apiVersion: v1\nkind: WaveManifest\nmetadata:\n"+fields("  %s: %s\n", "name", "description", "repo")[:400<<10]+"\"\nadapters:\n  a:\n"+
		"    binary: "+long(20<<10)+"\n    mode: "+long(20<<10)+"\n    default_permissions:\n      allowed_tools: ["+long(20<<10)+"]\npersonas:\n  p:\n    adapter: a\n"+
		"    description: "+long(100<<10)+"\n    model: "+long(20<<10)+"\n    system_prompt_file: "+long(20<<10)+"\n    permissions:\n      allowed_tools: ["+long(100<<10)+strings.Repeat(", Tool", 1000)+"]\n      deny: ["+long(100<<10)+"]\n")
	step := "steps:\n  - id: build\n    persona: " + long(50<<10) + "\n    exec:\n      type: prompt\n      source: " + long(300<<10) + "\n"
	write(".agents/pipelines/large.yaml", "kind: WavePipeline\nmetadata:\n  name: large\n  description: "+long(200<<10)+"\n  category: "+long(50<<10)+
		"\ninput:\n  source: cli\n  example: "+long(100<<10)+"\n  default: "+long(100<<10)+"\n  schema:\n    type: string\n    description: "+long(50<<10)+"\n    enum: ["+long(20<<10)+"]\n"+step)
	for i, field := range []string{"description", "category", "name"} {
		write(fmt.Sprintf(".agents/pipelines/one-%d.yaml", i), "kind: WavePipeline\nmetadata:\n  "+field+": "+long(1<<20-500)+"\nsteps:\n  - id: s\n    type: command\n    script: true\n")
	}
	write(".agents/pipelines/step.yaml", "kind: WavePipeline\nmetadata:\n  name: step\nsteps:\n  - id: "+long(500<<10)+"\n    type: command\n    script: "+long(500<<10)+"\n")
	e := &stage{}
	s := openSite(t, root, withData(t, t.TempDir()), e.serve)
	t.Cleanup(func() { _ = e.Close() })
	return s.ready(), e
}

// whole are the addresses that hold a text as it is, however long.
func whole(template string) bool {
	return slices.ContainsFunc([]string{"/log.txt", "/export", "/raw", "/blob", "/files"}, func(end string) bool { return strings.HasSuffix(template, end) })
}

// TestNoTextMakesAPageLong asks for every address there is.
func TestNoTextMakesAPageLong(t *testing.T) {
	s, _ := openLarge(t)
	paths := []string{"/runs.json", "/runs.ndjson", "/runs.csv", "/runs.txt", "/runs.md", "/runs?limit=100", "/runs.json?limit=100", "/runs.ndjson?limit=100", "/api/runs?limit=100",
		"/runs?q=status:failed", "/runs?q=abc", "/search?q=abc", "/api/search?q=abc", "/search?q=long", "/attention", "/api/attention", "/palette?q=", "/palette/runs",
		"/complete?for=filter&q=pipeline:", "/complete?for=filter&q=tag:", "/complete?for=filter&q=branch:", "/complete?for=filter&q=kind:", "/complete?for=filter&q=parent:",
		"/complete?for=command&q=logs ", "/complete?for=command&q=start ", "/complete?for=command&q=persona ", "/complete?for=command&q=logs " + largeRun + " ", "/cmd?q=x",
		"/pipelines/large.txt", "/pipelines/large.md", "/pipelines/large.json", "/compare?left=" + largeRun + "&right=many-20261123-010000-0000",
		"/api/compare?left=" + largeRun + "&right=many-20261123-010000-0000", "/compare.txt?left=" + largeRun + "&right=many-20261123-010000-0000",
		"/runs/" + largeRun + ".txt", "/runs/" + largeRun + ".md", "/runs/" + largeRun + ".json", "/runs?at=event:999", "/runs/" + largeRun + "?at=event:999"}
	templates, err := s.console.Addresses()
	if err != nil {
		t.Fatal(err)
	}
	values := strings.NewReplacer("{run}", largeRun, "{pipeline}", "large", "{persona}", "p", "{step}", "build", "{artifact}", "a",
		"{part:head|steps|outcomes|events|artifacts|family}", "steps", "{view}", "1")
	for _, template := range templates {
		if page, ok := strings.CutSuffix(values.Replace(template), ".{form:[A-Za-z0-9]+}"); ok && !strings.Contains(page, "{") {
			for _, form := range []string{".txt", ".md", ".json", ".csv", ".ndjson", ".log"} {
				paths = append(paths, page+form)
			}
		}
		if path := values.Replace(template); !whole(path) && !strings.Contains(path, "{") && path != "" && !strings.HasPrefix(path, "/events") && !strings.HasSuffix(path, "/events") {
			paths = append(paths, path)
		}
	}
	for _, part := range []string{"head", "outcomes", "events", "artifacts", "family"} {
		paths = append(paths, "/runs/"+largeRun+"/parts/"+part)
	}
	slices.Sort(paths)
	for _, path := range slices.Compact(paths) {
		got := s.get(strings.ReplaceAll(path, " ", "%20"))
		most := largePage
		switch path {
		case "/runs", "/runs?limit=100", "/runs.json", "/api/runs", "/runs?q=status:failed", "/attention":
			most = largeList
		case "/pipelines/large.json", "/api/pipelines/large", "/runs.ndjson": // rows for each run there is
			most = 1 << 20
		case "/runs/" + largeRun + ".json", "/api/runs/" + largeRun:
			most = largeJSON
		}
		got.fits(t, path, most)
	}
	testForms(t, s)
}

// fits holds the size of an answer against a limit.
func (r reply) fits(t *testing.T, what string, most int) {
	t.Helper()
	t.Logf("%8d %d %s", len(r.body), r.status, what)
	if len(r.body) > most {
		t.Errorf("%s has %d bytes", what, len(r.body))
	}
	if r.status >= 500 {
		t.Errorf("%s: %d %s", what, r.status, clip(r.body))
	}
}

const ordinaryRow = 1400 // bytes of the page of a list for each run, children included

func TestAnOrdinaryListIsSmall(t *testing.T) {
	s := openHistory(t)
	page := s.get("/runs?limit=100")
	if rows := page.doc().Find("tr.run").Length(); len(page.body)/rows > ordinaryRow {
		t.Errorf("%d runs take %d bytes, %d for each", rows, len(page.body), len(page.body)/rows)
	}
}

func TestChildrenMakeNoListLong(t *testing.T) {
	root := emptyProject(t)
	b := newState(t, root)
	for i := range 100 {
		parent := b.Run(storetest.Run{ID: fmt.Sprintf("parent-20261123-010000-%04x", i), Pipeline: "parent", Status: "failed", Start: opened.Add(-1e12)})
		for k := range 20 {
			b.Run(storetest.Run{ID: fmt.Sprintf("child-20261123-0100%02d-%04x", k, i), Pipeline: "child", Status: "failed", Parent: parent, Start: opened.Add(-1e12)})
		}
	}
	s := openSite(t, root).ready()
	page := s.get("/runs?limit=100")
	page.fits(t, "a list of a hundred runs with twenty children each", 2*largeList)
	doc := page.doc()
	if n := doc.Find("tr.run").Length(); n != 200 {
		t.Errorf("%d rows, want 100 and 100 children", n)
	}
	if n := doc.Find("tr.kids > td > a.more").Length(); n != 95 {
		t.Errorf("%d links to children that are not shown, want 95", n)
	}
}

func TestAPageListsSomeChildrenAndAFileAll(t *testing.T) {
	root := emptyProject(t)
	b := newState(t, root)
	parent := b.Run(storetest.Run{Status: "failed", Start: opened.Add(-1e12)})
	for i := range 250 {
		b.Run(storetest.Run{ID: fmt.Sprintf("child-20261123-010000-%04x", i), Pipeline: "child", Status: "failed", Parent: parent, Start: opened.Add(-1e12)})
	}
	s := openSite(t, root).ready()
	doc := s.get("/runs/" + parent).doc()
	if n, more := doc.Find("#family tr.run").Length(), doc.Find("#family a[href$='parent="+parent+"']").Text(); n != 200 || more != "50 more children →" {
		t.Errorf("the page lists %d and says %q", n, more)
	}
	if n := s.get("/runs/" + parent + "/export").doc().Find("#family tr.run").Length(); n != 250 {
		t.Errorf("the file lists %d", n)
	}
}
