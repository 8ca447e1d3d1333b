package store

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"wavedeck/store/diagnose"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// TestRecordedPast reads the past out of a database and makes estimates from a
// run that is written there bit by bit.
func TestRecordedPast(t *testing.T) {
	def := []wave.StepDef{{ID: "first"}, {ID: "left", Dependencies: []string{"first"}}, {ID: "right", Dependencies: []string{"first"}}, {ID: "join", Dependencies: []string{"left", "right"}}}
	rng := rand.New(rand.NewPCG(3, 3))
	b := storetest.New(t)
	for range 30 {
		writePast(b, drawPast(rng), def, 1<<40)
		b.Clock = b.Clock.Add(time.Hour)
	}
	b.Run(storetest.Run{Pipeline: "course", CurrentStep: wave.ReasonDryRun, Start: b.Clock.Add(-2 * time.Hour), End: b.Clock.Add(-2 * time.Hour)}) // it took no time
	now := b.Clock
	d := openTest(t, b.Path, now, Options{Definition: func(string) []wave.StepDef { return def }})
	d.opt.Now = func() time.Time { return now }
	told, inside := 0, 0
	for range 25 {
		run := drawPast(rng)
		for at := int64(0); at < run.Duration; at += 60 {
			id := writePast(b, run, def, at)
			now = b.Clock.Add(wave.Seconds(at))
			eta := mustOutlook(t, d, id).ETA
			want := diagnose.Estimate(def, seenAt(run, def, at), mustPast(t, d))
			if fmt.Sprint(eta) != fmt.Sprint(want) {
				t.Fatalf("at %d s of %+v: %+v, want %+v", at, run, eta, want)
			}
			if eta != nil && eta.N > 0 {
				told++
				if left := wave.Seconds(run.Duration - at); left >= eta.Earliest && left <= eta.P90 {
					inside++
				}
			}
			b.Exec("DELETE FROM pipeline_run WHERE run_id = ?", id)
		}
	}
	if told < 40 || inside*10 < told*8 {
		t.Errorf("%d of %d true ends lie inside", inside, told)
	}
}

// drawPast makes a run of four steps, two of them side by side.
func drawPast(rng *rand.Rand) *diagnose.PastRun {
	took := func(least, most int64) int64 { return least + rng.Int64N(most-least) }
	first := diagnose.PastStep{End: took(20, 40)}
	left := diagnose.PastStep{Start: first.End, End: first.End + took(40, 250)}
	right := diagnose.PastStep{Start: first.End, End: first.End + took(60, 200)}
	join := diagnose.PastStep{Start: max(left.End, right.End), End: max(left.End, right.End) + took(20, 40)}
	return &diagnose.PastRun{Duration: join.End, Planned: 4, Steps: map[string]diagnose.PastStep{"first": first, "left": left, "right": right, "join": join}}
}

// seenAt is how far a run was so many seconds after it began.
func seenAt(p *diagnose.PastRun, def []wave.StepDef, elapsed int64) diagnose.Standing {
	at := diagnose.Standing{Elapsed: elapsed, Done: map[string]bool{}, Running: map[string]int64{}, Planned: p.Planned}
	for _, s := range def {
		switch step := p.Steps[s.ID]; {
		case step.End <= elapsed:
			at.Done[s.ID] = true
		case step.Start <= elapsed:
			at.Running[s.ID] = step.Start
		}
	}
	return at
}

func mustPast(t testing.TB, d *testReader) []*diagnose.PastRun {
	t.Helper()
	past, err := d.pastOf(t.Context(), "course")
	if err != nil || len(past) != 30 {
		t.Fatal(len(past), err)
	}
	return past
}

// writePast records a run as it was so many seconds after it began, which is the
// builder's clock.
func writePast(b *storetest.Builder, p *diagnose.PastRun, def []wave.StepDef, elapsed int64) string {
	at := func(s int64) time.Time { return b.Clock.Add(wave.Seconds(s)) }
	r := storetest.Run{Pipeline: "course", Status: "running", Start: b.Clock, Heartbeat: at(min(elapsed, p.Duration))}
	if elapsed >= p.Duration {
		r.Status, r.End = "completed", at(p.Duration)
	}
	run := b.Run(r)
	b.Event(run, storetest.Event{State: "started", Message: fmt.Sprintf(`input="" steps=%d`, len(def))})
	for _, s := range def {
		step := p.Steps[s.ID]
		if step.Start > elapsed {
			continue
		}
		state := storetest.Step{ID: s.ID, State: "running", Start: at(step.Start)}
		b.Event(run, storetest.Event{Step: s.ID, At: at(step.Start)})
		if step.End <= elapsed {
			state.State, state.End = "completed", at(step.End)
			b.Event(run, storetest.Event{Step: s.ID, State: "completed", At: at(step.End)})
		}
		b.Step(run, state)
	}
	return run
}
