package palette

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"wavedeck/handlers/present"
	"wavedeck/handlers/runquery"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/store/criteria"
	"wavedeck/views"
)

// completionsShown bounds one answer.
const completionsShown = 12

// completion is one way to go on: the whole text, and where its caret stands.
type completion struct {
	Text  string `json:"text"`
	At    int    `json:"at"` // in UTF-16 code units, as a browser counts
	Label string `json:"label"`
	Hint  string `json:"hint,omitempty"`
	Count *int   `json:"count,omitempty"` // runs that have it
}

type completeResponse struct {
	Items []completion `json:"items"`
}

// complete says how the text of a filter or a command may go on at its caret:
//
//	for=filter|command   what is typed
//	q=, at=              the text and its caret, in UTF-16 code units; without at its end
//	run=                 the run that the page shows, for commands
//	list=                the id of the listbox that asks
func (h *Handler) complete(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	text := q.Get("q")
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) || utf8.RuneCountInString(text) > web.MaxFilter {
		return &criteria.InputError{Field: "q", Got: strings.ToValidUTF8(present.Clip(text, 64), "?"), Want: "text in UTF-8 of at most " + strconv.Itoa(web.MaxFilter) + " characters"}
	}
	at := len(text)
	if given := q.Get("at"); given != "" {
		units, err := strconv.Atoi(given)
		if err != nil || units < 0 {
			return &criteria.InputError{Field: "at", Got: present.Clip(given, 64), Want: "a number from 0"}
		}
		at = byteAt(text, units)
	}
	var items []completion
	var err error
	switch kind := q.Get("for"); kind {
	case "filter":
		items, err = h.completeFilter(r.Context(), text, 0, at)
	case "command":
		items, err = h.completeCommand(r.Context(), text, q.Get("run"), at)
	default:
		return &criteria.InputError{Field: "for", Got: present.Clip(kind, 64), Want: "filter or command"}
	}
	if err != nil {
		return err
	}
	if h.WantsJSON(r) {
		h.WriteJSON(w, r, http.StatusOK, completeResponse{Items: append([]completion{}, items...)})
		return nil
	}
	view := views.CompletionsView{ID: present.Clip(q.Get("list"), 64)}
	for _, item := range items {
		view.Items = append(view.Items, views.Completion{Text: item.Text, At: item.At, Label: item.Label, Hint: item.Hint, Count: item.Count})
	}
	h.WriteHTML(w, r, http.StatusOK, views.Completions(view))
	return nil
}

// byteAt is the place in bytes of a place in UTF-16 code units.
func byteAt(text string, units int) int {
	for i, r := range text {
		if units <= 0 {
			return i
		}
		units -= utf16.RuneLen(r)
	}
	return len(text)
}

func utf16Length(text string) (n int) {
	for _, r := range text {
		n += utf16.RuneLen(r)
	}
	return n
}

// completed puts a replacement into a text. What is complete has a space after it.
func completed(text string, from, to int, replacement string, done bool) completion {
	if done && (to == len(text) || text[to] != ' ' && text[to] != ',') {
		replacement += " "
	}
	before := text[:from] + replacement
	return completion{Text: before + text[to:], At: utf16Length(before)}
}

// choice is one value that may stand at a place.
type choice struct {
	value string // as it is written
	label string
	hint  string
	count *int
	open  bool // something follows: a key whose value is still to come
}

// completeFilter completes the filter that begins at byte start of text.
func (h *Handler) completeFilter(ctx context.Context, text string, start, at int) ([]completion, error) {
	place := runquery.PlaceAt(text[start:], at-start)
	choices, err := h.filterChoices(ctx, place)
	if err != nil {
		return nil, err
	}
	var items []completion
	for _, c := range choices {
		item := completed(text, start+place.From, start+place.To, c.value, !c.open)
		item.Label, item.Hint, item.Count = c.label, c.hint, c.count
		items = append(items, item)
	}
	return items, nil
}

func (h *Handler) filterChoices(ctx context.Context, place runquery.Place) ([]choice, error) {
	switch place.Key {
	case "":
		return keyChoices(place.Typed), nil
	case "status", "pipeline", "tag":
		facets, known, err := h.Facets(ctx)
		if err != nil {
			return nil, err
		}
		return h.countedChoices(place, facets, known), nil
	case "branch", "kind":
		if !h.Store.Health().Index.Ready {
			return nil, nil
		}
		names, err := h.Store.Names(ctx, runview.FieldOf(place.Key), place.Typed, completionsShown)
		if err != nil {
			return nil, err //nolint:wrapcheck // described by the error table
		}
		names = slices.DeleteFunc(names, func(name string) bool { return present.Redact(name) != name }) // a secret is no choice
		return choicesOf(names), nil
	case "parent":
		runs, err := h.runChoices(ctx, place.Typed)
		const none = "none"
		if strings.HasPrefix(none, place.Typed) {
			runs = append([]choice{{value: none, label: none, hint: "started by no other run"}}, runs...)
		}
		return runs, err
	case "since", "until":
		today := h.Now().UTC().Format("2006-01-02")
		return fitting(choicesOf([]string{"1h", "24h", "7d", "30d", today}), place.Typed), nil
	case "dur", "age":
		return fitting(choicesOf([]string{"1m", "10m", "1h", "24h", "7d"}), place.Typed), nil
	case "tokens":
		return fitting(choicesOf([]string{"1k", "10k", "50k", "100k", "1M"}), place.Typed), nil
	default:
		return nil, nil
	}
}

// keyChoices are the keys that begin as what was typed.
func keyChoices(typed string) []choice {
	var choices []choice
	for _, key := range runquery.Keys() {
		op := ":"
		if key.Kind == runquery.Duration || key.Kind == runquery.Count {
			op = ">"
		}
		choices = append(choices, choice{value: key.Name + op, label: key.Name + op, hint: key.Means, open: true})
	}
	return beginning(choices, typed)
}

// countedChoices are values of a key with how many runs have each.
func (h *Handler) countedChoices(place runquery.Place, facets criteria.Facets, known bool) []choice {
	counts := map[string]int{}
	switch place.Key {
	case "status":
		for _, state := range runview.ChipStates() {
			counts[string(state)] = facets.States[state]
		}
	case "pipeline":
		for _, p := range h.Manifest.Current().Pipelines {
			counts[p.Name] = 0
		}
		maps.Copy(counts, facets.Pipelines)
	default:
		counts = facets.Tags
	}
	var choices []choice
	for name, n := range counts {
		if name == "" || len(name) > views.MaxName { // no address holds such a filter
			continue
		}
		c := choice{value: runquery.ValueText(name), label: name}
		if known {
			c.count = &n
		}
		choices = append(choices, c)
	}
	sort.Slice(choices, func(i, j int) bool {
		a, b := choices[i], choices[j]
		if known && *a.count != *b.count {
			return *a.count > *b.count
		}
		return a.label < b.label
	})
	if place.Key == "status" {
		for _, word := range []string{"active", "ended"} {
			choices = append(choices, choice{value: word, label: word, hint: "any state that is " + word})
		}
	}
	return fitting(choices, place.Typed)
}

func choicesOf(values []string) []choice {
	var choices []choice
	for _, v := range values {
		if len(v) > views.MaxName { // no address holds such a filter
			continue
		}
		choices = append(choices, choice{value: runquery.ValueText(v), label: v})
	}
	return choices
}

// fitting are the choices that begin with what was typed, then those that have
// it in them, as many as are shown.
func fitting(choices []choice, typed string) []choice {
	typed = strings.ToLower(typed)
	has := slices.DeleteFunc(slices.Clone(choices), func(c choice) bool {
		label := strings.ToLower(c.label)
		return !strings.Contains(label, typed) || strings.HasPrefix(label, typed)
	})
	all := append(beginning(choices, typed), has...)
	return all[:min(len(all), completionsShown)]
}

func beginning(choices []choice, typed string) []choice {
	typed = strings.ToLower(typed)
	fit := slices.DeleteFunc(slices.Clone(choices), func(c choice) bool { return !strings.HasPrefix(strings.ToLower(c.label), typed) })
	return fit[:min(len(fit), completionsShown)]
}

// runChoices are runs whose id has what was typed in it, the newest first.
func (h *Handler) runChoices(ctx context.Context, typed string) ([]choice, error) {
	if !h.Store.Health().Index.Ready {
		return nil, nil
	}
	found, err := h.Store.FindRuns(ctx, typed, completionsShown)
	if err != nil {
		return nil, err //nolint:wrapcheck // described by the error table
	}
	runs, err := h.Store.RunsByID(ctx, found.IDs)
	if err != nil {
		return nil, err //nolint:wrapcheck // described by the error table
	}
	var choices []choice
	for _, run := range runs {
		if len(run.ID) > views.MaxName {
			continue
		}
		choices = append(choices, choice{value: runquery.ValueText(run.ID), label: run.ID, hint: present.Clip(present.RunWord(run)+" · "+present.FirstLine(present.Opening(run.Input)), 80)})
	}
	return choices, nil
}
