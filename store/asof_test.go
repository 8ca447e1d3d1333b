package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wavedeck/store/storetest"
	"wavedeck/store/tape"
	"wavedeck/store/wave"
)

// carried is what events tell of a run, for comparison.
func carried(d wave.RunDetail) string {
	var b strings.Builder
	fmt.Fprintf(&b, "events %d-%d %d, of %d\n", d.FirstID, d.LastID, d.Events, d.Run.StepsAll)
	for _, s := range d.Steps {
		fmt.Fprintf(&b, "%s %s %s %s of %d gate %v", s.ID, s.Persona, s.Model, s.Adapter, s.Retries, s.Gate)
		if s.Contract != nil {
			fmt.Fprintf(&b, " contract %s", s.Contract.Result)
		}
		fmt.Fprintf(&b, " checks %d", len(s.Checks))
		b.WriteByte('\n')
	}
	return b.String()
}

// TestPast plays the recording commit by commit. After each event, the run as of
// that event is noted; once all is played, each event must still give what was
// noted, and nothing of what came later.
func TestPast(t *testing.T) {
	b := storetest.New(t)
	var now time.Time
	d := openTest(t, b.Path, now, Options{Definition: definitions(t, storetest.Project(t))})
	d.opt.Now = func() time.Time { return now }
	noted := map[int64]string{}
	of := map[int64]string{}
	var moments []wave.Moment
	for _, e := range storetest.Tape(t) {
		now = time.Unix(1795394292, 0).Add(e.At)
		if e.Op == tape.Insert {
			b.Insert(e.Table, e.Row)
		} else {
			b.Update(e.Table, e.Row)
		}
		if e.Table != "event_log" {
			continue
		}
		var row struct {
			ID  int64  `db:"id"`
			Run string `db:"run_id"`
			At  int64  `db:"timestamp"`
		}
		if err := d.GetContext(t.Context(), &row, `SELECT id, run_id, timestamp FROM event_log ORDER BY id DESC LIMIT 1`); err != nil {
			t.Fatal(err)
		}
		at := wave.Moment{Event: row.ID, Time: wave.Unix(row.At)}
		then, err := d.detailAt(t.Context(), row.Run, at)
		if err != nil {
			t.Fatal(err)
		}
		// What the page shows at this very commit, of what events tell.
		shown := mustDetail(t, d, row.Run)
		if diff := cmp.Diff(carried(shown), carried(then)); diff != "" {
			t.Errorf("event %d of %s (-page +as of then)\n%s", row.ID, row.Run, diff)
		}
		if !shown.Run.CompletedAt.IsZero() && shown.Run.StepsAll > 0 && then.Run.State.Ended() {
			continue // the recording begins with rows of runs that have ended, and their events after them
		}
		// The row of a step is written a commit after its event; that of a step with
		// children says done at the first of them.
		if ahead := then.Run.StepsDone - shown.Run.StepsDone; (ahead < 0 || ahead > 1) && shown.Run.Children.All == 0 {
			t.Errorf("event %d of %s: %d steps done, the page says %d", row.ID, row.Run, then.Run.StepsDone, shown.Run.StepsDone)
		}
		noted[row.ID], of[row.ID] = withoutSilent(t, d, then, at), row.Run
		moments = append(moments, at)
	}
	if len(moments) < 100 {
		t.Fatalf("%d events only", len(moments))
	}
	for _, at := range moments {
		later, err := d.detailAt(t.Context(), of[at.Event], at)
		if err != nil {
			t.Fatal(err)
		}
		if later.LastID != at.Event {
			t.Errorf("as of event %d the last event is %d", at.Event, later.LastID)
		}
		if got := withoutSilent(t, d, later, at); got != noted[at.Event] {
			// The end of a run that no event records comes in the second of its last event.
			if n, err := d.nextEvent(t, of[at.Event], at.Event); err == nil && n == 0 {
				continue
			}
			t.Errorf("event %d (-then +now)\n%s", at.Event, cmp.Diff(noted[at.Event], got))
		}
	}
}

// withoutSilent sums up a run without children that had no event by then. Their
// rows come before their first event, and in the same second nothing shows
// whether they were there: then they were seen, later they are left out.
func withoutSilent(t *testing.T, d *testReader, detail wave.RunDetail, at wave.Moment) string {
	t.Helper()
	begun := 0
	for _, child := range detail.Children {
		var n int
		if err := d.GetContext(t.Context(), &n, `SELECT count(*) FROM event_log WHERE run_id = ? AND id <= ?`, child.ID, at.Event); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			begun++
		}
	}
	detail.Run.Children = wave.ChildCounts{All: begun, Ended: detail.Run.Children.Ended}
	for i := range detail.Steps { // how many a step has in all is planned, and known from its first child on
		detail.Steps[i].Children = wave.ChildCounts{}
	}
	return summary(detail)
}

func (d *testReader) nextEvent(t *testing.T, run string, event int64) (n int64, err error) {
	err = d.GetContext(t.Context(), &n, `SELECT COALESCE(min(id), 0) FROM event_log WHERE run_id = ? AND id > ?`, run, event)
	return n, err
}

// TestPastOfTheSample: as of its last event a run that an event ends is what its
// page says, but for what only rows hold.
func TestPastOfTheSample(t *testing.T) {
	d := openSample(t)
	for id := range sampleRuns {
		now := mustDetail(t, d, id)
		then, err := d.detailAt(t.Context(), id, wave.Moment{Event: 1 << 40, Time: sampleNow})
		if err != nil {
			t.Fatal(err)
		}
		if now.Run.State != then.Run.State && now.Run.State != wave.Lost { // whether its process lived then is not kept
			t.Errorf("%s is %s, as of now %s", id, now.Run.State, then.Run.State)
		}
		for i, s := range then.Steps {
			if want := now.Steps[i]; s.ID != want.ID || s.State != want.State && now.Run.State != wave.Lost || s.Model != want.Model {
				t.Errorf("%s: step %s %s %s, as of now %s %s %s", id, want.ID, want.State, want.Model, s.ID, s.State, s.Model)
			}
		}
		if len(then.Children) != len(now.Children) || len(then.Artifacts) != len(now.Artifacts) {
			t.Errorf("%s: %d children and %d artifacts, as of now %d and %d", id, len(now.Children), len(now.Artifacts), len(then.Children), len(then.Artifacts))
		}
	}
}

func TestMoments(t *testing.T) {
	b := storetest.New(t)
	run := b.Run(storetest.Run{ID: "a"})
	other := b.Run(storetest.Run{ID: "b", Start: storetest.Base.Add(time.Hour)})
	first := b.Event(run, storetest.Event{State: "started", At: storetest.Base})
	second := b.Event(run, storetest.Event{Step: "x", At: storetest.Base.Add(5 * time.Second)})
	third := b.Event(run, storetest.Event{Step: "y", At: storetest.Base.Add(5 * time.Second)})
	last := b.Event(other, storetest.Event{Step: "z", At: storetest.Base.Add(time.Hour)})
	d := openBuilt(t, b)
	for _, c := range []struct {
		at   time.Duration
		want int64
	}{{0, first}, {4 * time.Second, first}, {5 * time.Second, third}, {time.Minute, third}, {2 * time.Hour, last}} {
		m, ok, err := d.LatestMoment(t.Context(), storetest.Base.Add(c.at).Unix())
		if err != nil || !ok || m.Event != c.want {
			t.Errorf("after %v: %+v %v, want event %d", c.at, m, err, c.want)
		}
	}
	at := wave.Moment{Event: second, Time: storetest.Base.Add(5 * time.Second)}
	detail, err := d.detailAt(t.Context(), run, at)
	if err != nil || len(detail.Steps) != 1 || detail.Run.State != wave.Running {
		t.Errorf("as of the second: %d steps, %s, %v", len(detail.Steps), detail.Run.State, err)
	}
	if _, err := d.detailAt(t.Context(), other, at); !errors.Is(err, ErrNotFound) {
		t.Errorf("a run that began later: %v", err)
	}
}
