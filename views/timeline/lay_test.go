package timeline_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wavedeck/views/timeline"
)

func row(t *testing.T, rows []timeline.Row, id string) timeline.Row {
	t.Helper()
	for _, r := range rows {
		if r.ID == id {
			return r
		}
	}
	t.Fatalf("no row %s", id)
	return timeline.Row{}
}

// places is where the bars of a row begin and end, in whole percent.
func places(r timeline.Row) [][2]int {
	var places [][2]int
	for _, b := range r.Bars {
		places = append(places, [2]int{(b.X + 500) / 1000, (b.X + b.Width + 500) / 1000})
	}
	return places
}

func marks(r timeline.Row) (marks []timeline.Mark) {
	for _, b := range r.Bars {
		marks = append(marks, b.Mark)
	}
	return marks
}

func TestBars(t *testing.T) {
	for name, tt := range map[string]struct {
		run   timeline.Run
		query timeline.Query
		row   string
		want  [][2]int
		marks []timeline.Mark
	}{
		"a span lies where its times lie": {
			run: timeline.Run{Start: t0, End: at(10), Now: at(99), Lanes: []timeline.Lane{lane("a", "succeeded", "", span(2, 7)), lane("b", "succeeded", "", span(0, 10))}},
			row: "a", want: [][2]int{{20, 70}}, marks: []timeline.Mark{"work"},
		},
		"an open span ends now": {
			run: timeline.Run{Start: t0, Now: at(10), Lanes: []timeline.Lane{lane("b", "succeeded", "", span(0, 5)), lane("a", "running", "", span(5, -1))}},
			row: "a", want: [][2]int{{50, 100}}, marks: []timeline.Mark{"work"},
		},
		"an open span of an ended run ends with the run": {
			run: timeline.Run{Start: t0, End: at(8), Now: at(99), Lanes: []timeline.Lane{lane("a", "lost", "", span(4, -1)), lane("b", "succeeded", "", span(0, 8))}},
			row: "a", want: [][2]int{{50, 100}}, marks: []timeline.Mark{"work"},
		},
		"an end before its start gives no width": {
			run: timeline.Run{Start: t0, End: at(10), Now: at(99), Lanes: []timeline.Lane{lane("a", "succeeded", "", span(5, 1)), lane("b", "succeeded", "", span(0, 10))}},
			row: "a", want: [][2]int{{50, 50}}, marks: []timeline.Mark{"work"},
		},
		"what is not recorded to have begun has no bar": {
			run: hostile(), row: "no times",
		},
		"attempts share a row in the order of their starts": {
			run: timeline.Run{Start: t0, End: at(10), Now: at(99), Lanes: []timeline.Lane{
				lane("a", "succeeded", "", kind(timeline.Work, 2, 5, 10), kind(timeline.Contract, 1, 2, 3), kind(timeline.Work, 1, 0, 2), kind(timeline.Backoff, 2, 3, 5)),
			}},
			row: "a", want: [][2]int{{0, 20}, {20, 30}, {30, 50}, {50, 100}}, marks: []timeline.Mark{"work", "contract", "backoff", "work"},
		},
		"a queue that nobody stood in is not drawn": {
			run: timeline.Run{Start: t0, End: at(10), Now: at(99), Lanes: []timeline.Lane{lane("a", "succeeded", "", kind(timeline.Queued, 0, 0, 0), span(0, 10))}},
			row: "a", want: [][2]int{{0, 100}}, marks: []timeline.Mark{"work"},
		},
		"a step to come stands after what ran": {
			run: flaky(), row: "deploy", want: [][2]int{{82, 91}}, marks: []timeline.Mark{timeline.ToCome},
		},
		"a step that waits for one to come stands after it": {
			run: flaky(), row: "smoke", want: [][2]int{{91, 100}}, marks: []timeline.Mark{timeline.ToCome},
		},
		"a skipped step has no place": {
			run: live(), row: "hotfix",
		},
		"a window cuts bars at its ends": {
			run: flaky(), query: timeline.Query{Window: timeline.Window{From: 4000, To: 6000}},
			row: "integration", want: [][2]int{{0, 50}, {50, 53}, {53, 75}, {75, 100}}, marks: []timeline.Mark{"work", "contract", "backoff", "work"},
		},
		"a window leaves out what is before it": {
			run: flaky(), query: timeline.Query{Window: timeline.Window{From: 4000, To: 6000}}, row: "docs",
		},
		"tokens lie end to end in order of start": {
			run: flaky(), query: timeline.Query{Scale: timeline.ByTokens}, row: "integration",
			want: [][2]int{{0, 27}, {27, 53}, {53, 82}}, marks: []timeline.Mark{"work", "work", "work"},
		},
		"tokens that are not recorded are marked": {
			run: flaky(), query: timeline.Query{Scale: timeline.ByTokens}, row: "docs",
			want: [][2]int{{27, 27}}, marks: []timeline.Mark{timeline.Unknown},
		},
		"a lane whose attempts do not know their tokens is one bar": {
			run: overnight(), query: timeline.Query{Scale: timeline.ByTokens}, row: "implement",
			want: [][2]int{{14, 90}}, marks: []timeline.Mark{"work"},
		},
		"a lane spans the tokens of its children": {
			run: nightly("succeeded"), query: timeline.Query{Scale: timeline.ByTokens}, row: "areas",
			want: [][2]int{{0, 80}}, marks: []timeline.Mark{timeline.Sum},
		},
		"tokens that a lane has from its children are laid out once": {
			run: whole(nightly("succeeded"), 6247), query: timeline.Query{Scale: timeline.ByTokens}, row: "areas",
			want: [][2]int{{0, 80}}, marks: []timeline.Mark{timeline.Sum},
		},
		"tokens of which no child tells its part are the lane's": {
			run: timeline.Run{Start: t0, End: at(10), Now: at(99), Lanes: whole(timeline.Run{Lanes: []timeline.Lane{
				{ID: "a", State: "succeeded", Attempts: []timeline.Span{span(0, 10)}, Children: []timeline.Lane{lane("b", "succeeded", "", span(0, 10))}},
			}}, 500).Lanes},
			query: timeline.Query{Scale: timeline.ByTokens}, row: "a", want: [][2]int{{0, 100}}, marks: []timeline.Mark{"work"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := row(t, timeline.Lay(tt.run, tt.query).Rows, tt.row)
			if diff := cmp.Diff(tt.want, places(r)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.marks, marks(r)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestARowSaysOnWhichSideOfTheWindowItLies(t *testing.T) {
	l := timeline.Lay(overnight(), timeline.Query{Window: timeline.Window{From: 60_000, To: 90_000}})
	if r := row(t, l.Rows, "plan"); !r.Before || r.After {
		t.Errorf("plan: before %t, after %t", r.Before, r.After)
	}
	if r := row(t, l.Rows, "review"); r.Before || !r.After {
		t.Errorf("review: before %t, after %t", r.Before, r.After)
	}
}

func TestChildRunsAreCountedAndNested(t *testing.T) {
	areas := row(t, timeline.Lay(nightly("failed"), timeline.Query{}).Rows, "areas")
	if len(areas.Children) != 4 || areas.Ended != 4 || areas.Failed != 1 {
		t.Errorf("%d children, %d ended, %d failed", len(areas.Children), areas.Ended, areas.Failed)
	}
	if diff := cmp.Diff([][2]int{{33, 66}}, places(row(t, areas.Children[2].Children, "scan"))[:1], cmp.Comparer(func(a, b int) bool { return max(a-b, b-a) <= 2 })); diff != "" {
		t.Error(diff)
	}
}

func TestNow(t *testing.T) {
	for name, tt := range map[string]struct {
		run   timeline.Run
		query timeline.Query
		want  int
	}{
		"now ends what ran of a running run":            {timeline.Run{Start: t0, Now: at(9), Lanes: []timeline.Lane{lane("a", "running", "", span(0, -1))}}, timeline.Query{}, timeline.Full},
		"an ended run has no now":                       {flaky(), timeline.Query{}, -1},
		"a window that ends earlier does not show now":  {live(), timeline.Query{Window: timeline.Window{To: 10}}, -1},
		"a window ends now, and then comes what is to":  {live(), timeline.Query{Window: timeline.Window{From: 150_000, To: 250_000}}, 82_000},
		"there is no now among tokens":                  {live(), timeline.Query{Scale: timeline.ByTokens}, -1},
		"a clock that is behind does not run backwards": {timeline.Run{Start: t0, Now: at(-50), Lanes: []timeline.Lane{lane("a", "running", "", span(0, -1))}}, timeline.Query{}, timeline.Full},
	} {
		t.Run(name, func(t *testing.T) {
			if got := timeline.Lay(tt.run, tt.query).Now; got != tt.want {
				t.Errorf("now is at %d, want %d", got, tt.want)
			}
		})
	}
}

func TestCriticalPath(t *testing.T) {
	for name, tt := range map[string]struct {
		lanes []timeline.Lane
		want  []string
	}{
		"the chain that took longest is marked": {
			release().Lanes, []string{"checkout", "unit-tests", "package", "report"},
		},
		"of two as long the first wins": {
			[]timeline.Lane{lane("a", "", "", span(0, 1)), after(lane("b", "", "", span(1, 3)), "a"), after(lane("c", "", "", span(1, 3)), "a")},
			[]string{"a", "b"},
		},
		"the order of names in depends does not matter": {
			[]timeline.Lane{lane("a", "", "", span(0, 1)), lane("b", "", "", span(0, 1)), after(lane("c", "", "", span(1, 3)), "b", "a")},
			[]string{"a", "c"},
		},
		"a lane alone is no chain": {
			[]timeline.Lane{lane("a", "", "", span(0, 9)), lane("b", "", "", span(0, 1))}, nil,
		},
		"a step that was skipped is passed through": {
			[]timeline.Lane{lane("a", "", "", span(0, 1)), after(lane("b", "skipped", ""), "a"), after(lane("c", "", "", span(1, 3)), "b")},
			[]string{"a", "c"},
		},
		"lanes in a cycle are left out": {
			[]timeline.Lane{after(lane("a", "", "", span(0, 50)), "b"), after(lane("b", "", "", span(0, 50)), "a"), lane("c", "", "", span(0, 1)), after(lane("d", "", "", span(1, 2)), "c")},
			[]string{"c", "d"},
		},
		"a lane that depends on itself or on nobody does no harm": {
			[]timeline.Lane{after(lane("a", "", "", span(0, 50)), "a"), after(lane("b", "", "", span(0, 1)), "nobody"), after(lane("c", "", "", span(1, 2)), "b")},
			[]string{"b", "c"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, r := range timeline.Lay(timeline.Run{Start: t0, End: at(60), Now: at(60), Lanes: tt.lanes}, timeline.Query{}).Rows {
				if r.Critical {
					got = append(got, r.ID)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// checkLayout says what must hold of every layout.
func checkLayout(t *testing.T, l timeline.Layout) {
	t.Helper()
	var check func([]timeline.Row)
	check = func(rows []timeline.Row) {
		for _, r := range rows {
			x := 0
			for _, b := range r.Bars {
				if b.X < x || b.Width < 0 || b.X+b.Width > timeline.Full {
					t.Fatalf("%s: a bar from %d, %d wide, after one from %d", r.ID, b.X, b.Width, x)
				}
				x = b.X
			}
			check(r.Children)
		}
	}
	check(l.Rows)
	x := -1
	for _, tick := range l.Ticks {
		if tick.X <= x || tick.X > timeline.Full {
			t.Fatalf("a tick at %d after one at %d", tick.X, x)
		}
		x = tick.X
	}
	for _, b := range l.Breaks {
		if b.X < 0 || b.X+b.Width > timeline.Full || b.To <= b.From {
			t.Fatalf("a break %+v", b)
		}
	}
	if l.Now < -1 || l.Now > timeline.Full || l.All.To <= l.All.From || l.Window.To <= l.Window.From {
		t.Fatalf("now %d, window %v of %v", l.Now, l.Window, l.All)
	}
}

func FuzzLay(f *testing.F) {
	f.Add(uint64(1), int64(0), int64(5000), false)
	f.Add(uint64(2), int64(100), int64(1<<62), true)
	f.Add(uint64(3), int64(-1<<63), int64(1<<63-1), false)
	f.Fuzz(func(t *testing.T, seed uint64, from, to int64, byTokens bool) {
		r := rand.New(rand.NewPCG(seed, 7))
		run := randomRun(r)
		q := timeline.Query{Window: timeline.Window{From: from, To: to}}
		if byTokens {
			q.Scale = timeline.ByTokens
		}
		checkLayout(t, timeline.Lay(run, q))
		checkLayout(t, timeline.Lay(run, timeline.Query{Scale: q.Scale}))
		render(t, view(run, q))
	})
}

func randomRun(r *rand.Rand) timeline.Run {
	moment := func() time.Time {
		switch r.IntN(8) {
		case 0:
			return time.Time{}
		case 1:
			return time.Unix(r.Int64()-r.Int64(), 0)
		case 2:
			return at(r.Float64() * 1e9)
		default:
			return at(float64(r.IntN(40)))
		}
	}
	kinds := []timeline.Kind{timeline.Queued, timeline.Work, timeline.Contract, timeline.Wait, timeline.Backoff, "other"}
	states := []string{"pending", "running", "succeeded", "failed", "skipped", "x", ""}
	ids := []string{"a", "b", "c", "d", "a b", ""}
	var lanes func(depth int) []timeline.Lane
	lanes = func(depth int) []timeline.Lane {
		made := make([]timeline.Lane, r.IntN(5))
		for i := range made {
			l := timeline.Lane{ID: ids[r.IntN(len(ids))], State: states[r.IntN(len(states))], Depends: []string{ids[r.IntN(len(ids))], ids[r.IntN(len(ids))]}}
			for range r.IntN(5) {
				s := timeline.Span{From: moment(), To: moment(), Kind: kinds[r.IntN(len(kinds))], Attempt: r.IntN(4) - 1, Approximate: r.IntN(2) == 0}
				if r.IntN(2) == 0 {
					s.Tokens = new(r.Int64() - r.Int64())
				}
				l.Attempts = append(l.Attempts, s)
			}
			if depth > 0 {
				l.Children = lanes(depth - 1)
			}
			made[i] = l
		}
		return made
	}
	return timeline.Run{Start: moment(), End: moment(), Now: moment(), Lanes: lanes(2)}
}

func TestAnyRunCanBeLaidOut(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, seed))
		q := timeline.Query{Scale: []timeline.Scale{timeline.ByTime, timeline.ByTokens}[seed%2]}
		if seed%3 == 0 {
			q.Window.From = r.Int64N(50_000)
			q.Window.To = q.Window.From + 1 + r.Int64N(50_000)
		}
		checkLayout(t, timeline.Lay(randomRun(r), q))
	}
}

func TestOneRunIsAlwaysLaidOutAlike(t *testing.T) {
	for _, run := range []timeline.Run{release(), flaky(), nightly("failed"), live()} {
		if diff := cmp.Diff(timeline.Lay(run, timeline.Query{}), timeline.Lay(run, timeline.Query{})); diff != "" {
			t.Error(diff)
		}
	}
}

func TestLayingOutChangesNothing(t *testing.T) {
	run := flaky()
	slices.Reverse(run.Lanes[1].Attempts)
	first := run.Lanes[1].Attempts[0]
	timeline.Lay(run, timeline.Query{})
	if diff := cmp.Diff(first, run.Lanes[1].Attempts[0]); diff != "" {
		t.Error(diff)
	}
}

// whole gives the first lane the tokens that its children used.
func whole(r timeline.Run, tokens int64) timeline.Run {
	r.Lanes[0].Tokens, r.Lanes[0].Whole = &tokens, true
	for i := range r.Lanes[0].Children {
		if child := &r.Lanes[0].Children[i]; len(child.Children) > 0 {
			child.Tokens, child.Whole = child.Children[0].Tokens, true
		}
	}
	return r
}
