package handlers_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wavedeck/handlers"
	"wavedeck/store/storetest"
)

type attentionAnswer struct {
	Count     int
	Attention []struct {
		RunID      string `json:"run_id"`
		Urgency    string
		Why        string
		In         string `json:"in_run_id"`
		ActionHref string `json:"action_href"`
	}
}

// needing asks who needs attention: "urgency run", in the order of the list.
func (s *site) needing() (list []string, all attentionAnswer) {
	s.t.Helper()
	if err := json.Unmarshal([]byte(s.get("/api/attention").body), &all); err != nil {
		s.t.Fatal(err)
	}
	for _, a := range all.Attention {
		list = append(list, a.Urgency+" "+a.RunID)
	}
	return list, all
}

func TestNeedsAttention(t *testing.T) {
	dir := t.TempDir()
	s := openSample(t, withData(t, dir))
	b := storetest.At(t, storetest.StatePath(s.root))
	soaked(b, 5)
	beats := storetest.Run{Heartbeat: opened.Add(-5 * time.Second)}
	stuck := soak(b, 3*time.Minute, beats)
	soak(b, 10*time.Second, beats) // it moves
	loops := soak(b, time.Minute, beats)
	activityOf(b, loops, 14)
	// A gate of a child: told by its parent, once.
	parent := soak(b, 20*time.Minute, beats)
	gate := b.Run(storetest.Run{Pipeline: "ship-gate", Status: "running", Start: opened.Add(-10 * time.Minute), Parent: parent, ParentStep: "soak", Kind: "sub_pipeline_child"})
	b.Event(gate, storetest.Event{State: "gate_waiting"})
	unheeded := soak(b, 4*time.Minute, beats)
	b.Cancel(unheeded)
	// Children of a failed run are told by it; a resumed one is not.
	b.Run(storetest.Run{Pipeline: "part", Status: "failed", Start: opened.Add(-time.Hour), Parent: failedRun, Kind: "sub_pipeline_child"})
	resumed := b.Run(storetest.Run{Pipeline: "part", Status: "failed", Start: opened.Add(-30 * time.Minute), Parent: failedRun, Kind: "resume"})
	b.Run(storetest.Run{Pipeline: "old", Status: "failed", Start: opened.Add(-48 * time.Hour)})
	b.Run(storetest.Run{Pipeline: "stopped", Status: "cancelled", Start: opened.Add(-time.Hour)})
	s.ready()
	want := []string{
		"runaway " + loops, "not stopping " + unheeded, "waiting " + parent, "not moving " + stuck,
		"failed " + resumed, "failed " + failedRun, "failed " + lostRun, "failed " + preflightRun,
	}
	s.until("all is noticed", func() bool { list, _ := s.needing(); return len(list) >= len(want) })
	list, answer := s.needing()
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if answer.Count != len(want) || answer.Attention[2].In != gate {
		t.Errorf("the JSON counts %d, and the gate is in %q", answer.Count, answer.Attention[2].In)
	}

	page := s.get("/attention")
	rows := page.doc().Find("#attention tbody tr")
	if rows.Length() != len(want) || rows.First().AttrOr("id", "") != "run-"+loops {
		t.Errorf("%d rows, the first is %s", rows.Length(), rows.First().AttrOr("id", ""))
	}
	if got := page.text("#run-" + stuck + " .do"); got != "Read the log" {
		t.Errorf("what to do about a run that stands still: %q", got)
	}
	for _, path := range []string{"/attention", "/runs", "/runs/" + sampleRun, "/pipelines"} {
		if got := s.get(path).text("#attention-link"); got != "Attention 8" {
			t.Errorf("%s: the navigation says %q", path, got)
		}
	}
	if got := s.fragment("/attention/count").text("#attention-link b"); got != "8" {
		t.Errorf("the fragment says %q", got)
	}

	// One is marked by the form of its row, without scripts.
	form := url.Values{"run": {failedRun}}
	post := s.form("/attention/seen", form, "Sec-Fetch-Site", "same-origin")
	if post.status != http.StatusSeeOther || post.header.Get("Location") != "/attention" {
		t.Errorf("marking answers %d to %q", post.status, post.header.Get("Location"))
	}
	if list, _ := s.needing(); strings.Contains(strings.Join(list, ","), failedRun) || len(list) != 7 {
		t.Errorf("after one was marked: %v", list)
	}
	if n := s.get("/attention").doc().Find("#attention tbody tr").Length(); n != 7 {
		t.Errorf("the page shows %d rows at once after marking", n)
	}
	// All are: what goes on stays.
	if post := s.form("/attention/seen", url.Values{"until": {strconv.FormatInt(opened.Unix(), 10)}}); post.status != http.StatusSeeOther {
		t.Errorf("marking all answers %d: %s", post.status, post.body)
	}
	if list, _ := s.needing(); len(list) != 4 {
		t.Errorf("after all were marked: %v", list)
	}
	if n := s.get("/attention").doc().Find("#attention form").Length(); n != 0 {
		t.Error("there is nothing to mark, and a button for it")
	}
	// What fails later is news.
	again := b.Run(storetest.Run{Pipeline: "late", Status: "failed", Start: opened.Add(time.Minute), End: opened.Add(2 * time.Minute)})
	s.until("the new failure is noticed", func() bool {
		list, _ := s.needing()
		return len(list) == 5 && list[4] == "failed "+again
	})
}

// TestAFailureWithoutATimeNeedsAttention: nothing says that it is old.
func TestAFailureWithoutATimeNeedsAttention(t *testing.T) {
	s := openSite(t, emptyProject(t), withData(t, t.TempDir()))
	b := newState(t, s.root)
	one := b.Run(storetest.Run{Pipeline: "one", Status: "failed", Start: opened.Add(-time.Hour)})
	two := b.Run(storetest.Run{Pipeline: "two", Status: "failed", Start: opened.Add(-time.Hour)})
	for _, run := range []string{one, two} {
		b.Exec(`UPDATE pipeline_run SET started_at = 99999999999999, completed_at = NULL WHERE run_id = '` + run + `'`)
	}
	dated := b.Run(storetest.Run{Pipeline: "three", Status: "failed", Start: opened.Add(-time.Hour)})
	s.ready()
	s.until("all are noticed", func() bool { list, _ := s.needing(); return len(list) == 3 })
	if post := s.form("/attention/seen", url.Values{"run": {one}}); post.status != http.StatusSeeOther {
		t.Fatalf("marking one answers %d: %s", post.status, post.body)
	}
	if list, _ := s.needing(); !slices.Equal(list, []string{"failed " + dated, "failed " + two}) {
		t.Errorf("after one was marked: %v", list)
	}
	for _, again := range []string{"all", "all once more"} {
		if post := s.form("/attention/seen", url.Values{"until": {strconv.FormatInt(opened.Unix(), 10)}}); post.status != http.StatusSeeOther {
			t.Fatalf("marking %s answers %d: %s", again, post.status, post.body)
		}
		if list, _ := s.needing(); len(list) != 0 {
			t.Errorf("after %s were marked: %v", again, list)
		}
	}
}

func TestMarkingAsSeenIsChecked(t *testing.T) {
	s := openSample(t, withData(t, t.TempDir())).ready()
	for name, tt := range map[string]struct {
		form    url.Values
		headers []string
		status  int
		says    string
	}{
		"by another site":     {url.Values{}, []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden, "another site"},
		"in the future":       {url.Values{"until": {"99999999999"}}, nil, http.StatusBadRequest, "not in the future"},
		"at no time":          {url.Values{"until": {"now"}}, nil, http.StatusBadRequest, "unix seconds"},
		"of a run without id": {url.Values{"run": {""}}, nil, http.StatusBadRequest, "the id of a run"},
		"with another field":  {url.Values{"runs": {"x"}}, nil, http.StatusBadRequest, "unknown field"},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.as(t).form("/api/attention/seen", tt.form, tt.headers...)
			if got.status != tt.status || !strings.Contains(got.body, tt.says) {
				t.Errorf("%d %s, want %d and %q", got.status, got.body, tt.status, tt.says)
			}
		})
	}
	if got := s.form("/api/attention/seen", url.Values{}); got.status != http.StatusOK || !strings.Contains(got.body, `"all":true`) {
		t.Errorf("marking all by JSON: %d %s", got.status, got.body)
	}
	if list, _ := s.needing(); len(list) != 0 {
		t.Errorf("after all were marked: %v", list)
	}

	readOnly := openSample(t, func(c *handlers.Config) { c.ReadOnly = true }).ready()
	readOnly.until("failures are noticed", func() bool { list, _ := readOnly.needing(); return len(list) == 3 })
	if got := readOnly.form("/attention/seen", url.Values{}); got.status != http.StatusForbidden {
		t.Errorf("a console that only reads marks: %d", got.status)
	}
	if n := readOnly.get("/attention").doc().Find("#attention form").Length(); n != 0 {
		t.Error("a console that only reads offers to mark")
	}
}

func TestAnEmbeddedListOfAttentionHasNoPlaceForActions(t *testing.T) {
	s := openSample(t).ready()
	for path, columns := range map[string]int{"/attention": 4, "/embed/v1/attention": 3} {
		doc := s.get(path).doc()
		if n := doc.Find("table.runs th").Length(); n != columns {
			t.Errorf("%s has %d columns, not %d", path, n, columns)
		}
		if n := doc.Find("table.runs tbody tr").First().Find("td").Length(); n != columns {
			t.Errorf("%s has %d cells in a row, not %d", path, n, columns)
		}
	}
}
