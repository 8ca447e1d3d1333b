package runview

import (
	"context"
	"errors"
	"html"
	"maps"
	"net/url"
	"slices"
	"sort"

	"wavedeck/handlers/present"
	"wavedeck/handlers/web"
	"wavedeck/store"
	"wavedeck/store/criteria"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// CompleteURL is where an input asks how it may go on.
func (fs *filters) CompleteURL(kind string) string {
	return fs.Paths.Complete(url.Values{"for": {kind}})
}

// ChipStates are the derived states that the filter bar offers, with what they count.
func ChipStates() []wave.State {
	return []wave.State{
		wave.Running, wave.Waiting, wave.Pending, wave.Failed, wave.Lost, wave.Rejected,
		wave.Cancelled, wave.Succeeded, wave.Empty, wave.Unknown,
	}
}

// timeOptions are the spans that the filter bar offers.
func timeOptions() []views.Option {
	return []views.Option{
		{Value: "1h", Label: "last hour"}, {Value: "24h", Label: "last 24 hours"},
		{Value: "7d", Label: "last 7 days"}, {Value: "30d", Label: "last 30 days"},
	}
}

// Bounds of the choices of a select.
const (
	optionsShown = 200
	optionsSize  = 3 << 10 // bytes of their values
	optionShown  = 80      // bytes of the label of one
)

// FilterView fills the filter bar: the values of its form, and a link per choice.
func (fs *filters) FilterView(ctx context.Context, query RunsQuery) (views.Filter, error) {
	q := query.Values
	f := views.Filter{
		Text: q.Get("q"), Pipeline: q.Get("pipeline"), Tag: q.Get("tag"),
		Since: q.Get("since"), Until: q.Get("until"), Parent: q.Get("parent"),
		Narrow: query.Filter.Narrow() || q.Get("q") != "", Clear: fs.Paths.Runs(nil), Words: FilterWords(q), Complete: fs.CompleteURL("filter"), Hidden: url.Values{}, AsText: present.Bounded(query.terms.AsText()),
	}
	if q.Get("at") != "" {
		f.Clear = fs.Paths.Runs(url.Values{"at": q["at"]})
	}
	for _, key := range []string{"state", "status", "parent", "limit", "at"} { // what the form has no field for
		if len(q[key]) > 0 {
			f.Hidden[key] = q[key]
		}
	}
	facets, known, err := fs.Facets(ctx)
	if err != nil {
		return f, err
	}
	known = known && q.Get("at") == "" // how many there were then is not known
	for _, state := range ChipStates() {
		on := slices.Contains(query.Filter.States, state)
		if known && facets.States[state] == 0 && !on {
			continue
		}
		count := countOf(facets.States[state], known && !restsOn(q, "state", "status"))
		f.States = append(f.States, fs.option(q, "state", string(state), present.StateWord(state), count, on))
	}
	f.Pipelines = fs.options(q, "pipeline", facets.Pipelines, known && !restsOn(q, "pipeline"))
	f.Tags = fs.options(q, "tag", facets.Tags, known && !restsOn(q, "tag"))
	for i, t := range query.terms.Terms {
		rest := without(q, "q", q.Get("q"))
		if text := query.terms.Without(i); text != "" {
			rest = With(q, "q", text)
		}
		f.Terms = append(f.Terms, views.Option{Label: t.String(), On: true, Count: -1, Remove: fs.Paths.Runs(rest)})
	}
	for _, t := range timeOptions() {
		f.Times = append(f.Times, fs.option(q, "since", t.Value, t.Label, -1, q.Get("since") == t.Value))
	}
	return f, nil
}

// Facets are the counts, when they are available: the list does not wait for them
// while a long history is still being read.
func (fs *filters) Facets(ctx context.Context) (counts criteria.Facets, known bool, err error) {
	if !fs.Store.Health().Index.Ready {
		return counts, false, nil
	}
	counts, err = fs.Store.Facets(ctx)
	if errors.Is(err, store.ErrUnavailable) {
		return counts, false, nil
	}
	counts.Tags = maps.Clone(counts.Tags)
	maps.DeleteFunc(counts.Tags, func(tag string, _ int) bool { return present.Redact(tag) != tag }) // a secret is no choice
	return counts, err == nil, err
}

// restsOn reports whether a filter holds besides those of the keys. What is counted
// is all runs: beside a filter it would promise what the list does not show.
func restsOn(q url.Values, keys ...string) bool {
	for _, key := range []string{"q", "state", "status", "pipeline", "tag", "since", "until", "parent"} {
		if q.Get(key) != "" && !slices.Contains(keys, key) {
			return true
		}
	}
	return false
}

// countOf is -1 for a count that is not known.
func countOf(n int, known bool) int {
	if !known {
		return -1
	}
	return n
}

func (fs *filters) option(q url.Values, key, value, label string, count int, on bool) views.Option {
	o := views.Option{Label: label, Value: value, Count: count, On: on}
	if key == "state" {
		o.State = value
	}
	if on {
		o.Remove = fs.Paths.Runs(without(q, key, value))
		return o
	}
	add := web.Clone(q)
	if key == "since" {
		add.Del(key)
	}
	add.Add(key, value)
	o.Href = fs.Paths.Runs(add)
	return o
}

// options lists what the history holds, the most used first. What the address
// names is listed even when no run has it.
func (fs *filters) options(q url.Values, key string, counts map[string]int, known bool) []views.Option {
	var names []string
	for name := range counts {
		if len(name) > views.MaxName && !slices.Contains(q[key], name) { // no address holds such a filter
			continue
		}
		names = append(names, name)
	}
	for _, name := range q[key] {
		if _, ok := counts[name]; !ok {
			names = append(names, name)
		}
	}
	sort.Slice(names, func(i, j int) bool {
		if counts[names[i]] != counts[names[j]] {
			return counts[names[i]] > counts[names[j]]
		}
		return names[i] < names[j]
	})
	var out []views.Option
	size := 0
	for _, name := range names {
		on := slices.Contains(q[key], name)
		if !on && (len(out) == optionsShown || size+len(html.EscapeString(name)) > optionsSize) {
			continue
		}
		size += len(html.EscapeString(name))
		out = append(out, fs.option(q, key, name, present.ClipMarkup(name, optionShown), countOf(counts[name], known), on))
	}
	return out
}

// FilterWords says what restricts the list, for the page that found nothing.
func FilterWords(q url.Values) []string {
	var words []string
	for _, key := range []string{"state", "status", "pipeline", "tag", "since", "until", "parent"} {
		for _, v := range q[key] {
			words = append(words, key+": "+v)
		}
	}
	return append(words, termTexts(q.Get("q"))...)
}
