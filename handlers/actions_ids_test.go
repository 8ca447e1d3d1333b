package handlers_test

import (
	"net/http"
	"testing"

	"wavedeck/runner"
)

// TestAProgramsKeyStandsForOneRequest: whoever asks for something else with a key
// that has started a run is not told that this run is it.
func TestAProgramsKeyStandsForOneRequest(t *testing.T) {
	s, e := openStage(t)
	send := func(action, body string) reply {
		t.Helper()
		return s.json("/api/runs/"+failedRun+"/"+action, body, "Idempotency-Key", "job 7")
	}
	e.mu.Lock()
	e.refuse = &runner.ConflictError{Step: "x", Text: "is not ready"}
	e.mu.Unlock()
	if r := send("retry", `{"input":"other"}`); r.status != http.StatusConflict {
		t.Fatalf("status %d: %s", r.status, r.body)
	}
	e.mu.Lock()
	e.refuse = nil
	e.mu.Unlock()
	first := send("retry", `{"model":"opus"}`)
	if first.status != http.StatusCreated {
		t.Fatalf("after a request that started nothing: status %d: %s", first.status, first.body)
	}
	if again := send("retry", `{"model":"opus"}`); again.status != http.StatusCreated || again.answer().RunID != first.answer().RunID {
		t.Errorf("the same again: status %d: %s", again.status, again.body)
	}
	for name, other := range map[string][2]string{
		"a retry with another model": {"retry", `{"model":"sonnet"}`},
		"a retry without a model":    {"retry", `{}`},
		"a dry run":                  {"retry", `{"model":"opus","dry_run":true}`},
		"a resume":                   {"resume", `{"model":"opus"}`},
		"a resume with a time limit": {"resume", `{"model":"opus","timeout":"5"}`},
	} {
		t.Run(name, func(t *testing.T) {
			if r := send(other[0], other[1]); r.status != http.StatusConflict {
				t.Errorf("status %d: %s", r.status, r.body)
			}
		})
	}
	if n := len(e.requests()); n != 1 {
		t.Errorf("%d runs were started", n)
	}
}
