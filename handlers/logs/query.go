package logs

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"wavedeck/handlers/present"
	"wavedeck/handlers/web"
	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

// anyFailure is the choice of a log's filter that stands for every state that
// is a failure.
const anyFailure = "error"

// Ways in which a log shows times.
const (
	clockNone  = "none"
	clockClock = "clock"
	clockSince = "since"
)

// logQuery is the address of a log, understood.
type logQuery struct {
	filter   criteria.LogFilter
	all      bool // hits are marked among all lines, not listed alone
	from, to int64
	at       int64 // open here without a mark
	end      bool
	after    int64
	before   int64
	clock    string
	wrap     bool
	process  bool
	values   url.Values // what links keep: all but the place
}

// parseLogQuery reads the parameters of a log:
//
//	step=, state=, q=       what is searched for; state=error is any failure
//	show=all                mark hits among all lines
//	L=18, L=18-24           lines to mark; the log opens there
//	at=18                   the log opens there; at=end at its end
//	before=, after=         a window
//	times=none|clock|since  wrap=off  source=process
//
// Errors are *store.InputError.
func parseLogQuery(run string, q url.Values) (logQuery, error) {
	query := logQuery{values: url.Values{}, clock: clockClock, wrap: true}
	for _, key := range []string{"step", "state", "q", "show", "times", "wrap", "source"} {
		values, err := web.Texts(q, key)
		if err != nil {
			return query, err
		}
		if len(values) > 0 {
			query.values[key] = values
		}
	}
	v := query.values
	query.filter = criteria.LogFilter{Run: run, Step: v.Get("step"), Text: v.Get("q"), Shown: func(message string) string {
		return present.PlainText(present.Terminal(message))
	}}
	for _, state := range v["state"] {
		if state == anyFailure {
			query.filter.States = append(query.filter.States, wave.FailingStates()...)
		} else {
			query.filter.States = append(query.filter.States, state)
		}
	}
	for _, choice := range []struct {
		key  string
		from []string
	}{{"show", []string{"all"}}, {"times", []string{clockNone, clockClock, clockSince}}, {"wrap", []string{"off"}}, {"source", []string{"process"}}} {
		if value := v.Get(choice.key); value != "" && !slices.Contains(choice.from, value) {
			return query, &criteria.InputError{Field: choice.key, Got: present.Clip(value, 64), Want: strings.Join(choice.from, " or ")}
		}
	}
	query.wrap, query.process = v.Get("wrap") == "", v.Get("source") != ""
	query.all = v.Get("show") == "all" || query.process
	if query.process { // lines of a file have a text only
		query.filter.Step, query.filter.States = "", nil
	}
	if v.Get("times") != "" {
		query.clock = v.Get("times")
	}
	return query, query.parsePlace(q)
}

func (query *logQuery) parsePlace(q url.Values) error {
	var err error
	if at := q.Get("at"); at == "end" {
		query.end = true
	} else if query.at, err = lineNumber("at", at); err != nil {
		return err
	}
	if query.after, err = lineNumber("after", q.Get("after")); err != nil {
		return err
	}
	if query.before, err = lineNumber("before", q.Get("before")); err != nil {
		return err
	}
	from, to, isRange := strings.Cut(q.Get("L"), "-")
	if query.from, err = lineNumber("L", from); err != nil {
		return err
	}
	query.to = query.from
	if isRange {
		if query.to, err = lineNumber("L", to); err != nil {
			return err
		}
	}
	if query.to < query.from {
		query.from, query.to = query.to, query.from
	}
	return nil
}

// lineNumber reads the number of a line; 0 when it is absent.
func lineNumber(field, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	no, err := strconv.ParseInt(text, 10, 64)
	if err != nil || no < 0 {
		return 0, &criteria.InputError{Field: field, Got: present.Clip(text, 64), Want: "the number of a line"}
	}
	return no, nil
}

// with are the parameters that links keep with one changed; an empty value drops it.
func (query *logQuery) with(key, value string) url.Values {
	v := url.Values{}
	maps.Copy(v, query.values)
	if value == "" {
		delete(v, key)
	} else {
		v.Set(key, value)
	}
	return v
}

// marks reports whether a line is in the range that the address names.
func (query *logQuery) marks(no int64) bool {
	return query.from > 0 && no >= query.from && no <= query.to
}

// onlyHits reports whether lines are left out.
func (query *logQuery) onlyHits() bool { return query.filter.Narrow() && !query.all }

// jumpToLine turns the form that asks for a line into the line's own address.
func (h *Handler) jumpToLine(w http.ResponseWriter, r *http.Request, run string, query logQuery) (bool, error) {
	text := strings.TrimSpace(r.URL.Query().Get("line"))
	if text == "" {
		return false, nil
	}
	line, err := lineNumber("line", text)
	if err != nil {
		return false, err
	}
	if query.onlyHits() {
		query.values.Set("show", "all")
	}
	http.Redirect(w, r, h.LogLine(run, query.values, line), http.StatusSeeOther) //nolint:gosec // an address of this server, whose parts are escaped
	return true, nil
}
