package handlers_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"wavedeck/handlers"
	"wavedeck/store/storetest"
	"wavedeck/store/tape"
)

// flat are the values of a document by their paths; the elements of a list are
// named by their ids.
func flat(value any, path string, into map[string]string) map[string]string {
	switch v := value.(type) {
	case object:
		for key, below := range v {
			flat(below, path+"."+key, into)
		}
	case []any:
		for i, one := range v {
			name := strconv.Itoa(i)
			if o, ok := one.(object); ok {
				for _, key := range []string{"run_id", "step_id", "id"} {
					if id, ok := o[key]; ok && !strings.Contains(path, "decisions") {
						name = fmt.Sprint(id)
					}
				}
			}
			flat(one, path+"["+name+"]", into)
		}
	default:
		encoded, _ := json.Marshal(v)
		into[path] = string(encoded)
	}
	return into
}

// field is a path without the names of elements: ".steps[lint].state" is "steps.state".
func field(path string) string {
	for {
		from := strings.IndexByte(path, '[')
		if from < 0 {
			return strings.TrimPrefix(path, ".")
		}
		to := strings.IndexByte(path[from:], ']')
		path = path[:from] + path[from+to+1:]
	}
}

// TestIncidentLinksReproduce plays the recording and notes what the JSON of a run
// says right after each few events, and right before the next: what has no event
// of its own is written in between. Once all is played, the link to each of these
// moments must say one of the two, but for the fields that it marks as
// approximate. What costs and prognoses say is of now only.
func TestIncidentLinksReproduce(t *testing.T) {
	root := storetest.Project(t)
	if err := os.Remove(storetest.StatePath(root)); err != nil {
		t.Fatal(err)
	}
	state := newState(t, root)
	var now atomic.Int64
	s := openSite(t, root, func(c *handlers.Config) { c.Now = func() time.Time { return time.Unix(now.Load(), 0) } }).ready()
	asked := 0
	read := func(path string) map[string]string {
		t.Helper()
		asked++
		r := s.get(fmt.Sprintf("%sn=%d", path, asked)) // another address each time: nothing is kept
		if r.status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, r.status, r.body)
		}
		return flat(r.object(), "", map[string]string{})
	}
	// both are the run and the list, as one document.
	both := func(run, query string) map[string]string {
		t.Helper()
		said := read("/api/runs/" + run + "?" + query)
		for path, value := range read("/api/runs?limit=100&" + query) {
			if !strings.HasPrefix(path, ".runs[") && !strings.HasPrefix(path, ".as_of") {
				continue
			}
			said[path+strings.Repeat(" ", strings.Count(path, "approximate"))] = value
		}
		return said
	}
	type note struct {
		run           string
		event         int64
		after, before map[string]string // after the event, and before the next
	}
	var notes []*note
	var current *note
	events := 0
	ended := map[string]bool{} // of these the recording has the last rows first
	for _, e := range storetest.Tape(t) {
		run := fmt.Sprint(e.Row["run_id"])
		if e.Table == "pipeline_run" && e.Op == tape.Insert && e.Row["completed_at"] != nil {
			ended[run] = true
		}
		if e.Table == "event_log" && current != nil {
			current.before = both(current.run, "")
			notes, current = append(notes, current), nil
		}
		now.Store(1795394292 + int64(e.At/time.Second))
		if e.Op == tape.Update {
			state.Update(e.Table, e.Row)
			continue
		}
		id := state.Insert(e.Table, e.Row)
		if e.Table != "event_log" || ended[run] {
			continue
		}
		if events++; events%4 == 0 {
			current = &note{run: run, event: id, after: both(run, "")}
		}
	}
	if len(notes) < 30 {
		t.Fatalf("%d moments only", len(notes))
	}
	ofNow := []string{"as_of", "run.stall", "run.eta", "run.runaway", "gates", "run.estimated_cost", "runs.stall", "runs.eta", "runs.runaway", "runs.estimated_cost"}
	exact, differing := map[string]int{}, map[string]bool{}
	for _, n := range notes {
		later := both(n.run, fmt.Sprintf("at=event:%d&", n.event))
		var marked []string
		for path, value := range later {
			if strings.HasPrefix(path, ".as_of.approximate") {
				marked = append(marked, strings.Trim(value, `"`))
			}
		}
		if len(marked) < 10 {
			t.Fatalf("event %d: only %v is marked", n.event, marked)
		}
		for _, said := range []map[string]string{n.after, n.before, later} {
			for path := range said {
				f, same := field(path), later[path] == n.after[path] || later[path] == n.before[path]
				switch {
				case slices.ContainsFunc(ofNow, within(f)):
				case slices.ContainsFunc(marked, within(f)):
					differing[f] = differing[f] || !same
				case !same:
					t.Errorf("event %d of %s: %s was %s, then %s; the link says %s", n.event, n.run, path, n.after[path], n.before[path], later[path])
				default:
					exact[f]++
				}
			}
		}
	}
	for _, f := range []string{
		"run.run_id", "run.started_at", "run.input", "events.id", "events.state", "events.message", "steps.step_id", "steps.persona", "steps.model",
		"steps.started_at", "steps.attempts", "dag.edges.from", "runs.run_id", "runs.input", "runs.started_at",
	} {
		if exact[f] < 20 {
			t.Errorf("%s was compared %d times only", f, exact[f])
		}
	}
	if !differing["steps.state"] || !differing["run.total_tokens"] {
		t.Error("what is marked as approximate never is")
	}
}

// within reports whether a field is that of a mark or below it.
func within(f string) func(mark string) bool {
	return func(mark string) bool { return f == mark || strings.HasPrefix(f, mark+".") }
}
