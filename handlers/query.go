package handlers

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"wavedeck/handlers/runquery"
	"wavedeck/store/criteria"
	"wavedeck/store/wave"
	"wavedeck/views/address"
)

// Bounds of what an address may ask for: characters of a text to search for, of
// a filter and of a name, and how many values one parameter may have.
const (
	maxText   = 200
	maxFilter = 1000
	maxName   = 4096
	maxValues = 50
)

// runsQuery is the run list's address, understood.
type runsQuery struct {
	filter criteria.RunFilter
	hold   *criteria.Cursor // show nothing newer than this, and count what is
	terms  runquery.Query   // q, understood
	values url.Values       // the parameters that every link keeps, as they were given: what narrows, and the limit
}

// parseRunsQuery reads the parameters of the run list:
//
//	state=failed&state=lost  any of the told states; status= takes Wave's words
//	pipeline=, tag=          any of several
//	since=, until=           24h, 7d, a date, or RFC 3339
//	q=                       the filter language of runquery
//	parent=                  the children of a run
//	older=, newer=, cursor=  a cursor; limit= up to 100; hold= a cursor
//
// Errors are *store.InputError, and *runquery.Error for q; what was read before
// the latter stands in values. Parameters that mean nothing here are ignored.
func parseRunsQuery(q url.Values, now time.Time) (runsQuery, error) {
	query := runsQuery{values: url.Values{}}
	f := &query.filter
	for _, key := range []string{"state", "status", "pipeline", "tag", "since", "until", "q", "parent"} {
		values, err := texts(q, key)
		if err != nil {
			return query, err
		}
		if key == "q" && len(values) > 1 {
			values = []string{strings.Join(values, " ")} // all of them hold
		}
		if len(values) > 0 {
			query.values[key] = values
		}
	}
	var err error
	if f.States, err = parseStates(query.values["state"], query.values["status"]); err != nil {
		return query, err
	}
	f.Pipelines, f.Tags = query.values["pipeline"], query.values["tag"]
	f.Parent = query.values.Get("parent")
	if f.Since, err = parseMoment("since", query.values.Get("since"), now); err != nil {
		return query, err
	}
	if f.Until, err = parseMoment("until", query.values.Get("until"), now); err != nil {
		return query, err
	}
	if !f.Since.IsZero() && !f.Until.IsZero() && !f.Since.Before(f.Until) {
		return query, &criteria.InputError{Field: "until", Got: query.values.Get("until"), Want: "a time after since"}
	}
	if err := query.parsePage(q); err != nil {
		return query, err
	}
	query.terms, f.Predicates, err = termsOf(query.values.Get("q"), now)
	return query, err
}

func (query *runsQuery) parsePage(q url.Values) error {
	f := &query.filter
	var err error
	if f.Older, err = criteria.ParseCursor(firstOf(q, "older", "cursor")); err != nil {
		return err
	}
	if f.Newer, err = criteria.ParseCursor(q.Get("newer")); err != nil {
		return err
	}
	if f.Older != nil && f.Newer != nil {
		return &criteria.InputError{Field: "newer", Got: clip(q.Get("newer"), 64), Want: "given without older"}
	}
	if query.hold, err = criteria.ParseCursor(q.Get("hold")); err != nil {
		return err
	}
	if f.Limit, err = criteria.ParseLimit(q.Get("limit")); err != nil {
		return err
	}
	if f.Limit != criteria.DefaultLimit {
		query.values.Set("limit", strconv.Itoa(f.Limit))
	}
	return nil
}

// maxOf is how long a value may be. Names come out of the history itself, and
// there a tag may be of any length: its link has to work.
func maxOf(key string) int {
	switch key {
	case "pipeline", "tag", "parent", "step", "left", "right":
		return maxName
	case "q":
		return maxFilter
	default:
		return maxText
	}
}

// texts are the values of a parameter, empty ones left out: an empty field of a
// form restricts nothing.
func texts(q url.Values, key string) ([]string, error) {
	most := maxOf(key)
	var values []string
	for _, v := range q[key] {
		if !address.IsName(key) {
			v = strings.TrimSpace(v)
		}
		switch {
		case v == "":
			continue
		case !utf8.ValidString(v) || strings.ContainsRune(v, 0):
			return nil, &criteria.InputError{Field: key, Got: strings.ToValidUTF8(clip(v, 64), "?"), Want: "text in UTF-8"}
		case utf8.RuneCountInString(v) > most:
			return nil, &criteria.InputError{Field: key, Got: clip(v, 64), Want: "at most " + strconv.Itoa(most) + " characters"}
		}
		if address.IsName(key) {
			v = address.Decode(v)
		}
		if !slices.Contains(values, v) {
			values = append(values, v)
		}
		if len(values) > maxValues {
			return nil, &criteria.InputError{Field: key, Got: clip(v, 64), Want: "given at most " + strconv.Itoa(maxValues) + " times"}
		}
	}
	return values, nil
}

func parseStates(states, statuses []string) ([]wave.State, error) {
	var told []wave.State
	for _, word := range states {
		s := wave.State(word)
		if !slices.Contains(wave.States[:], s) {
			return nil, &criteria.InputError{Field: "state", Got: clip(word, 64), Want: "one of " + joinStates()}
		}
		told = append(told, s)
	}
	for _, word := range statuses {
		var matching []wave.State
		for _, s := range wave.States {
			if status, _ := statusWord(s); status == word {
				matching = append(matching, s)
			}
		}
		if matching == nil {
			return nil, &criteria.InputError{Field: "status", Got: clip(word, 64), Want: "one of pending, running, completed, failed, cancelled"}
		}
		told = append(told, matching...)
	}
	return told, nil
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
	wrong := &criteria.InputError{Field: field, Got: clip(text, 64), Want: "an age such as 24h or 7d, a date such as 2026-11-23, or a time such as 2026-11-23T14:00:00Z"}
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	ago, err := parseAge(text)
	if err != nil || ago < 0 || ago > maxAgo {
		return time.Time{}, wrong
	}
	return now.Add(-ago), nil
}

func parseAge(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 || n > int(maxAgo/(24*time.Hour)) {
			return 0, strconv.ErrRange
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	return time.ParseDuration(text)
}

func firstOf(q url.Values, keys ...string) string {
	for _, key := range keys {
		if v := q.Get(key); v != "" {
			return v
		}
	}
	return ""
}

// eventID reads an event id from the query; 0 when it is absent.
func eventID(q url.Values, key string) (int64, error) {
	text := q.Get(key)
	if text == "" {
		return 0, nil
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 {
		return 0, &criteria.InputError{Field: key, Got: clip(text, 64), Want: "the id of an event, a number from 1"}
	}
	return id, nil
}

// pathVar is a variable of the path, which is matched as it was sent.
func pathVar(r *http.Request, name string) (string, error) {
	raw := muxVar(r, name)
	value, err := address.ParseSegment(raw)
	if err != nil {
		return "", &criteria.InputError{Field: name, Got: clip(raw, 64), Want: "a name in UTF-8"}
	}
	return value, nil
}
