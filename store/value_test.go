package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"wavedeck/store/criteria"
	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// impossible are values that no count and no time has.
func impossible() map[string]string {
	return map[string]string{
		"a text":                "'2026-11-30 12:00:00'",
		"milliseconds":          "1796080410687",
		"a number past int64":   "9.3e18",
		"infinity":              "9e999",
		"minus infinity":        "-9e999",
		"a negative number":     "-62135596801",
		"the smallest integer":  "-9223372036854775807 - 1",
		"the largest integer":   "9223372036854775807",
		"a fraction":            "1796080410.5",
		"bytes":                 "x'00ff'",
		"the year 10000":        "253402300800",
		"nothing, where it may": "NULL",
	}
}

func TestAnImpossibleTimeIsUnknown(t *testing.T) {
	for name, value := range impossible() {
		t.Run(name, func(t *testing.T) {
			b := storetest.New(t)
			good := b.Run(storetest.Run{})
			bad := b.Run(storetest.Run{ID: "bad-20260301-120000-0001", Status: "failed", Extra: statedb.Row{"total_tokens": 3}})
			b.Exec(`PRAGMA ignore_check_constraints = 1`)
			b.Exec(`CREATE TABLE copy AS SELECT * FROM pipeline_run`) //nolint:unqueryvet // every column there is
			b.Exec(`DROP TABLE pipeline_run`)                         // and with it NOT NULL
			b.Exec(`ALTER TABLE copy RENAME TO pipeline_run`)
			b.Exec(`CREATE INDEX idx_run_started ON pipeline_run(started_at)`)
			for _, column := range []string{"started_at", "completed_at", "cancelled_at", "last_heartbeat"} {
				b.Exec(fmt.Sprintf(`UPDATE pipeline_run SET %s = %s WHERE run_id = ?`, column, value), bad)
			}
			b.Event(bad, storetest.Event{Step: "plan", State: "running"})
			if value != "NULL" {
				b.Exec(`UPDATE event_log SET timestamp = ` + value)
			}
			d := openTest(t, b.Path, storetest.Base.Add(time.Hour), Options{})
			page, err := d.page(t.Context(), criteria.RunFilter{})
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, r := range page.Runs {
				ids = append(ids, r.ID)
			}
			if want := []string{good, bad}; !slices.Equal(ids, want) {
				t.Errorf("the list is %v, want %v", ids, want)
			}
			events, err := d.events(t.Context(), criteria.EventFilter{Run: bad})
			if err != nil {
				t.Fatal(err)
			}
			if len(events) != 1 || value != "NULL" && !events[0].At.IsZero() {
				t.Errorf("the events are %+v, want one at an unknown time", events)
			}
			run, err := d.run(t.Context(), bad)
			if err != nil {
				t.Fatal(err)
			}
			if !run.StartedAt.IsZero() || !run.CompletedAt.IsZero() || !run.CancelledAt.IsZero() || !run.Heartbeat.IsZero() || run.HasDuration {
				t.Errorf("the run says times: %+v", run)
			}
			if _, err := json.Marshal(run); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAnImpossibleCountIsUnknown(t *testing.T) {
	for name, value := range impossible() {
		if slices.Contains([]string{"milliseconds", "a fraction", "the year 10000"}, name) {
			continue // possible as a count
		}
		t.Run(name, func(t *testing.T) {
			b := storetest.New(t)
			bad := b.Run(storetest.Run{Status: "failed"})
			b.Exec(`UPDATE pipeline_run SET total_tokens = `+value+`, pid = `+value+`, iterate_index = `+value+`, iterate_total = `+value+` WHERE run_id = ?`, bad)
			b.Metric(bad, storetest.Metric{Step: "plan"})
			b.Exec(`UPDATE performance_metric SET tokens_used = ` + value + `, duration_ms = ` + strings.Replace(value, "NULL", "0", 1))
			d := openTest(t, b.Path, storetest.Base.Add(time.Hour), Options{})
			run, err := d.run(t.Context(), bad)
			if err != nil {
				t.Fatal(err)
			}
			if run.Tokens != nil && *run.Tokens != 0 || run.PID != 0 || run.Iterate != nil {
				t.Errorf("the run says counts: tokens %v, pid %d, %+v", *run.Tokens, run.PID, run.Iterate)
			}
			if _, err := d.Detail(t.Context(), bad); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestTheListHoldsRunsOfUnknownStart walks both ways through a list in which the
// starts of many runs are unknown, and compares with the index of all runs.
func TestTheListHoldsRunsOfUnknownStart(t *testing.T) {
	b := storetest.New(t)
	var values []string
	for _, value := range impossible() {
		if value != "NULL" { // the column forbids it
			values = append(values, value)
		}
	}
	var want []string
	for i := range 40 {
		id := b.Run(storetest.Run{ID: fmt.Sprintf("r%02d", i), Status: "failed"})
		if i%2 == 0 {
			b.Exec(fmt.Sprintf(`UPDATE pipeline_run SET started_at = %s WHERE run_id = ?`, values[i/2%len(values)]), id)
		}
	}
	for i := 39; i > 0; i -= 2 {
		want = append(want, fmt.Sprintf("r%02d", i))
	}
	for i := 38; i >= 0; i -= 2 {
		want = append(want, fmt.Sprintf("r%02d", i))
	}
	d := openTest(t, b.Path, storetest.Base.Add(time.Hour), Options{})
	o := &opened{Reader: d.Reader, db: d.db, index: loaded(t, d)}
	for _, limit := range []int{1, 3, 7, 25} {
		for name, list := range map[string]func(criteria.RunFilter) (criteria.RunPage, error){
			"the list": func(f criteria.RunFilter) (criteria.RunPage, error) { return d.page(t.Context(), f) },
			"the filtered list": func(f criteria.RunFilter) (criteria.RunPage, error) {
				f.States = []wave.State{wave.Failed}
				return o.matching(t.Context(), f)
			},
		} {
			t.Run(fmt.Sprintf("%s with %d a page", name, limit), func(t *testing.T) {
				var back, forth []string
				f := criteria.RunFilter{Limit: limit}
				for range 50 {
					page, err := list(f)
					if err != nil {
						t.Fatal(err)
					}
					for _, r := range page.Runs {
						back = append(back, r.ID)
					}
					if page.Older == nil {
						break
					}
					f = criteria.RunFilter{Limit: limit, Older: page.Older}
				}
				if !slices.Equal(back, want) {
					t.Errorf("going back\n%v, want\n%v", back, want)
				}
				f = criteria.RunFilter{Limit: limit, Newer: &criteria.Cursor{ID: want[len(want)-1]}}
				for range 50 {
					page, err := list(f)
					if err != nil {
						t.Fatal(err)
					}
					for _, r := range slices.Backward(page.Runs) {
						forth = append(forth, r.ID)
					}
					if page.Newer == nil {
						break
					}
					f = criteria.RunFilter{Limit: limit, Newer: page.Newer}
				}
				slices.Reverse(forth)
				if !slices.Equal(forth, want[:len(want)-1]) {
					t.Errorf("going forward\n%v, want\n%v", forth, want[:len(want)-1])
				}
			})
		}
	}
}
