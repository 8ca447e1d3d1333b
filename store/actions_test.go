package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"wavedeck/store/storetest"
)

// activity adds actions of a step, a pause apart.
func activity(b *storetest.Builder, run, step string, start time.Time, pause time.Duration, texts []string) {
	for i, text := range texts {
		b.Event(run, storetest.Event{Step: step, State: "stream_activity", Message: text, At: start.Add(time.Duration(i) * pause)})
	}
}

func TestRunaway(t *testing.T) {
	start := storetest.Base.Add(24 * time.Hour)
	now := start.Add(10 * time.Minute)
	before := func(b *storetest.Builder, n, tokens int, texts []string) {
		for range n {
			at := b.Clock
			run := b.Run(storetest.Run{Pipeline: "p", End: at.Add(10 * time.Minute)})
			b.Event(run, storetest.Event{Step: "work", At: at})
			activity(b, run, "work", at, time.Second, texts)
			b.Event(run, storetest.Event{Step: "work", State: "step_progress", Tokens: tokens, At: at.Add(time.Minute)})
			b.Event(run, storetest.Event{Step: "work", State: "completed", At: at.Add(10 * time.Minute)})
		}
	}
	running := func(b *storetest.Builder, tokens int, texts []string) string {
		run := b.Run(storetest.Run{Pipeline: "p", Status: "running", Start: start, Heartbeat: now})
		b.Event(run, storetest.Event{Step: "work"})
		b.Step(run, storetest.Step{ID: "work", State: "running"})
		activity(b, run, "work", start.Add(time.Minute), time.Second, texts)
		b.Event(run, storetest.Event{Step: "work", State: "step_progress", Tokens: tokens, At: now})
		return run
	}
	loop := slices.Repeat([]string{"Bash make"}, 20)
	for _, tt := range []struct {
		name string
		make func(*storetest.Builder) string
		want string
	}{
		{"a step that does the same over and over", func(b *storetest.Builder) string {
			return running(b, 0, loop)
		}, "work: bash make x20 of 20"},
		{"a step that always did", func(b *storetest.Builder) string {
			before(b, 1, 0, loop)
			return running(b, 0, loop)
		}, ""},
		{"a step that does it more than it ever did", func(b *storetest.Builder) string {
			before(b, 6, 0, slices.Repeat([]string{"Bash make"}, 13))
			return running(b, 0, loop)
		}, "work: bash make x20 of 20"},
		{"loops of two steps side by side are told apart", func(b *storetest.Builder) string {
			run := running(b, 0, nil)
			b.Step(run, storetest.Step{ID: "other", State: "running"})
			for i := range 14 { // alternating in the log, each alone in its step
				at := start.Add(time.Duration(i) * time.Second)
				b.Event(run, storetest.Event{Step: "work", State: "stream_activity", Message: fmt.Sprint("Read ", i), At: at})
				b.Event(run, storetest.Event{Step: "other", State: "stream_activity", Message: "Bash ls", At: at})
			}
			return run
		}, "other: bash ls x14 of 14"},
		{"a step that has ended does nothing more", func(b *storetest.Builder) string {
			run := running(b, 0, loop)
			b.Update("step_state", map[string]any{"step_id": "work", "pipeline_id": run, "state": "completed"})
			return run
		}, ""},
		{"tokens five times as fast as ever", func(b *storetest.Builder) string {
			before(b, 5, 10_000, nil)
			return running(b, 50_000, nil)
		}, "work: 5000 a minute, at most 1000 in 5 runs"},
		{"tokens four times as fast", func(b *storetest.Builder) string {
			before(b, 5, 10_000, nil)
			return running(b, 49_000, nil)
		}, ""},
		{"four past runs say nothing of tokens", func(b *storetest.Builder) string {
			before(b, 4, 10_000, nil)
			return running(b, 90_000, nil)
		}, ""},
		{"few tokens have no rate", func(b *storetest.Builder) string {
			before(b, 5, 10, nil)
			return running(b, 19_999, nil)
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := storetest.New(t)
			run := tt.make(b)
			d := openTest(t, b.Path, now, Options{})
			for range 2 { // read, and kept
				got := ""
				if r := mustOutlook(t, d, run).Runaway; r != nil && r.Loops() {
					got = fmt.Sprintf("%s: %s x%d of %d", r.Step, strings.Join(r.Actions, ", "), r.Times, r.Of)
				} else if r != nil {
					got = fmt.Sprintf("%s: %d a minute, at most %d in %d runs", r.Step, r.Rate, r.Highest, r.Past)
				}
				if got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			}
		})
	}
}

// TestRunawayIsFollowed lets a loop grow event by event: what is kept of it
// agrees with what a fresh look finds.
func TestRunawayIsFollowed(t *testing.T) {
	b := storetest.New(t)
	now := storetest.Base.Add(5 * time.Minute)
	run := b.Run(storetest.Run{Status: "running", Heartbeat: now})
	b.Event(run, storetest.Event{Step: "work"})
	b.Step(run, storetest.Step{ID: "work", State: "running"})
	d := openTest(t, b.Path, now, Options{})
	var texts []string
	for i := range 130 {
		texts = append(texts, fmt.Sprint("Read ", i))
	}
	for i, text := range slices.Concat(texts, slices.Repeat([]string{"Bash ls"}, 14), []string{"Read x"}) {
		b.Event(run, storetest.Event{Step: "work", State: "stream_activity", Message: text, At: storetest.Base.Add(time.Duration(i) * time.Second)})
		got := mustOutlook(t, d, run).Runaway
		if want := i >= 130+11 && i < 144; (got != nil) != want {
			t.Fatalf("after %d actions: %+v", i+1, got)
		}
	}
}
