package timeline_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wavedeck/views/timeline"
)

func TestIdleTimeIsFolded(t *testing.T) {
	run := func(spans ...timeline.Span) timeline.Run {
		r := timeline.Run{Start: t0, Now: at(1e6)}
		for i, s := range spans {
			if s.To.After(r.End) {
				r.End = s.To
			}
			r.Lanes = append(r.Lanes, lane(strconv.Itoa(i), "succeeded", "", s))
		}
		return r
	}
	for name, tt := range map[string]struct {
		run   timeline.Run
		query timeline.Query
		want  []string
	}{
		"a night between failure and resume":         {overnight(), timeline.Query{}, []string{"⋯ 8h 12m"}},
		"a gap of a fifth stays":                     {run(span(0, 4), span(6, 10)), timeline.Query{}, nil},
		"a gap of more than a fifth is folded":       {run(span(0, 4), span(6.1, 10)), timeline.Query{}, []string{"⋯ 2.1s"}},
		"folding one makes another one long":         {run(span(0, 1), span(3, 8), span(1000, 1001)), timeline.Query{}, []string{"⋯ 2.0s", "⋯ 16m 32s"}},
		"a lane that works beside fills the gap":     {run(span(0, 4), span(8, 10), span(3, 9)), timeline.Query{}, nil},
		"waiting for a human is not idle":            {run(span(0, 4), kind(timeline.Wait, 0, 4, 90), span(90, 92)), timeline.Query{}, nil},
		"standing in a queue is not idle":            {run(span(0, 4), kind(timeline.Queued, 0, 4, 90), span(90, 92)), timeline.Query{}, nil},
		"a time in whole seconds fills its second":   {run(coarse(0, 0), coarse(1, 1), coarse(2, 2)), timeline.Query{}, nil},
		"moments an hour apart":                      {run(span(0, 0), span(3600, 3600)), timeline.Query{}, []string{"⋯ 59m 59s"}},
		"a window in which nothing happens":          {overnight(), timeline.Query{Window: timeline.Window{From: 200_000, To: 900_000}}, nil},
		"a gap that fills most of a window":          {overnight(), timeline.Query{Window: timeline.Window{From: 85_000, To: 900_000}}, []string{"⋯ 13m 25s"}},
		"among tokens there is no time to be folded": {overnight(), timeline.Query{Scale: timeline.ByTokens}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, b := range timeline.Lay(tt.run, tt.query).Breaks {
				got = append(got, b.Label)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBarsKeepTheirProportionsOnBothSidesOfAFold(t *testing.T) {
	l := timeline.Lay(overnight(), timeline.Query{})
	widths := func(id string, bar int) int { return row(t, l.Rows, id).Bars[bar].Width }
	perSecond := func(width, seconds int) int { return width / seconds }
	want := perSecond(widths("plan", 0), 42)
	for _, got := range []int{perSecond(widths("implement", 0), 53), perSecond(widths("implement", 1), 317), perSecond(widths("review", 0), 80)} {
		if max(got-want, want-got) > 1 {
			t.Errorf("a second is %d wide, and %d elsewhere", got, want)
		}
	}
	if b := l.Breaks[0]; b.Width != 5000 {
		t.Errorf("the fold is %d wide", b.Width)
	}
	implement := row(t, l.Rows, "implement").Bars
	if b := l.Breaks[0]; implement[0].X+implement[0].Width != b.X || implement[1].X != b.X+b.Width {
		t.Errorf("the fold %+v does not lie between %+v", b, implement)
	}
}

func TestTicks(t *testing.T) {
	of := func(seconds float64) timeline.Run {
		return timeline.Run{Start: t0, End: at(seconds), Now: at(1e9), Lanes: []timeline.Lane{lane("a", "succeeded", "", span(0, seconds))}}
	}
	for name, tt := range map[string]struct {
		run  timeline.Run
		want string
	}{
		"less than a second is told in milliseconds": {of(.85), "0s|200 ms|400 ms|600 ms|800 ms"},
		"a few milliseconds":                         {of(.004), "0s|1 ms|2 ms|3 ms|4 ms"},
		"a few seconds":                              {of(3.2), "0s|500 ms|1s|1.5s|2s|2.5s|3s"},
		"whole seconds are not split":                {release(), "0s|1s|2s|3s"},
		"a minute and a half":                        {of(95), "0s|15s|30s|45s|1m|1m 15s|1m 30s"},
		"hours":                                      {of(4.2 * 3600), "0s|1h|2h|3h|4h"},
		"a week":                                     {of(7.5 * 86400), "0s|1d|2d|3d|4d|5d|6d|7d"},
		"ticks go on after a fold":                   {overnight(), "0s||8h 16m|8h 18m|8h 20m"},
		"now has its own label":                      {live(), "0s|1m|2m|"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, tick := range timeline.Lay(tt.run, timeline.Query{}).Ticks {
				got = append(got, tick.Label)
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, "|")); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("any length has four to eight", func(t *testing.T) {
		for ms := 4.0; ms < 1e12; ms *= 1.13 {
			if n := len(timeline.Lay(of(ms/1000), timeline.Query{}).Ticks); n < 4 || n > 8 {
				t.Errorf("%.0f ms has %d ticks", ms, n)
			}
		}
	})
	t.Run("labels of a narrow screen lie far apart", func(t *testing.T) {
		for ms := 4.0; ms < 1e12; ms *= 1.7 {
			last := -timeline.Full
			for _, tick := range timeline.Lay(of(ms/1000), timeline.Query{}).Ticks {
				if tick.Label != "" && !tick.Roomy {
					if tick.X-last < timeline.Full*2/5 {
						t.Errorf("%.0f ms has labels %d apart", ms, tick.X-last)
					}
					last = tick.X
				}
			}
		}
	})
}
