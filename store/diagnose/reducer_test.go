package diagnose

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wavedeck/store/wave"
)

// folds names what cmp must look into.
var folds = cmp.AllowUnexported(History{}, stepHistory{}, attemptHistory{})

func fold(events ...wave.Event) *History {
	h := &History{}
	for i, e := range events {
		if e.ID == 0 {
			e.ID = int64(i + 1)
		}
		h.Add(e)
	}
	return h
}

func TestFold(t *testing.T) {
	t.Run("the start says how many steps there are, whatever the input says", func(t *testing.T) {
		h := fold(wave.Event{State: "started", Message: `input="x steps=9 "steps=8 steps=3`}, wave.Event{State: "started", Message: "workspace root: /tmp/ steps=7"})
		if h.total != 3 || !h.begun {
			t.Errorf("total %d", h.total)
		}
	})
	t.Run("a progress line says how far the run is", func(t *testing.T) {
		if h := fold(wave.Event{State: "running", Message: "4/6 steps completed"}); h.done != 4 || h.total != 6 {
			t.Errorf("%d/%d", h.done, h.total)
		}
	})
	t.Run("the last gate event decides", func(t *testing.T) {
		waiting, resolved := wave.Event{State: "gate_waiting"}, wave.Event{State: "gate_resolved"}
		if !fold(waiting).AtGate() || fold(waiting, resolved).AtGate() || !fold(waiting, resolved, waiting).AtGate() {
			t.Error("the gate is told wrongly")
		}
	})
	t.Run("a step at a gate waits, wherever the gate's own event was written", func(t *testing.T) {
		asks := wave.Event{StepID: "a", State: "running", Message: "gate step: approval"}
		h := fold(asks)
		if asked := h.Steps["a"].asked; !h.AtGate() || asked.Event != 1 || asked.Type != "approval" {
			t.Errorf("at a gate: %v, asked %+v", h.AtGate(), asked)
		}
		if fold(asks, wave.Event{StepID: "a", State: "completed"}).AtGate() {
			t.Error("a gate that was passed waits")
		}
	})
	t.Run("a gate that failed does not wait, though nothing says that it was resolved", func(t *testing.T) {
		if fold(wave.Event{StepID: "a", State: "running", Message: "gate step: approval"}, wave.Event{State: "gate_waiting"},
			wave.Event{StepID: "a", State: "failed", Message: "gate timed out after 2s"}, wave.Event{StepID: "b", State: "running"}).AtGate() {
			t.Error("it waits")
		}
	})
	t.Run("a timer waits for nobody", func(t *testing.T) {
		for _, e := range []wave.Event{
			{StepID: "a", State: "running", Message: "gate step: timer"}, {State: "gate_waiting", Message: "gate: timer — cool down"},
			{State: "gate_waiting", Message: "polling ci_pass: branch main run status=queued — waiting for completion..."},
		} {
			if fold(e).AtGate() {
				t.Errorf("%q is for a person", e.Message)
			}
		}
	})
	t.Run("of two gates one is resolved", func(t *testing.T) {
		if !fold(wave.Event{StepID: "a", State: "running", Message: "gate step: approval"}, wave.Event{State: "gate_waiting"},
			wave.Event{StepID: "b", State: "running", Message: "gate step: approval"}, wave.Event{State: "gate_waiting"},
			wave.Event{State: "gate_resolved"}, wave.Event{StepID: "a", State: "completed"}).AtGate() {
			t.Error("the other is forgotten")
		}
	})
	t.Run("a failing command keeps its stderr", func(t *testing.T) {
		h := fold(wave.Event{StepID: "a", State: "running"},
			wave.Event{StepID: "a", State: "failed", Message: "command failed: exit status 2\nstderr: no"}, wave.Event{StepID: "a", State: "failed", Message: "exit status 2"})
		if s := h.Steps["a"]; s.err != "command failed: exit status 2\nstderr: no" || len(s.attempts) != 1 {
			t.Errorf("error %q, %d attempts", s.err, len(s.attempts))
		}
	})
	t.Run("a new attempt forgets the old error", func(t *testing.T) {
		h := fold(wave.Event{StepID: "a", State: "running"}, wave.Event{StepID: "a", State: "failed", Message: "a long error of the first"},
			wave.Event{StepID: "a", State: "retrying", Message: "attempt 2/3"}, wave.Event{StepID: "a", State: "running"}, wave.Event{StepID: "a", State: "failed", Message: "short"})
		s := h.Steps["a"]
		if s.err != "short" || s.retries != 3 || len(s.attempts) != 2 || s.attempts[0].err != "a long error of the first" || s.attempts[1].number != 2 {
			t.Errorf("%+v", s)
		}
	})
	t.Run("tokens are summed over progress, not over completion", func(t *testing.T) {
		h := fold(wave.Event{StepID: "a", State: "step_progress", Tokens: 10}, wave.Event{StepID: "a", State: "step_progress", Tokens: 5}, wave.Event{StepID: "a", State: "completed", Tokens: 5})
		if h.Steps["a"].Tokens != 15 {
			t.Errorf("tokens %d", h.Steps["a"].Tokens)
		}
	})
	t.Run("unknown words leave the state as it was", func(t *testing.T) {
		h := fold(wave.Event{StepID: "a", State: "running"}, wave.Event{StepID: "a", State: "levitating"}, wave.Event{State: "levitating"})
		if h.Steps["a"].Word != "running" || h.Last != 3 {
			t.Errorf("%q, last %d", h.Steps["a"].Word, h.Last)
		}
	})
	t.Run("a writer that never stops does not fill the memory", func(t *testing.T) {
		h := &History{}
		for i := range int64(3 * MaxSteps) {
			h.Add(wave.Event{ID: 2*i + 1, StepID: fmt.Sprint("step-", i), State: "running"})
			h.Add(wave.Event{ID: 2*i + 2, StepID: "step-0", State: "retrying"})
		}
		if len(h.Steps) != MaxSteps || len(h.Steps["step-0"].attempts) != maxAttempts {
			t.Errorf("%d steps, %d attempts", len(h.Steps), len(h.Steps["step-0"].attempts))
		}
	})
}

func FuzzFold(f *testing.F) {
	f.Add("a", "running", `attempt 2/3`, "", "started", `input="x" steps=3`)
	f.Add("", "running", "99999999999999999999/0 steps completed", "a", "retrying", "attempt -1/-5")
	f.Fuzz(func(t *testing.T, step1, state1, message1, step2, state2, message2 string) {
		h := fold(wave.Event{StepID: step1, State: state1, Message: message1, At: time.Unix(1, 0)},
			wave.Event{StepID: step2, State: state2, Message: message2, At: time.Unix(0, 0)}, wave.Event{StepID: step1, State: state1, Message: message1})
		if h.total < 0 || h.done < 0 || len(h.Order) != len(h.Steps) {
			t.Fatalf("%+v", h)
		}
		if diff := cmp.Diff(h, h.Clone(), folds); diff != "" {
			t.Fatal(diff)
		}
	})
}
