package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"wavedeck/store/storetest"
)

// TestRunsInACircle: each of them is at the top of the list, needs attention, is found,
// and its page says how it hangs together.
func TestRunsInACircle(t *testing.T) {
	s := openSample(t)
	b := storetest.At(t, storetest.StatePath(s.root))
	parents := map[string]string{"circle-a": "circle-b", "circle-b": "circle-c", "circle-c": "circle-a"}
	for id, parent := range parents {
		b.Run(storetest.Run{ID: id, Parent: parent, Status: "failed", Start: opened.Add(-time.Minute), Input: "round and round"})
		b.Event(id, storetest.Event{Step: "s", State: "failed", Message: "exploded", At: opened})
	}
	s.ready()
	s.until("all of them need attention", func() bool { // runs are judged now and then
		body := s.get("/api/attention").body
		for id := range parents {
			if !strings.Contains(body, `"`+id+`"`) {
				return false
			}
		}
		return true
	})
	for _, path := range []string{
		"/runs", "/runs.txt", "/runs.csv", "/api/runs", "/runs?status=failed", "/runs?q=round", "/attention", "/api/attention",
		"/search?q=round", "/api/search?q=round",
	} {
		body := s.get(path).body
		for id := range parents {
			if !strings.Contains(body, id) {
				t.Errorf("%s does not have %s", path, id)
			}
		}
	}
	for id, parent := range parents {
		r := s.get("/runs/" + id)
		page := r.doc()
		family := strings.Join(strings.Fields(page.Find("section[aria-labelledby=family-title]").Text()), " ")
		if r.status != http.StatusOK || !strings.Contains(family, "Following its parents leads back to it.") || strings.Contains(family, "listed without its parent") {
			t.Errorf("%s: status %d, family %q", id, r.status, family)
		}
		if page.Find(`a[href="/runs/`+parent+`"]`).Length() == 0 {
			t.Errorf("%s does not lead to %s", id, parent)
		}
	}
}
