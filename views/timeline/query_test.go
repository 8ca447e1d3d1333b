package timeline_test

import (
	"errors"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wavedeck/views/timeline"
)

func TestQueriesAreRead(t *testing.T) {
	for name, tt := range map[string]struct {
		query string
		want  timeline.Query
	}{
		"nothing is the whole run by time":  {"", timeline.Query{}},
		"time may be said":                  {"scale=time", timeline.Query{}},
		"tokens":                            {"scale=tokens", timeline.Query{Scale: timeline.ByTokens}},
		"a window":                          {"from=500&to=4000", timeline.Query{Window: timeline.Window{From: 500, To: 4000}}},
		"a window among tokens":             {"scale=tokens&from=0&to=9", timeline.Query{Scale: timeline.ByTokens, Window: timeline.Window{To: 9}}},
		"what is somebody else's is let be": {"tab=timeline&after=9", timeline.Query{}},
		"the longest window that there is":  {"from=0&to=10000000000000", timeline.Query{Window: timeline.Window{To: 10_000_000_000_000}}},
	} {
		t.Run(name, func(t *testing.T) {
			values, err := url.ParseQuery(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			got, err := timeline.ParseQuery(values)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			again, err := timeline.ParseQuery(got.Values())
			if err != nil || again != got {
				t.Errorf("written and read again: %+v, %v", again, err)
			}
		})
	}
}

func TestQueriesThatCannotBeUsedAreRefused(t *testing.T) {
	for name, tt := range map[string]struct{ query, field string }{
		"an unknown scale":             {"scale=money", "scale"},
		"a window without an end":      {"from=4", "to"},
		"a window without a start":     {"to=4", "from"},
		"a window that ends before":    {"from=9&to=4", "to"},
		"a window without width":       {"from=4&to=4", "to"},
		"a negative place":             {"from=-1&to=4", "from"},
		"a place that is no number":    {"from=0&to=1e3", "to"},
		"a place that is not a number": {"from=NaN&to=4", "from"},
		"a fraction":                   {"from=0.5&to=4", "from"},
		"more than a place can be":     {"from=0&to=10000000000001", "to"},
		"more than a number can be":    {"from=0&to=99999999999999999999999", "to"},
		"the largest number":           {"from=0&to=9223372036854775807", "to"},
		"markup":                       {"from=<script>&to=4", "from"},
	} {
		t.Run(name, func(t *testing.T) {
			values, err := url.ParseQuery(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			got, err := timeline.ParseQuery(values)
			var bad *timeline.QueryError
			if !errors.As(err, &bad) {
				t.Fatalf("error %v", err)
			}
			if bad.Field != tt.field || bad.Got != values.Get(tt.field) || bad.Want == "" || got != (timeline.Query{}) {
				t.Errorf("%+v, and %+v", bad, got)
			}
		})
	}
}

func FuzzParseQuery(f *testing.F) {
	f.Add("tokens", "0", "1")
	f.Add("", "-5", "99999999999999999999")
	f.Fuzz(func(t *testing.T, scale, from, to string) {
		q, err := timeline.ParseQuery(url.Values{"scale": {scale}, "from": {from}, "to": {to}})
		if err != nil {
			return
		}
		if again, err := timeline.ParseQuery(q.Values()); err != nil || again != q {
			t.Errorf("%+v is read again as %+v, %v", q, again, err)
		}
		checkLayout(t, timeline.Lay(flaky(), q))
	})
}
