package palette

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"wavedeck/handlers/present"
	"wavedeck/handlers/runquery"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/store/criteria"
	"wavedeck/views"
	"wavedeck/views/address"
)

// A command names a page in a few words. It never does anything itself: what
// changes something leads to the form that asks for it.

// commandWord is one word of a command, and where it stands.
type commandWord struct {
	text    string
	at, end int
}

// command is a text, taken apart.
type command struct {
	text   string
	words  []commandWord // without the verb
	verb   verb
	run    string   // the run it is about; empty: of none
	shown  string   // the run that the page shows
	input  string   // what stands behind --
	values []string // its other arguments
}

// commandError is a wrong word, and commands that may have been meant.
type commandError struct {
	word    *runquery.Error
	choices []views.Option
}

func (e *commandError) Error() string { return e.word.Error() }

func (e *commandError) Unwrap() error { return e.word }

func (c *command) fail(w commandWord, problem, want string) *commandError {
	return &commandError{word: runquery.NewError(c.text, w.at, w.end, problem, want)}
}

// missing is the place behind the last word, where one is missing.
func (c *command) missing() commandWord { return commandWord{at: len(c.text), end: len(c.text)} }

// showCommand leads to the page that a command names:
//
//	q=    the command
//	run=  the run that the page shows, for commands without one
func (h *Handler) showCommand(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	text, run := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(q.Get("q")), ":")), address.Decode(q.Get("run"))
	for field, value := range map[string]string{"q": text, "run": run} {
		if !utf8.ValidString(value) || field == "q" && strings.ContainsRune(value, 0) || utf8.RuneCountInString(value) > web.MaxFilter {
			return &criteria.InputError{Field: field, Got: strings.ToValidUTF8(present.Clip(value, 64), "?"), Want: "text in UTF-8 of at most " + strconv.Itoa(web.MaxFilter) + " characters"}
		}
	}
	if text == "" || text == "help" {
		h.WriteHTML(w, r, http.StatusOK, views.CommandPage(h.commandView(r, text, run, nil)))
		return nil
	}
	to, err := h.resolve(r.Context(), text, run)
	var word *runquery.Error
	switch {
	case err == nil:
		http.Redirect(w, r, to, http.StatusSeeOther) //nolint:gosec // resolve makes it of our own paths only
		return nil
	case errors.As(err, &word) && !h.WantsJSON(r) && !web.IsFragment(r):
		h.WriteHTML(w, r, http.StatusBadRequest, views.CommandPage(h.commandView(r, text, run, err)))
		return nil
	default:
		return err
	}
}

func (h *Handler) commandView(r *http.Request, text, run string, err error) views.CommandView {
	v := views.CommandView{Layout: h.Layout(r, "", "Command", ""), Text: text, Complete: h.CompleteURL("command")}
	v.Run = run
	if run != "" {
		v.Complete = h.Paths.Complete(url.Values{"for": {"command"}, "run": {run}})
	}
	for _, verb := range verbs() {
		v.Verbs = append(v.Verbs, views.CommandVerb{Usage: verb.usage, Means: verb.means})
	}
	if word, ok := errors.AsType[*runquery.Error](err); ok {
		v.Wrong = runview.WrongWord(word)
	}
	if wrong, ok := errors.AsType[*commandError](err); ok {
		v.Choices = wrong.choices
	}
	return v
}

// resolve is the page that a command names. Errors about a word of it are
// *runquery.Error.
func (h *Handler) resolve(ctx context.Context, text, run string) (string, error) {
	c, err := h.parseCommand(text, run)
	if err != nil {
		return "", err
	}
	if err := h.readArguments(ctx, c); err != nil {
		return "", err
	}
	return c.verb.url(h, ctx, c)
}

// parseCommand finds the verb of a command. Shown is the run that the page shows,
// for commands that name none.
func (h *Handler) parseCommand(text, shown string) (*command, error) {
	c := &command{text: text, words: wordsOf(text), run: shown, shown: shown}
	if len(c.words) == 0 {
		return nil, c.fail(c.missing(), "is missing", "a command")
	}
	first := c.words[0]
	c.words = c.words[1:]
	names := make([]string, 0, len(verbs()))
	for _, v := range verbs() {
		names = append(names, v.name)
		if v.name == strings.ToLower(first.text) {
			c.verb = v
			return c, nil
		}
	}
	wrong := c.fail(first, "is not a command", "one of "+strings.Join(names, ", "))
	if wrong.word.Nearest = runquery.Nearest(first.text, names); wrong.word.Nearest != "" {
		wrong.choices = []views.Option{h.instead(c, first, wrong.word.Nearest, "")}
	}
	return nil, wrong
}

// wordsOf are the words of a command; what stands in quotes is one.
func wordsOf(text string) []commandWord {
	var words []commandWord
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if unicode.IsSpace(r) {
			i += size
			continue
		}
		start := i
		if r == '"' {
			if n := strings.IndexByte(text[i+1:], '"'); n >= 0 {
				i += n + 2
				words = append(words, commandWord{text[start+1 : i-1], start, i})
				continue
			}
		}
		if n := strings.IndexFunc(text[i:], unicode.IsSpace); n >= 0 {
			i += n
		} else {
			i = len(text)
		}
		words = append(words, commandWord{text[start:i], start, i})
	}
	return words
}

// instead is the command with one word changed, as a link.
func (h *Handler) instead(c *command, w commandWord, word, label string) views.Option {
	text := c.text[:w.at] + word + c.text[w.end:]
	if label == "" {
		label = text
	}
	q := url.Values{"q": {text}}
	if c.shown != "" {
		q.Set("run", c.shown)
	}
	return views.Option{Label: label, Href: h.Paths.Command(q)}
}

// readArguments checks the words behind a verb.
func (h *Handler) readArguments(ctx context.Context, c *command) error {
	if slices.Contains(c.verb.args, argFilter) {
		return nil
	}
	if i := slices.IndexFunc(c.words, func(w commandWord) bool { return w.text == "--" }); c.verb.input && i >= 0 {
		c.input = strings.TrimSpace(c.text[c.words[i].end:])
		c.words = c.words[:i]
	}
	if len(c.words) > len(c.verb.args) {
		return c.fail(c.words[len(c.verb.args)], "is an unexpected word", c.verb.usage)
	}
	if len(c.words) < c.verb.needs {
		return c.fail(c.missing(), "is missing", c.verb.usage)
	}
	if len(c.words) == 0 && c.verb.ofRun && c.run == "" {
		return c.fail(c.missing(), "is missing", c.verb.usage+"; without a run only where a run is shown")
	}
	for i, w := range c.words {
		if err := h.readArgument(ctx, c, c.verb.args[i], w); err != nil {
			return err
		}
	}
	return nil
}

func (h *Handler) readArgument(ctx context.Context, c *command, kind argument, w commandWord) error {
	switch kind {
	case argRun:
		run, err := h.runNamed(ctx, c, w)
		c.run = run
		return err
	case argPartner:
		if strings.ToLower(w.text) == runview.LastGreen {
			c.values = append(c.values, runview.LastGreen)
			return nil
		}
		run, err := h.runNamed(ctx, c, w)
		c.values = append(c.values, run)
		return err
	case argTime:
		at, err := h.momentNamed(ctx, c, w)
		c.values = append(c.values, at)
		return err
	case argPipeline:
		name, err := h.pipelineNamed(ctx, c, w)
		c.values = append(c.values, name)
		return err
	case argPersona:
		var names []string
		for _, p := range h.Manifest.Current().Manifest.Personas {
			names = append(names, p.Name)
		}
		name, err := h.oneOf(c, w, names, "persona")
		c.values = append(c.values, name)
		return err
	default:
		c.values = append(c.values, w.text)
		return nil
	}
}

// runNamed is the run whose id a word is, ends or is in.
func (h *Handler) runNamed(ctx context.Context, c *command, w commandWord) (string, error) {
	found, err := h.Store.FindRuns(ctx, w.text, completionsShown)
	if err != nil {
		return "", fmt.Errorf("run of a command: %w", err)
	}
	if found.Sure {
		return found.IDs[0], nil
	}
	if len(found.IDs) == 0 {
		return "", c.fail(w, "names no run", "an id, the end of one or a part of one")
	}
	wrong := c.fail(w, "names more than one run", "more of the id")
	runs, err := h.Store.RunsByID(ctx, found.IDs)
	if err != nil {
		return "", fmt.Errorf("runs of a command: %w", err)
	}
	for _, run := range runs {
		o := h.instead(c, w, commandText(run.ID), run.ID)
		o.State, o.Value = string(run.State), present.RunWord(run)
		wrong.choices = append(wrong.choices, o)
	}
	return "", wrong
}

// commandText is a name as a word of a command.
func commandText(name string) string {
	if name == "" || strings.ContainsFunc(name, unicode.IsSpace) {
		return `"` + name + `"`
	}
	return name
}

// pipelineNamed is a pipeline that is defined or has run.
func (h *Handler) pipelineNamed(ctx context.Context, c *command, w commandWord) (string, error) {
	var names []string
	for _, p := range h.Manifest.Current().Pipelines {
		names = append(names, p.Name)
	}
	if slices.Contains(names, w.text) {
		return w.text, nil
	}
	facets, _, err := h.Facets(ctx)
	if err != nil {
		return "", err
	}
	for name := range facets.Pipelines {
		names = append(names, name)
	}
	slices.Sort(names)
	return h.oneOf(c, w, slices.Compact(names), "pipeline")
}

// oneOf is the name that a word is, or the only one that it begins.
func (h *Handler) oneOf(c *command, w commandWord, names []string, what string) (string, error) {
	if slices.Contains(names, w.text) {
		return w.text, nil
	}
	var begin []string
	for _, name := range names {
		if strings.HasPrefix(strings.ToLower(name), strings.ToLower(w.text)) {
			begin = append(begin, name)
		}
	}
	if len(begin) == 1 {
		return begin[0], nil
	}
	wrong := c.fail(w, "is no "+what, "the name of a "+what)
	if len(begin) > 1 {
		wrong.word.Problem = "begins the name of more than one " + what
	} else if wrong.word.Nearest = runquery.Nearest(w.text, names); wrong.word.Nearest != "" {
		begin = []string{wrong.word.Nearest}
	}
	for _, name := range begin[:min(len(begin), completionsShown)] {
		wrong.choices = append(wrong.choices, h.instead(c, w, commandText(name), ""))
	}
	return "", wrong
}

// restAt is where the rest of a command begins, behind its verb.
func (c *command) restAt() int {
	if len(c.words) > 0 {
		return c.words[0].at
	}
	return len(c.text)
}
