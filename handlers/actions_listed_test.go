package handlers_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// TestTagsWithCommas: one text is split at its commas, a list and a field that is
// repeated are what they hold.
func TestTagsWithCommas(t *testing.T) {
	e := &stage{}
	s := openSample(t, e.serve).ready()
	t.Cleanup(func() { _ = e.Close() })
	program := func(body string) func(*site) reply {
		return func(s *site) reply { return s.json("/api/pipelines/fix-issue/start", body) }
	}
	person := func(values url.Values) func(*site) reply {
		values.Set("input", "x")
		return func(s *site) reply { return s.form("/pipelines/fix-issue/start", values) }
	}
	for name, tt := range map[string]struct {
		start func(*site) reply
		want  []string
	}{
		"a text":                   {program(`{"input": "x", "tags": " a, b ,,a"}`), []string{"a", "b"}},
		"a list of one":            {program(`{"input": "x", "tags": ["a,b"]}`), []string{"a,b"}},
		"a list":                   {program(`{"input": "x", "tags": ["a,b", " c", "a,b", ""]}`), []string{"a,b", " c"}},
		"one field of a form":      {person(url.Values{"tags": {"a,b"}}), []string{"a", "b"}},
		"a repeated field":         {person(url.Values{"tags": {"a,b", "c"}}), []string{"a,b", "c"}},
		"a repeated field, nearly": {person(url.Values{"tags": {"a,b", ""}}), []string{"a,b"}},
	} {
		t.Run(name, func(t *testing.T) {
			if r := tt.start(s.as(t)); r.status != http.StatusCreated && r.status != http.StatusSeeOther {
				t.Fatalf("%d %s", r.status, clip(r.body))
			}
			asked := e.requests()
			if got := asked[len(asked)-1].Tags; !slices.Equal(got, tt.want) {
				t.Errorf("tags %q, want %q", got, tt.want)
			}
		})
	}
	t.Run("a step in a list is not split", func(t *testing.T) {
		r := s.as(t).json("/api/pipelines/fix-issue/start", `{"input": "x", "steps": ["assess,plan"]}`)
		if said, _ := r.object()["error"].(string); r.status != http.StatusBadRequest || !strings.Contains(said, "assess,plan") {
			t.Errorf("%d %s", r.status, clip(r.body))
		}
	})
	t.Run("the address of a form", func(t *testing.T) {
		doc := s.as(t).get("/pipelines/fix-issue/start?steps=assess,plan&tags=a,b").doc()
		if n := doc.Find("input[name=steps][checked]").Length(); n != 2 || doc.Find("#tags").AttrOr("value", "") != "a, b" {
			t.Errorf("%d steps, tags %q", n, doc.Find("#tags").AttrOr("value", ""))
		}
	})
}
