package runview

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"wavedeck/handlers/present"
	"wavedeck/handlers/runquery"
	"wavedeck/handlers/web"
	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

// LastGreen names, in place of an id, the newest run of the same pipeline that
// succeeded and started before.
const LastGreen = "last-green"

// JoinWords puts commas between words.
func JoinWords(words []string) string {
	text := ""
	for i, word := range words {
		if i > 0 {
			text += ", "
		}
		text += word
	}
	return text
}

// RunsQuery is the run list's address, understood.
type RunsQuery struct {
	Filter criteria.RunFilter
	Hold   *criteria.Cursor // show nothing newer than this, and count what is
	terms  runquery.Query   // q, understood
	Values url.Values       // the parameters that every link keeps, as they were given: what narrows, and the limit
}

// ParseRunsQuery reads the parameters of the run list:
//
//	state=failed&state=lost  any of the derived states; status= takes Wave's words
//	pipeline=, tag=          any of several
//	since=, until=           24h, 7d, a date, or RFC 3339
//	q=                       the filter language of runquery
//	parent=                  the children of a run
//	older=, newer=, cursor=  a cursor; limit= up to 100; hold= a cursor
//
// Errors are *store.InputError, and *runquery.Error for q; what was read before
// the latter stands in values. Parameters that mean nothing here are ignored.
func ParseRunsQuery(q url.Values, now time.Time) (RunsQuery, error) {
	query := RunsQuery{Values: url.Values{}}
	f := &query.Filter
	for _, key := range []string{"state", "status", "pipeline", "tag", "since", "until", "q", "parent"} {
		values, err := web.Texts(q, key)
		if err != nil {
			return query, err
		}
		if key == "q" && len(values) > 1 {
			values = []string{strings.Join(values, " ")} // all of them hold
		}
		if len(values) > 0 {
			query.Values[key] = values
		}
	}
	var err error
	if f.States, err = parseStates(query.Values["state"], query.Values["status"]); err != nil {
		return query, err
	}
	f.Pipelines, f.Tags = query.Values["pipeline"], query.Values["tag"]
	f.Parent = query.Values.Get("parent")
	if f.Since, err = parseMoment("since", query.Values.Get("since"), now); err != nil {
		return query, err
	}
	if f.Until, err = parseMoment("until", query.Values.Get("until"), now); err != nil {
		return query, err
	}
	if !f.Since.IsZero() && !f.Until.IsZero() && !f.Since.Before(f.Until) {
		return query, &criteria.InputError{Field: "until", Got: query.Values.Get("until"), Want: "a time after since"}
	}
	if err := query.parsePage(q); err != nil {
		return query, err
	}
	query.terms, f.Predicates, err = TermsOf(query.Values.Get("q"), now)
	return query, err
}

func (query *RunsQuery) parsePage(q url.Values) error {
	f := &query.Filter
	var err error
	if f.Older, err = criteria.ParseCursor(web.FirstOf(q, "older", "cursor")); err != nil {
		return err
	}
	if f.Newer, err = criteria.ParseCursor(q.Get("newer")); err != nil {
		return err
	}
	if f.Older != nil && f.Newer != nil {
		return &criteria.InputError{Field: "newer", Got: present.Clip(q.Get("newer"), 64), Want: "given without older"}
	}
	if query.Hold, err = criteria.ParseCursor(q.Get("hold")); err != nil {
		return err
	}
	if f.Limit, err = criteria.ParseLimit(q.Get("limit")); err != nil {
		return err
	}
	if f.Limit != criteria.DefaultLimit {
		query.Values.Set("limit", strconv.Itoa(f.Limit))
	}
	return nil
}

func parseStates(states, statuses []string) ([]wave.State, error) {
	var wanted []wave.State
	for _, word := range states {
		s := wave.State(word)
		if !slices.Contains(wave.States[:], s) {
			return nil, &criteria.InputError{Field: "state", Got: present.Clip(word, 64), Want: "one of " + joinStates()}
		}
		wanted = append(wanted, s)
	}
	for _, word := range statuses {
		var matching []wave.State
		for _, s := range wave.States {
			if status, _ := present.StatusWord(s); status == word {
				matching = append(matching, s)
			}
		}
		if matching == nil {
			return nil, &criteria.InputError{Field: "status", Got: present.Clip(word, 64), Want: "one of pending, running, completed, failed, cancelled"}
		}
		wanted = append(wanted, matching...)
	}
	return wanted, nil
}

func joinStates() string {
	words := make([]string, len(wave.States))
	for i, s := range wave.States {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}

// maxAgo keeps a relative time within what a calendar holds.
const maxAgo = 100 * 365 * 24 * time.Hour

// parseMoment reads a point in time: an age such as 24h or 7d, a date, or RFC 3339.
func parseMoment(field, text string, now time.Time) (time.Time, error) {
	wrong := &criteria.InputError{Field: field, Got: present.Clip(text, 64), Want: "an age such as 24h or 7d, a date such as 2026-11-23, or a time such as 2026-11-23T14:00:00Z"}
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	ago, err := ParseAge(text)
	if err != nil || ago < 0 || ago > maxAgo {
		return time.Time{}, wrong
	}
	return now.Add(-ago), nil
}

// ParseAge reads an age such as 30m, 2h or 7d.
func ParseAge(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 || n > int(maxAgo/(24*time.Hour)) {
			return 0, strconv.ErrRange
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	return time.ParseDuration(text)
}

// EventID reads an event id from the query; 0 when it is absent.
func EventID(q url.Values, key string) (int64, error) {
	text := q.Get(key)
	if text == "" {
		return 0, nil
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 {
		return 0, &criteria.InputError{Field: key, Got: present.Clip(text, 64), Want: "the id of an event, a number from 1"}
	}
	return id, nil
}
