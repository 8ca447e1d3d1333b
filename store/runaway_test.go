package store

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"wavedeck/store/storetest"
)

// doing lists actions, a pause apart.
func doing(pause time.Duration, texts ...string) []toolCall {
	deeds := make([]toolCall, len(texts))
	for i, text := range texts {
		deeds[i] = toolCall{storetest.Base.Add(time.Duration(i) * pause), normalize(text)}
	}
	return deeds
}

// rounds is the same actions over and over.
func rounds(n int, actions ...string) []string {
	var all []string
	for range n {
		all = append(all, actions...)
	}
	return all
}

// each is an action on many targets.
func each(n int, format string) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(format, i)
	}
	return all
}

func between2(a []string, b string) []string {
	var all []string
	for _, text := range a {
		all = append(all, text, b)
	}
	return all
}

func TestRepeats(t *testing.T) {
	const second = time.Second
	for _, tt := range []struct {
		name  string
		deeds []toolCall
		want  string // actions and times; empty: no runaway
	}{
		{"one action twelve times in a row", doing(2*second, rounds(12, "Bash make test")...), "bash make test x12 of 12"},
		{"one action eleven times in a row", doing(2*second, rounds(11, "Bash make test")...), ""},
		{"the same action written otherwise", doing(2*second, rounds(6, "Bash  make test", "bash make\ttest ")...), "bash make test x12 of 12"},
		{"a loop after a lot of work", doing(2*second, append(each(60, "Read src/%d.go"), rounds(15, "Grep TODO")...)...), "grep TODO x15 of 15"},
		{"a loop that is over", doing(2*second, append(rounds(15, "Grep TODO"), each(3, "Read src/%d.go")...)...), ""},
		{"an edit and a test of the same file in turn", doing(5*second, rounds(10, "Edit main.go", "Bash go test")...), "edit main.go, bash go test x10 of 20"},
		{"nine rounds of it", doing(5*second, rounds(9, "Edit main.go", "Bash go test")...), ""},
		{"a circle of three", doing(2*second, rounds(11, "Read a", "Edit a", "Bash test")...), "read a, edit a, bash test x11 of 33"},
		{"one action with few others in between", doing(2*second, rounds(9, "Bash ls", "Bash ls", "Bash ls", "Bash ls", "Bash ls", "Read x")...), "bash ls x41 of 50"},

		{"reading a hundred files", doing(second, each(100, "Read src/file%d.go")...), ""},
		{"reading the pages of one file", doing(second, each(100, "Read big.log:%d")...), ""},
		{"a test after each edit of another file", doing(5*second, between2(each(40, "Edit src/%d.go"), "Bash go test ./...")...), ""},
		{"searching for many words with the same tool", doing(second, each(60, "Grep word%d")...), ""},
		{"looking at a build once a minute", doing(time.Minute, rounds(30, "Bash gh run view 17")...), ""},
		{"twelve times in an hour", doing(5*time.Minute, rounds(12, "Bash make test")...), ""},
		{"nothing", nil, ""},
		{"texts that are empty", doing(second, rounds(5, "", " ")...), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if _, found := repeats(tt.deeds); found != nil {
				got = fmt.Sprintf("%s x%d of %d", strings.Join(found.Actions, ", "), found.Times, found.Of)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestWorkIsNoRunaway draws work as agents do it: many files, few of them again
// and again, tests in between, at the pace of a model.
func TestWorkIsNoRunaway(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 11))
	for range 200 {
		var texts []string
		files := 3 + rng.IntN(30)
		for range 300 {
			file := fmt.Sprintf("src/%d.go", int(float64(files)*rng.Float64()*rng.Float64()))
			texts = append(texts, [...]string{"Read " + file, "Edit " + file, "Bash go test ./...", "Grep " + file, "Bash go build"}[rng.IntN(5)])
		}
		deeds := doing(4*time.Second, texts...)
		for i := range deeds {
			if _, found := repeats(deeds[:i+1]); found != nil {
				t.Fatalf("%+v after %v", *found, texts[max(0, i-30):i+1])
			}
		}
	}
}

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
	loop := rounds(20, "Bash make")
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
			before(b, 6, 0, rounds(13, "Bash make"))
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
	for i, text := range append(append(each(130, "Read %d"), rounds(14, "Bash ls")...), "Read x") {
		b.Event(run, storetest.Event{Step: "work", State: "stream_activity", Message: text, At: storetest.Base.Add(time.Duration(i) * time.Second)})
		got := mustOutlook(t, d, run).Runaway
		if want := i >= 130+11 && i < 144; (got != nil) != want {
			t.Fatalf("after %d actions: %+v", i+1, got)
		}
	}
}

func FuzzNormalize(f *testing.F) {
	f.Add("Bash  make\ttest")
	f.Add("\xff\x00 É")
	f.Fuzz(func(t *testing.T, text string) {
		once := normalize(text)
		if twice := normalize(once); twice != once {
			t.Errorf("%q becomes %q, and that %q", text, once, twice)
		}
	})
}
