package store

import (
	"slices"
	"testing"
	"time"

	"wavedeck/store/criteria"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

func TestEndsAreFound(t *testing.T) {
	b := storetest.New(t)
	now := time.Now()
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	b.Run(storetest.Run{ID: "old", Pipeline: "p", Status: "completed", Start: ago(50 * time.Hour), End: ago(49 * time.Hour)})
	b.Run(storetest.Run{ID: "failed", Pipeline: "p", Status: "failed", Start: ago(50 * time.Hour), End: ago(time.Hour)})
	b.Run(storetest.Run{ID: "other", Pipeline: "q", Status: "failed", Start: ago(3 * time.Hour), End: ago(2 * time.Hour)})
	b.Run(storetest.Run{ID: "lost", Pipeline: "p", Status: "running", Start: ago(30 * time.Hour), Heartbeat: ago(29 * time.Hour)})
	b.Run(storetest.Run{ID: "lost long ago", Pipeline: "p", Status: "running", Start: ago(20 * 24 * time.Hour)})
	b.Run(storetest.Run{ID: "at work", Pipeline: "p", Status: "running", Start: ago(time.Minute), Heartbeat: now})
	s, sub := followed(t, b.Path, Options{})
	opens(t, s, sub)
	ids, err := s.EndedSince(t.Context(), ago(24*time.Hour), 100)
	slices.Sort(ids)
	if want := []string{"failed", "lost", "other"}; err != nil || !slices.Equal(ids, want) {
		t.Errorf("ended %v, %v; want %v", ids, err, want)
	}
	if ids, err := s.EndedSince(t.Context(), ago(24*time.Hour), 2); err != nil || len(ids) != 2 {
		t.Errorf("at most two: %v, %v", ids, err)
	}
	if over, err := s.Over([]string{"at work", "lost", "none", "old"}); err != nil || !slices.Equal(over, []string{"lost", "old"}) {
		t.Errorf("over %v, %v", over, err)
	}
	for name, c := range map[string]struct {
		filter criteria.RunFilter
		want   []string
	}{
		"everything":        {criteria.RunFilter{}, []string{"at work", "failed", "lost", "old", "other"}},
		"by pipeline":       {criteria.RunFilter{Pipelines: []string{"q"}}, []string{"other"}},
		"by state and time": {criteria.RunFilter{States: []wave.State{wave.Failed}, Since: ago(10 * time.Hour)}, []string{"other"}},
		"until":             {criteria.RunFilter{Until: ago(40 * time.Hour), Limit: 1}, []string{"failed", "old"}},
		"by a word":         {criteria.RunFilter{Predicates: criteria.Words("lost")}, []string{"lost"}},
	} {
		found, err := s.MatchingRuns(t.Context(), c.filter, []string{"old", "failed", "other", "lost", "at work", "none"})
		var got []string
		for id := range found {
			got = append(got, id)
		}
		slices.Sort(got)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, c.want)
		}
	}
}
