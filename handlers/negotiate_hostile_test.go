package handlers_test

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"wavedeck/store/storetest"
)

// hostile are texts that act on who reads them without care.
var hostile = []string{
	"=HYPERLINK(\"http://evil.example\",\"x\")", "+1+1", "-2", "@SUM(A1)", "\t=1", " =1", "'quoted", "＝1",
	"\x1b]0;owned\x07title \x1b[2J\x1b[31mred\x1b[0m", "a\rb\bc", "\u009b31mC1", "\u202egnp.exe", "a | b \\| c `code` **bold** <img src=x onerror=alert(1)>",
	"[link](javascript:alert(1)) ![x](http://evil.example/p.png)", "```\nfence\n# heading\n| a | b |", "日本語のテスト 👩‍👩‍👧 é", "a\nb\tc", "a;=1+1;\"=2\"", "a\n=cmd", "</table><script>alert(1)</script>", "&lt;b&gt; $x$ ~~y~~ ",
}

func TestFormsOfHostileTexts(t *testing.T) {
	root := emptyProject(t)
	state := newState(t, root)
	var ids []string
	for i, text := range hostile {
		id := state.Run(storetest.Run{ID: strconv.Itoa(i) + text, Input: text, Pipeline: text, Status: "failed", Error: text})
		state.Event(id, storetest.Event{Step: text, Message: text, State: text})
		ids = append(ids, id)
	}
	s := openSite(t, root).ready()
	paths := []string{"/runs.txt", "/runs.txt?color=1", "/runs.csv", "/runs.md"}
	for _, id := range ids {
		one := "/runs/" + url.PathEscape(id)
		paths = append(paths, one+".txt", one+".md", one+".log", one+".log?color=1")
	}
	colour := regexp.MustCompile(`\x1b\[[0-9;]*m`)
	for _, path := range paths {
		r := s.get(path)
		body := r.body
		if strings.Contains(path, "color=1") {
			body = colour.ReplaceAllString(body, "")
		}
		if i := strings.IndexFunc(body, func(c rune) bool {
			return c < ' ' && c != '\n' && (c != '\t' || !strings.Contains(path, ".log")) && (c != '\r' || !strings.Contains(path, ".csv")) || c >= 0x7f && c < 0xa0 || c >= 0x202a && c <= 0x202e
		}); r.status != http.StatusOK || i >= 0 {
			t.Errorf("%s: %d, a control character at %d: %q", path, r.status, i, clip(body[max(i-20, 0):min(i+20, len(body))]))
		}
		if strings.Contains(path, ".md") {
			_, doc := markdownTables(t, body)
			bad := doc.Find("script, img, del, em, a").FilterFunction(func(_ int, e *goquery.Selection) bool {
				href, isLink := e.Attr("href")
				return !isLink || !strings.HasPrefix(href, s.URL) && href != e.Text() // a bare address may become what it says
			})
			if bad.Length() > 0 {
				html, _ := goquery.OuterHtml(bad.First())
				t.Errorf("%s: a text acts: %s", path, html)
			}
		}
	}
	list := s.get("/runs.json").object()["runs"].([]any)
	tables, _ := markdownTables(t, s.get("/runs.md").body)
	if got := len(tables[""]); got != len(hostile)+1 {
		t.Errorf("Markdown has %d rows, want %d", got, len(hostile)+1)
	}
	for _, row := range tables[""] {
		if len(row) != len(tables[""][0]) {
			t.Errorf("Markdown: a text made or took a column: %q", row)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(s.get("/runs.csv").body)).ReadAll()
	if err != nil || len(rows) != len(list)+1 {
		t.Fatalf("CSV: %d rows, %v", len(rows), err)
	}
	for _, row := range rows[1:] {
		for i, cell := range row {
			if trimmed := strings.TrimLeft(cell, " \n"); trimmed != "" && strings.ContainsAny(trimmed[:1], "=+-@") {
				t.Errorf("CSV: %s can be taken for a formula: %q", rows[0][i], cell)
			}
			for part := range strings.FieldsFuncSeq(cell, func(r rune) bool { return r == ';' || r == '\n' }) { // where ; separates, nothing is quoted
				if part = strings.TrimLeft(part, ` "`); part != "" && strings.ContainsAny(part[:1], "=+-@") {
					t.Errorf("CSV: where ; separates, %s has a formula in it: %q", rows[0][i], cell)
				}
			}
		}
	}
}

func TestRowsOfAllPages(t *testing.T) {
	root := emptyProject(t)
	state := newState(t, root)
	state.Fill(350, 1)
	s := openSite(t, root).ready()
	var total int
	if err := state.DB.Get(&total, `SELECT count(*) FROM pipeline_run WHERE COALESCE(parent_run_id, '') = ''`); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	body := s.get("/runs.ndjson").body
	for line := range strings.Lines(body) {
		var run struct {
			ID string `json:"run_id"`
		}
		if err := json.Unmarshal([]byte(line), &run); err != nil || seen[run.ID] {
			t.Fatalf("%v, or twice: %s", err, run.ID)
		}
		seen[run.ID] = true
	}
	if len(seen) != total {
		t.Errorf("%d runs, want %d", len(seen), total)
	}
	if s.get("/runs.ndjson?limit=all").body != body {
		t.Error("limit=all is something else than no limit")
	}
	page := s.get("/runs.csv?limit=2&pipeline=" + url.QueryEscape(s.get("/api/runs").object()["runs"].([]any)[0].(object)["pipeline_name"].(string)))
	link := regexp.MustCompile(`^<(/runs\.csv\?[^>]+)>; rel="next"$`).FindStringSubmatch(page.header.Get("Link"))
	rows := func(body string) grid {
		t.Helper()
		all, err := csv.NewReader(strings.NewReader(body)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return all[1:]
	}
	if link == nil || len(rows(page.body)) != 2 {
		t.Fatalf("a page of two: %q, Link %q", clip(page.body), page.header.Get("Link"))
	}
	if next := rows(s.get(link[1]).body); len(next) != 2 || next[0][0] == rows(page.body)[1][0] {
		t.Errorf("the next page: %q", next)
	}
}
