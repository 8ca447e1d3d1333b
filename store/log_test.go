package store

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wavedeck/store/criteria"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// talk is a run whose events say different things.
func talk(t testing.TB) (*testReader, string) {
	t.Helper()
	b := storetest.New(t)
	other := b.Run(storetest.Run{})
	run := b.Run(storetest.Run{Status: "failed"})
	for _, e := range []storetest.Event{
		{State: "started", Message: "input=\"x\" steps=2"}, // 1, and so on
		{Step: "plan", State: "running", Message: "Plan it"},
		{Step: "plan", State: "completed"},
		{Step: "build", State: "running", Message: "100% of Build_it"},
		{Step: "build", State: "stream_activity", Message: "e\x1b[31mrr\x1b[0mor: no such file"},
		{Step: "build", State: "contract_failed", Message: "missing"},
		{Step: "build", State: "failed", Message: "first"},
		{Step: "build", State: "retrying", Message: "attempt 2/2"},
		{Step: "build", State: "running", Message: "1 %\r100 %"},
		{Step: "build", State: "failed", Message: "stderr: long"},
		{Step: "build", State: "failed", Message: "exit status 2"},
		{Step: "odd", State: "no_such_word", Message: `back\slash ÄÖ`},
	} {
		b.Event(run, e)
		b.Event(other, storetest.Event{Message: e.Message})
	}
	return openTest(t, b.Path, sampleNow, Options{}), run
}

// nth are the numbers of events among those of the run of talk.
func nth(ids []int64) []int {
	var n []int
	for _, id := range ids {
		n = append(n, int(id+1)/2)
	}
	return n
}

// without takes the colours out, as a reader sees a message.
func without(message string) string {
	return strings.NewReplacer("\x1b[31m", "", "\x1b[0m", "", "1 %\r", "").Replace(message)
}

func TestLogHits(t *testing.T) {
	d, run := talk(t)
	for name, tt := range map[string]struct {
		f    criteria.LogFilter
		want []int
	}{
		"everything":                            {criteria.LogFilter{}, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
		"a step":                                {criteria.LogFilter{Step: "plan"}, []int{2, 3}},
		"a state":                               {criteria.LogFilter{States: []string{"running"}}, []int{2, 4, 9}},
		"any of several states":                 {criteria.LogFilter{States: wave.FailingStates()}, []int{6, 7, 10, 11}},
		"a step in a state":                     {criteria.LogFilter{Step: "build", States: []string{"running"}}, []int{4, 9}},
		"a text, in either case":                {criteria.LogFilter{Text: "PLAN"}, []int{2}},
		"a text with a wildcard is only itself": {criteria.LogFilter{Text: "d_i"}, []int{4}},
		"a percent sign is only itself":         {criteria.LogFilter{Text: "0%"}, []int{4}},
		"a backslash is only itself":            {criteria.LogFilter{Text: `k\s`}, []int{12}},
		"other letters in their own case":       {criteria.LogFilter{Text: "ÄÖ"}, []int{12}},
		"a text across a colour":                {criteria.LogFilter{Text: "error: no"}, []int{5}},
		"a text that was overwritten":           {criteria.LogFilter{Text: "1 %"}, nil},
		"what an escape is made of":             {criteria.LogFilter{Text: "[31m"}, nil},
		"nothing":                               {criteria.LogFilter{Text: "nothing like it"}, nil},
		"an injection":                          {criteria.LogFilter{Step: "' OR 1=1 --"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := tt.f
			f.Run, f.Shown = run, without
			hits, err := d.logHits(t.Context(), f, 100)
			if err != nil || hits.More || hits.Tired {
				t.Fatalf("%+v, %v", hits, err)
			}
			if diff := cmp.Diff(tt.want, nth(hits.IDs)); diff != "" {
				t.Error(diff)
			}
			var events []int64
			window, err := d.log(t.Context(), f, criteria.LogWindow{})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range window {
				if !f.Matches(e) {
					t.Errorf("Matches does not know event %d", e.ID)
				}
				events = append(events, e.ID)
			}
			if diff := cmp.Diff(hits.IDs, events); diff != "" {
				t.Errorf("hits and window differ: %s", diff)
			}
		})
	}
	t.Run("more than were asked for", func(t *testing.T) {
		hits, err := d.logHits(t.Context(), criteria.LogFilter{Run: run}, 3)
		if err != nil || !hits.More || len(hits.IDs) != 3 {
			t.Errorf("%+v, %v", hits, err)
		}
	})
	t.Run("a search without time tells that it is not whole", func(t *testing.T) {
		ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
		defer cancel()
		hits, err := d.logHits(ctx, criteria.LogFilter{Run: run, Text: "x"}, 3)
		if err != nil || !hits.Tired {
			t.Errorf("%+v, %v", hits, err)
		}
	})
	t.Run("a client that left is no answer", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if hits, err := d.logHits(ctx, criteria.LogFilter{Run: run, Text: "x"}, 3); err == nil {
			t.Errorf("%+v", hits)
		}
	})
}

func TestLogWindows(t *testing.T) {
	d, run := talk(t)
	f := criteria.LogFilter{Run: run}
	for name, tt := range map[string]struct {
		w    criteria.LogWindow
		want []int
	}{
		"the first":                      {criteria.LogWindow{Limit: 2}, []int{1, 2}},
		"the last":                       {criteria.LogWindow{Limit: 2, Newest: true}, []int{11, 12}},
		"after an event":                 {criteria.LogWindow{After: 19, Limit: 2}, []int{11, 12}},
		"before an event":                {criteria.LogWindow{Before: 19, Limit: 2, Newest: true}, []int{8, 9}},
		"between two":                    {criteria.LogWindow{After: 3, Before: 9}, []int{3, 4}},
		"as many as are short enough":    {criteria.LogWindow{Bytes: 24}, []int{1, 2}},
		"one at least":                   {criteria.LogWindow{Bytes: 1}, []int{1}},
		"after the end":                  {criteria.LogWindow{After: 1000}, nil},
		"events of others are passed by": {criteria.LogWindow{After: 22}, []int{12}},
	} {
		t.Run(name, func(t *testing.T) {
			events, err := d.log(t.Context(), f, tt.w)
			if err != nil {
				t.Fatal(err)
			}
			var ids []int64
			for _, e := range events {
				ids = append(ids, e.ID)
			}
			if diff := cmp.Diff(tt.want, nth(ids)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLogMap(t *testing.T) {
	d, run := talk(t)
	m, err := d.logMap(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	at := func(n int) int64 { return int64(2*n - 1) }
	want := wave.LogMap{
		First: at(1), Last: at(12), Events: 12, Steps: []string{"plan", "build", "odd"},
		Marks: []wave.LogMark{
			{ID: at(2), Step: "plan", Attempt: 1},
			{ID: at(4), Step: "build", Attempt: 1},
			{ID: at(6), Step: "build", Attempt: 1, Failed: true},
			{ID: at(7), Step: "build", Attempt: 1, Failed: true},
			{ID: at(8), Step: "build", Attempt: 2},
			{ID: at(10), Step: "build", Attempt: 2, Failed: true},
			{ID: at(11), Step: "build", Attempt: 2, Failed: true},
		},
	}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Error(diff)
	}
	if m.Failure() != at(10) || m.FirstError() != at(6) {
		t.Errorf("failure at %d, first error at %d", m.Failure(), m.FirstError())
	}
	m.Marks = append(m.Marks, wave.LogMark{ID: 90, Step: "other", Attempt: 1, Failed: true}, wave.LogMark{ID: 91, Step: "other", Attempt: 2})
	if m.Failure() != at(10) {
		t.Errorf("failure at %d, where a step was tried again", m.Failure())
	}
	if m, err = d.logMap(t.Context(), "nothing"); err != nil || m.Failure() != 0 || m.FirstError() != 0 || m.Last != 0 {
		t.Errorf("a run that is not there: %+v, %v", m, err)
	}
}

func TestLogOfOldSchemas(t *testing.T) {
	for _, version := range []int{2, 16} {
		t.Run(fmt.Sprintf("schema %d", version), func(t *testing.T) {
			b := storetest.NewVersion(t, version)
			run := b.Run(storetest.Run{})
			b.Event(run, storetest.Event{Step: "a", State: "running", Message: "hello"})
			d := openTest(t, b.Path, sampleNow, Options{})
			hits, err := d.logHits(t.Context(), criteria.LogFilter{Run: run, Step: "a", States: []string{"running"}, Text: "ELL"}, 10)
			if err != nil || len(hits.IDs) != 1 {
				t.Errorf("%+v, %v", hits, err)
			}
		})
	}
}

func BenchmarkLog(b *testing.B) {
	build, run := longRun(b)
	build.Exec(`INSERT INTO event_log (run_id, timestamp, step_id, state, persona, message, tokens_used, duration_ms)
SELECT run_id, timestamp, step_id, state, persona, message, 0, 0 FROM event_log ORDER BY id`) // 100,000
	d := openTest(b, build.Path, storetest.Base.Add(time.Hour), Options{})
	if _, err := d.logMap(b.Context(), run); err != nil {
		b.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		f    criteria.LogFilter
	}{
		{"a text that is nowhere", criteria.LogFilter{Text: "no such text"}}, {"a text that is often", criteria.LogFilter{Text: "edit"}},
		{"the last step", criteria.LogFilter{Step: "step-59"}}, {"a state that is nowhere", criteria.LogFilter{States: wave.FailingStates()}},
	} {
		b.Run("search 100,000 for "+tt.name, func(b *testing.B) {
			tt.f.Run = run
			for b.Loop() {
				if _, err := d.logHits(b.Context(), tt.f, 1000); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("250 from the middle", func(b *testing.B) {
		for b.Loop() {
			if events, err := d.log(b.Context(), criteria.LogFilter{Run: run}, criteria.LogWindow{After: 50_000, Limit: 250}); err != nil || len(events) != 250 {
				b.Fatal(len(events), err)
			}
		}
	})
}
