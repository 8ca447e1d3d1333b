package handlers_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"wavedeck/store/storetest"
)

// impossibleTimes are rows whose times cannot be; in the same database stands a
// run with many good events.
const impossibleTimes = `
INSERT INTO pipeline_run (run_id, pipeline_name, status, input, started_at, completed_at) VALUES
	('millis-20261130-120000-0002', 'fix-issue', 'completed', 'x', 1796080410687, 1796080411687),
	('text-20261130-120000-0003', 'fix-issue', 'completed', 'x', '2026-11-30 12:00:00', NULL),
	('large-20261130-120000-0004', 'fix-issue', 'failed', 'x', 9223372036854775807, 9e999);
INSERT INTO event_log (run_id, timestamp, step_id, state, message) SELECT run_id, 1796080410687, 'plan', 'running', 'late' FROM pipeline_run;
INSERT INTO event_log (run_id, timestamp, step_id, state, message) SELECT run_id, 'noon', 'plan', 'completed', 'odd' FROM pipeline_run;
INSERT INTO event_log (run_id, timestamp, step_id, state, message) SELECT run_id, 1796000000, 'plan', 'running', 'good' FROM pipeline_run;
INSERT INTO artifact (run_id, step_id, name, path, size_bytes, created_at) SELECT run_id, 'plan', 'a', 'a.txt', -1, 1796080410687 FROM pipeline_run;
INSERT OR REPLACE INTO cancellation (run_id, requested_at, force) SELECT run_id, 1796080410687, 'yes' FROM pipeline_run;`

// openImpossible serves one good run beside those of impossibleTimes.
func openImpossible(t *testing.T) (s *site, good string) {
	t.Helper()
	root := storetest.Project(t)
	b := storetest.At(t, storetest.StatePath(root))
	good = b.Run(storetest.Run{Pipeline: "fix-issue", Status: "failed", Error: "exit status 1"})
	b.Exec(impossibleTimes)
	return openSite(t, root).ready(), good
}

func TestImpossibleTimesTakeNothingElseDown(t *testing.T) {
	s, good := openImpossible(t)
	const bad = "millis-20261130-120000-0002"
	for _, path := range []string{
		"/runs", "/runs.json", "/runs.ndjson", "/runs.csv", "/runs.txt", "/runs.md", "/api/runs?limit=100", "/api/runs?status=completed",
		"/runs?q=x", "/attention", "/attention.json", "/api/pipelines/fix-issue", "/pipelines/fix-issue", "/pipelines", "/api/search?q=good", "/search?q=good",
		"/runs/" + bad, "/runs/" + bad + ".json", "/runs/" + bad + ".txt", "/runs/" + bad + ".md", "/api/runs/" + bad,
		"/runs/" + bad + "/export", "/runs/" + bad + "/log", "/runs/" + bad + ".log",
		"/compare?left=" + bad + "&right=" + good, "/api/compare?left=" + bad + "&right=" + good,
		"/runs?at=event:1", "/api/runs?at=event:999999", "/health", "/api/health",
	} {
		got := s.get(path)
		if got.status >= 500 || got.status == http.StatusBadRequest {
			t.Errorf("%s: status %d\n%s", path, got.status, clip(got.body))
		}
		if strings.Contains(got.body, "0001-01-01") || strings.Contains(got.body, "58885") || strings.Contains(got.body, "1970") {
			t.Errorf("%s says an impossible time", path)
		}
	}
	if body := s.get("/api/runs/" + bad).body; !strings.Contains(body, `"started_at":null`) {
		t.Errorf("started_at is not null: %s", clip(body))
	}
}

func TestTheSameRunsWithAndWithoutAFilter(t *testing.T) {
	s, _ := openImpossible(t)
	list := func(query string) (ids []string) {
		for range 20 {
			var page struct {
				Runs []struct {
					ID string `json:"run_id"`
				} `json:"runs"`
				NextCursor string `json:"next_cursor"`
			}
			got := s.get("/api/runs?limit=100&" + query)
			if err := json.Unmarshal([]byte(got.body), &page); err != nil {
				t.Fatalf("%s: %v", query, err)
			}
			for _, r := range page.Runs {
				ids = append(ids, r.ID)
			}
			if page.NextCursor == "" {
				break
			}
			query = strings.Split(query, "cursor=")[0] + "&cursor=" + page.NextCursor
		}
		return ids
	}
	all, filtered := list(""), list("pipeline=fix-issue")
	all = slices.DeleteFunc(all, func(id string) bool { return !slices.Contains(filtered, id) })
	tops := slices.DeleteFunc(slices.Clone(filtered), func(id string) bool { return !slices.Contains(all, id) })
	if !slices.Equal(all, tops) {
		t.Errorf("without a filter %v\nwith one %v", all, tops)
	}
	for _, id := range []string{"millis-20261130-120000-0002", "text-20261130-120000-0003", "large-20261130-120000-0004"} {
		if !slices.Contains(all, id) {
			t.Errorf("%s is in no list", id)
		}
	}
}

// TestAStreamGoesOnAfterAnImpossibleTime reads a run's event stream to the end.
func TestAStreamGoesOnAfterAnImpossibleTime(t *testing.T) {
	s, good := openImpossible(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/api/runs/"+good+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Timeout: 10 * time.Second}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var data []string
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			data = append(data, text)
		}
		if strings.HasPrefix(lines.Text(), "{") {
			t.Errorf("the stream has a line that is no event: %s", lines.Text())
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if len(data) != 4 || !strings.Contains(data[0], `"timestamp":null`) || !strings.Contains(data[2], "good") {
		t.Errorf("the stream says %v, want three events and the end", data)
	}
}
