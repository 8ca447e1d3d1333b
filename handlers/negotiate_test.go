package handlers_test

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"

	"wavedeck/store/storetest"
)

func TestFormsByAccept(t *testing.T) {
	s := openSample(t).ready()
	const html, text, markdown, asJSON, asCSV, ndjson = "text/html; charset=utf-8", "text/plain; charset=utf-8", "text/markdown; charset=utf-8",
		"application/json; charset=utf-8", "text/csv; charset=utf-8", "application/x-ndjson"
	for accept, want := range map[string]string{
		"": html, "*/*": html,
		"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8": html, // browsers
		"text/plain":                              text,
		"text/*":                                  html,
		"text/markdown, text/html, */*":           markdown,
		"text/markdown;q=0.5, text/html":          html,
		"TEXT/PLAIN;Q=0.4, text/csv; q=0.3":       text,
		"text/html;q=0, text/*":                   text,
		"application/json, text/plain, */*":       asJSON,
		"text/csv":                                asCSV,
		"application/x-ndjson":                    ndjson,
		"application/jsonl":                       ndjson,
		"application/*":                           asJSON,
		"application/xhtml+xml;q=0, */*":          html,
		"nonsense, ;;, text/plain;q=x, */*;q=0.1": html,
	} {
		r := s.get("/runs", "Accept", accept)
		if got := r.header.Get("Content-Type"); got != want || r.status != http.StatusOK {
			t.Errorf("Accept: %s is answered with %d %s, want %s", accept, r.status, got, want)
		}
		if !slices.Contains(strings.Split(strings.Join(r.header.Values("Vary"), ", "), ", "), "Accept") {
			t.Errorf("Accept: %s: Vary %q", accept, r.header.Values("Vary"))
		}
	}
	for path, wanted := range map[string][]string{
		"/runs": {"text/csv", "application/x-ndjson", ".ndjson"}, "/runs/" + sampleRun: {"text/markdown", ".log"}, "/pipelines/fix-issue": {".md"},
	} {
		r := s.get(path, "Accept", "image/png, text/html;q=0")
		for _, w := range wanted {
			if r.status != http.StatusNotAcceptable || r.header.Get("Content-Type") != text || !strings.Contains(r.body, w) {
				t.Errorf("%s as a picture: %d %s", path, r.status, r.body)
			}
		}
	}
	if r := s.get("/runs", "Accept", "text/plain", "HX-Request", "true", "HX-Request-Type", "partial"); r.header.Get("Content-Type") != html {
		t.Errorf("a fragment came as %s", r.header.Get("Content-Type"))
	}
}

func TestFormsBySuffix(t *testing.T) {
	root := storetest.Project(t)
	state := storetest.At(t, storetest.StatePath(root))
	state.Run(storetest.Run{ID: "notes.txt"})
	state.Run(storetest.Run{ID: "release-1.2"})
	s := openSite(t, root).ready()
	for path, c := range map[string]struct {
		status int
		kind   string
		has    string
	}{
		"/runs.txt":                       {200, "text/plain", "STATE"},
		"/runs.xml":                       {404, "text/html", "no form .xml"},
		"/runs/" + sampleRun + ".md":      {200, "text/markdown", "# flaky-integration"},
		"/runs/" + sampleRun + ".xml":     {404, "text/html", ".log"},
		"/runs/" + sampleRun + ".csv":     {404, "text/plain", ".log"},
		"/runs/nobody.json":               {404, "application/json", `{"error":"no such run`},
		"/runs/nobody.txt":                {404, "text/plain", "no such run"},
		"/runs/nobody.md":                 {404, "text/markdown", "# 404"},
		"/runs/notes.txt":                 {200, "text/html", "notes.txt"},
		"/runs/notes.txt.txt":             {200, "text/plain", "notes.txt"},
		"/runs/release-1.2":               {200, "text/html", "release-1.2"},
		"/runs/release-1.2.json":          {200, "application/json", `"run_id":"release-1.2"`},
		"/pipelines/fix-issue.txt":        {200, "text/plain", "fix-issue"},
		"/pipelines/nothing.txt":          {404, "text/plain", "no pipeline"},
		"/compare.json?left=" + sampleRun: {200, "application/json", `"first_difference"`},
		"/compare.txt":                    {400, "text/plain", "left"},
		"/runs.txt?q=statsu:x":            {400, "text/plain", "statsu"},
		"/runs.json?q=statsu:x":           {400, "application/json", `"word":"statsu"`},
		"/runs.csv?limit=0":               {400, "text/plain", "from 1 to 100"},
		"/runs.txt?limit=all":             {400, "text/plain", ".csv"},
		"/runs.txt?color=blue":            {400, "text/plain", "true or false"},
		"/runs.txt?at=yesterday":          {400, "text/plain", "event:N"},
	} {
		r := s.get(path)
		if r.status != c.status || !strings.HasPrefix(r.header.Get("Content-Type"), c.kind) || !strings.Contains(r.body, c.has) {
			t.Errorf("%s: %d %s: %s", path, r.status, r.header.Get("Content-Type"), clip(r.body))
		}
	}
	for _, pair := range [][2]string{
		{"/runs.json", "/api/runs"}, {"/runs.json?q=status:failed&limit=2", "/api/runs?q=status:failed&limit=2"}, {"/runs/" + sampleRun + ".json", "/api/runs/" + sampleRun},
		{"/pipelines/fix-issue.json", "/api/pipelines/fix-issue"}, {"/compare.json?left=" + sampleRun, "/api/compare?left=" + sampleRun},
		{"/runs.json?at=event:100", "/api/runs?at=event:100"},
	} {
		one, other := s.get(pair[0]), s.get(pair[1])
		if one.body != other.body || one.header.Get("ETag") != other.header.Get("ETag") {
			t.Errorf("%s is not %s:\n%s", pair[0], pair[1], cmp.Diff(one.body, other.body))
		}
		if again := s.get(pair[0], "If-None-Match", one.header.Get("ETag")); again.status != http.StatusNotModified {
			t.Errorf("%s again: %d", pair[0], again.status)
		}
	}
	for _, page := range []string{"/runs?q=status:failed", "/runs/" + sampleRun, "/pipelines/fix-issue", "/compare?left=" + sampleRun, "/runs?at=event:100"} {
		doc := s.get(page).doc()
		links := doc.Find("#forms a")
		if links.Length() < 3 || doc.Find("head link[rel=alternate]:not([type*=oembed])").Length() != links.Length() {
			t.Errorf("%s leads to %d forms, its head to others", page, links.Length())
		}
		links.Each(func(_ int, a *goquery.Selection) {
			if r := s.get(a.AttrOr("href", "")); r.status != http.StatusOK || strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
				t.Errorf("%s leads to %s: %d", page, a.AttrOr("href", ""), r.status)
			}
		})
	}
}

// grid is a table as rows of texts, the head first.
type grid [][]string

// textTables reads the tables of a text: two blanks end a column.
func textTables(t *testing.T, body string) map[string]grid {
	t.Helper()
	tables := map[string]grid{}
	blanks := regexp.MustCompile(` {2,}`)
	heading := ""
	for section := range strings.SplitSeq(body, "\n\n") {
		lines := strings.Split(strings.TrimRight(section, "\n"), "\n")
		if head := lines[0]; len(lines) > 1 && head != strings.ToUpper(head) {
			heading, lines = head, lines[1:]
		}
		if lines[0] != strings.ToUpper(lines[0]) {
			continue
		}
		columns := 0
		for i, line := range lines {
			cells := blanks.Split(strings.TrimSpace(line), -1)
			if i == 0 {
				columns = len(cells)
			}
			if len(cells) == columns && columns > 1 {
				tables[heading] = append(tables[heading], cells)
			}
		}
	}
	return tables
}

// markdownTables reads tables as a renderer of GitHub's Markdown does.
func markdownTables(t *testing.T, body string) (map[string]grid, *goquery.Document) {
	t.Helper()
	var html bytes.Buffer
	if err := goldmark.New(goldmark.WithExtensions(extension.GFM)).Convert([]byte(body), &html); err != nil {
		t.Fatal(err)
	}
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(bytes.ReplaceAll(html.Bytes(), []byte("<!-- raw HTML omitted -->"), []byte("\n"))))
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string]grid{}
	doc.Find("table").Each(func(_ int, table *goquery.Selection) {
		heading := table.PrevAllFiltered("h2").First().Text()
		table.Find("tr").Each(func(_ int, tr *goquery.Selection) {
			tables[heading] = append(tables[heading], tr.Find("th,td").Map(func(_ int, c *goquery.Selection) string { return strings.TrimSpace(c.Text()) }))
		})
	})
	return tables, doc
}

// says compares a cell with a field of JSON: absent is "-", long is cut with …,
// a state has its mark.
func says(cell string, field any) bool {
	want := ""
	switch v := field.(type) {
	case nil:
	case float64:
		want = strconv.FormatFloat(v, 'f', -1, 64)
	case string:
		want = v
	case []any:
		var words []string
		for _, one := range v {
			words = append(words, one.(string))
		}
		want = strings.Join(words, ", ")
	}
	if want == "" || want == "0" {
		return cell == "-" || cell == want
	}
	want, cell = strings.Join(strings.Fields(want), " "), strings.Join(strings.Fields(cell), " ")
	if _, word, marked := strings.Cut(cell, " "); marked && word == want {
		return true
	}
	head, cut := strings.CutSuffix(cell, "…")
	return cell == want || cut && strings.HasPrefix(want, strings.TrimSpace(head))
}

// same compares each row of a table with an object, column by column.
func same(t *testing.T, what string, table grid, rows []any, fields map[string]string) {
	t.Helper()
	if len(table) != len(rows)+1 {
		t.Errorf("%s has %d rows, JSON %d", what, len(table)-1, len(rows))
		return
	}
	compared := 0
	for column, name := range table[0] {
		field, known := fields[strings.ToLower(name)]
		if !known {
			continue
		}
		compared++
		for i, row := range rows {
			value := row.(object)[field]
			if field == "state" && value == nil {
				value = map[any]any{"completed": "succeeded", "failed": "failed", "cancelled": "cancelled", "running": "running", "pending": "pending"}[row.(object)["status"]]
			}
			if field == "progress" && value != nil {
				value = strconv.Itoa(int(value.(float64))) + "%"
			}
			if cell := table[i+1][column]; !says(cell, value) {
				t.Errorf("%s, row %d: %s is %q, %s in JSON %v", what, i, name, cell, field, value)
			}
		}
	}
	if compared != len(fields) {
		t.Errorf("%s has %d of the columns %v", what, compared, fields)
	}
}

func TestFormsSayWhatJSONSays(t *testing.T) {
	s := openSample(t).ready()
	runs := map[string]string{
		"state": "state", "run": "run_id", "pipeline": "pipeline_name", "step": "current_step", "done": "progress", "started": "started_at",
		"duration": "duration", "tokens": "total_tokens", "tags": "tags", "input": "input",
	}
	for _, query := range []string{"", "?q=status:failed", "?limit=3", "?parent=" + parentRun, "?at=event:150", "?pipeline=slow-soak&pipeline=fix-issue"} {
		body := s.get("/runs.json" + query).object()
		list := body["runs"].([]any)
		if len(list) == 0 {
			t.Fatalf("%s: no runs", query)
		}
		same(t, "text"+query, textTables(t, s.get("/runs.txt"+query).body)[""], list, runs)
		tables, _ := markdownTables(t, s.get("/runs.md"+query).body)
		same(t, "Markdown"+query, tables[""], list, runs)
		rows, err := csv.NewReader(strings.NewReader(s.get("/runs.csv" + query).body)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		asOf, columns := asOfRow(body)
		if diff := cmp.Diff(columns, csvAsOf(rows)); diff != "" {
			t.Errorf("CSV%s: the moment (-JSON +CSV)\n%s", query, diff)
		}
		every := map[string]string{}
		for _, name := range rows[0][:17] {
			every[name] = name
		}
		delete(every, "progress") // a number there, not percent
		delete(every, "state")    // left out where status says it
		same(t, "CSV"+query, csvPlain(rows), list, every)
		var lines []any
		for line := bufio.NewScanner(strings.NewReader(s.get("/runs.ndjson" + query).body)); line.Scan(); {
			var run object
			if err := json.Unmarshal(line.Bytes(), &run); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(asOf, run["as_of"]); diff != "" {
				t.Errorf("NDJSON%s: the moment (-JSON +NDJSON)\n%s", query, diff)
			}
			delete(run, "as_of")
			lines = append(lines, run)
		}
		if diff := cmp.Diff(list, lines); diff != "" {
			t.Errorf("NDJSON%s (-JSON +NDJSON)\n%s", query, diff)
		}
	}
	for _, query := range []string{"", "?at=event:210", "?before=200"} {
		body := s.get("/runs/" + sampleRun + ".json" + query).object()
		text := textTables(t, s.get("/runs/"+sampleRun+".txt"+query).body)
		markdown, _ := markdownTables(t, s.get("/runs/"+sampleRun+".md"+query).body)
		for form, tables := range map[string]map[string]grid{"text": text, "Markdown": markdown} {
			same(t, form+query+" steps", tables["Steps"], body["steps"].([]any), map[string]string{
				"state": "state", "step": "step_id", "persona": "persona", "model": "model", "attempts": "attempts",
				"started": "started_at", "duration": "duration", "tokens": "tokens_used", "contract": "contract",
			})
			same(t, form+query+" artifacts", tables["Artifacts"], body["artifacts"].([]any), map[string]string{"step": "step_id", "name": "name", "bytes": "size_bytes", "path": "path"})
			same(t, form+query+" events", tables["Events"], body["events"].([]any), map[string]string{"event": "id", "time": "timestamp", "step": "step_id", "state": "state", "message": "message"})
		}
	}
	pipeline := s.get("/pipelines/flaky-integration.json").object()
	text := textTables(t, s.get("/pipelines/flaky-integration.txt").body)
	markdown, _ := markdownTables(t, s.get("/pipelines/flaky-integration.md").body)
	compared := s.get("/compare.json?left=" + sampleRun + "&right=" + stoppedRun).object()
	textC := textTables(t, s.get("/compare.txt?left="+sampleRun+"&right="+stoppedRun).body)
	markdownC, _ := markdownTables(t, s.get("/compare.md?left="+sampleRun+"&right="+stoppedRun).body)
	for form, tables := range map[string][2]map[string]grid{"text": {text, textC}, "Markdown": {markdown, markdownC}} {
		same(t, form+" steps", tables[0]["Steps"], pipeline["steps"].([]any), map[string]string{"step": "id", "kind": "kind", "persona": "persona", "after": "dependencies"})
		same(t, form+" runs", tables[0]["Runs"], pipeline["recent_runs"].([]any), runs)
		same(t, form+" failures", tables[0]["Failures"], pipeline["trends"].(object)["failures"].([]any), map[string]string{"count": "count", "first": "first_seen", "last": "last_seen", "newest run": "newest_run_id", "failure": "line"})
		facts := tables[1][""]
		if len(facts) < 4 {
			t.Fatalf("%s: no facts of the comparison", form)
		}
		same(t, form+" facts", append(grid{facts[0]}, facts[3:]...), compared["facts"].([]any), map[string]string{"fact": "fact", "left": "left", "right": "right"})
	}
}

// asOfRow is what a list says of its moment as each row says it, in JSON and in
// the last columns of CSV; nil of a list of now.
func asOfRow(list object) (asOf any, columns map[string]string) {
	of, ok := list["as_of"].(object)
	if !ok {
		return nil, nil
	}
	var fields []string
	approximate := of["approximate"].([]any)
	for i, field := range approximate {
		fields = append(fields, strings.TrimPrefix(field.(string), "runs."))
		approximate[i] = fields[i]
	}
	return of, map[string]string{
		"as_of_event": strconv.Itoa(int(of["event"].(float64))), "as_of_time": of["time"].(string), "as_of_approximate": strings.Join(fields, ","),
	}
}

// csvAsOf is what each row of CSV says of its moment; nil: there are no columns for it.
func csvAsOf(rows [][]string) map[string]string {
	said := map[string]string{}
	for i, name := range rows[0] {
		if !strings.HasPrefix(name, "as_of") {
			continue
		}
		for _, row := range rows[1:] {
			if was, ok := said[name]; ok && was != row[i] {
				row[i] += ", which is not the same everywhere"
			}
			said[name] = row[i]
		}
	}
	if len(said) == 0 {
		return nil
	}
	return said
}

// csvPlain takes off the apostrophes that keep texts from being formulas.
var inert = regexp.MustCompile(`(^|[;\n])'`)

func csvPlain(rows [][]string) grid {
	for _, row := range rows[1:] {
		for i, cell := range row {
			row[i] = inert.ReplaceAllString(cell, "$1")
			if cell == "" {
				row[i] = "-"
			}
			if i == 12 {
				row[i] = strings.ReplaceAll(row[i], ",", ", ")
			}
		}
	}
	return rows
}

func TestTextAndMarkdownTellWhyAStepFailed(t *testing.T) {
	root := emptyProject(t)
	state := newState(t, root)
	run := state.Run(storetest.Run{ID: "red", Status: "failed", Error: "exit status 1"})
	state.Step(run, storetest.Step{ID: "test", State: "failed", Error: "command failed: exit status 1\n  expected 59.7 to equal 59.70\n"})
	told := state.Run(storetest.Run{ID: "told", Status: "failed", Error: "step \"test\" failed: first\n  second"})
	state.Step(told, storetest.Step{ID: "test", State: "failed", Error: "first\n  second"})
	s := openSite(t, root).ready()
	for path, want := range map[string]int{"red.txt": 1, "red.md": 1, "told.txt": 0, "told.md": 0} {
		before, _, _ := strings.Cut(s.get("/runs/"+path).body, "Steps")
		if n := strings.Count(before, "Error of step test"); n != want {
			t.Errorf("%s tells the error of its step %d times before its steps: %q", path, n, before)
		}
		if want > 0 && !strings.Contains(before, "\n  expected 59.7 to equal 59.70\n") {
			t.Errorf("%s does not say what was expected: %q", path, before)
		}
	}
}
