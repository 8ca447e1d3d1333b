package timeline

import (
	"fmt"
	"net/url"
	"strconv"
)

// Scale says what widths stand for.
type Scale string

// The scales.
const (
	ByTime   Scale = "time"
	ByTokens Scale = "tokens"
)

// limit is the largest place on an axis: 317 years in milliseconds, more than a
// time.Duration holds. Sums of places stay far from overflowing.
const limit = int64(10_000_000_000_000)

// Query is what an address may ask of a timeline. The zero value is the whole
// run by time.
type Query struct {
	Scale  Scale
	Window Window
}

// Window is the part of the axis that is shown: milliseconds since the run's
// start, or tokens. The zero value is all of it.
type Window struct{ From, To int64 }

func (w Window) whole() bool { return w.From < 0 || w.To <= w.From || w.To > limit }

// QueryError says which field of an address cannot be used.
type QueryError struct {
	Field, Got, Want string
}

func (e *QueryError) Error() string {
	return fmt.Sprintf("%s is %.40q, want %s", e.Field, e.Got, e.Want)
}

// ParseQuery reads scale, from and to. Its error is a *QueryError; the Query is
// then the zero one, which is fit to be shown.
func ParseQuery(values url.Values) (Query, error) {
	var q Query
	switch scale := values.Get("scale"); Scale(scale) {
	case "", ByTime:
	case ByTokens:
		q.Scale = ByTokens
	default:
		return Query{}, &QueryError{"scale", scale, "time or tokens"}
	}
	from, to := values.Get("from"), values.Get("to")
	if from == "" && to == "" {
		return q, nil
	}
	var err error
	if q.Window.From, err = place("from", from); err != nil {
		return Query{}, err
	}
	if q.Window.To, err = place("to", to); err != nil {
		return Query{}, err
	}
	if q.Window.To <= q.Window.From {
		return Query{}, &QueryError{"to", to, "a number above from, which is " + from}
	}
	return q, nil
}

func place(field, text string) (int64, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || int64(n) > limit {
		return 0, &QueryError{field, text, "a whole number from 0 to " + strconv.FormatInt(limit, 10)}
	}
	return int64(n), nil
}

// Values is q as ParseQuery reads it; what is not said there is not said here.
func (q Query) Values() url.Values {
	v := url.Values{}
	if q.Scale == ByTokens {
		v.Set("scale", string(ByTokens))
	}
	if !q.Window.whole() {
		v.Set("from", strconv.FormatInt(q.Window.From, 10))
		v.Set("to", strconv.FormatInt(q.Window.To, 10))
	}
	return v
}

// The moves below give the window to link to, and whether there is one.

// zoomIn is the middle half.
func (w Window) zoomIn() (Window, bool) {
	quarter := (w.To - w.From) / 4
	return Window{w.From + quarter, w.To - quarter}, quarter > 0
}

// zoomOut is twice as wide, or the whole when that is not wider.
func (w Window) zoomOut(all Window) Window {
	half := max((w.To-w.From)/2, 1)
	wider := Window{max(w.From-half, all.From), min(w.To+half, all.To)}
	if wider == all || wider.whole() {
		return Window{}
	}
	return wider
}

// earlier and later move by half a window, and stop at the ends of all.
func (w Window) earlier(all Window) (Window, bool) {
	by := min(max((w.To-w.From)/2, 1), w.From-all.From)
	return Window{w.From - by, w.To - by}, by > 0
}

func (w Window) later(all Window) (Window, bool) {
	by := min(max((w.To-w.From)/2, 1), all.To-w.To)
	return Window{w.From + by, w.To + by}, by > 0
}

// around is w with a tenth of its width on either side, within all.
func (w Window) around(all Window) Window {
	margin := max((w.To-w.From)/10, 1)
	return Window{max(w.From-margin, all.From), min(w.To+margin, all.To)}
}
