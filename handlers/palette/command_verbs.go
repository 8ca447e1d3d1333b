package palette

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"wavedeck/handlers/present"
	"wavedeck/handlers/runquery"
	"wavedeck/handlers/runview"
	"wavedeck/store"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// argument is what is at one place of a command.
type argument uint8

const (
	argRun argument = iota
	argPartner
	argStep
	argAttempt
	argPipeline
	argPersona
	argView
	argTime   // of today, of a day, or of an event
	argFilter // the rest, in the filter language
)

// verb is one command. Arguments from needs on may be left out.
type verb struct {
	name, usage, means string
	args               []argument
	needs              int
	input              bool // what stands behind -- is an input
	ofRun              bool // it is about a run; without one about the one that the page shows
	url                func(*Handler, context.Context, *command) (string, error)
}

// verbs lists all commands, in the order in which they are offered.
func verbs() []verb {
	plain := func(at func(views.Paths) string) func(*Handler, context.Context, *command) (string, error) {
		return func(h *Handler, _ context.Context, _ *command) (string, error) { return at(h.Paths), nil }
	}
	tab := func(name string) func(*Handler, context.Context, *command) (string, error) {
		return func(h *Handler, _ context.Context, c *command) (string, error) {
			return h.Paths.RunTab(c.run, name), nil
		}
	}
	ask := func(action string) func(*Handler, context.Context, *command) (string, error) {
		return func(h *Handler, _ context.Context, c *command) (string, error) {
			return h.Paths.RunAction(c.run, action, nil), nil
		}
	}
	bulk := func(do string) func(*Handler, context.Context, *command) (string, error) {
		return func(h *Handler, ctx context.Context, c *command) (string, error) {
			if _, err := h.commandRuns(ctx, c); err != nil {
				return "", err
			}
			q := url.Values{runview.FieldDo: {do}, runview.FieldAll: {"true"}, "q": {c.text[c.restAt():]}}
			return h.Paths.Bulk("") + "?" + q.Encode(), nil
		}
	}
	return []verb{
		{name: "runs", usage: "runs [FILTER]", means: "list runs: runs status:failed since:24h", args: []argument{argFilter}, url: (*Handler).commandRuns},
		{name: "search", usage: "search WORDS", means: "find words in all runs and their events: search timeout status:failed", args: []argument{argFilter}, url: (*Handler).commandSearch},
		{name: "run", usage: "run RUN", means: "open a run", args: []argument{argRun}, needs: 1, url: func(h *Handler, _ context.Context, c *command) (string, error) { return h.Paths.Run(c.run), nil }},
		{name: "logs", usage: "logs [RUN [STEP [ATTEMPT]]]", means: "read a log: logs 7f3a implement 2", args: []argument{argRun, argStep, argAttempt}, ofRun: true, url: (*Handler).commandLogs},
		{name: "timeline", usage: "timeline [RUN]", means: "show the timeline", args: []argument{argRun}, ofRun: true, url: tab("timeline")},
		{name: "graph", usage: "graph [RUN]", means: "show the step graph", args: []argument{argRun}, ofRun: true, url: tab("graph")},
		{name: "artifacts", usage: "artifacts [RUN]", means: "show the artifacts of a run", args: []argument{argRun}, ofRun: true, url: tab("artifacts")},
		{name: "diff", usage: "diff [RUN] [RUN|last-green]", means: "compare two runs: diff 7f3a last-green", args: []argument{argRun, argPartner}, ofRun: true, url: (*Handler).commandDiff},
		{name: "retry", usage: "retry [RUN]", means: "open the retry form", args: []argument{argRun}, ofRun: true, url: ask("retry")},
		{name: "retry-all", usage: "retry-all FILTER", means: "preview a retry of all that match: retry-all status:failed", args: []argument{argFilter}, needs: 1, url: bulk("retry")},
		{name: "resume", usage: "resume [RUN [STEP]]", means: "choose the step to resume from", args: []argument{argRun, argStep}, ofRun: true, url: (*Handler).commandResume},
		{name: "answer", usage: "answer [RUN]", means: "answer the gate that a run waits at", args: []argument{argRun}, ofRun: true, url: func(h *Handler, _ context.Context, c *command) (string, error) {
			return h.Paths.Gates(c.run), nil
		}},
		{name: "cancel", usage: "cancel [RUN]", means: "stop a run, with a confirmation", args: []argument{argRun}, ofRun: true, url: ask("cancel")},
		{name: "cancel-all", usage: "cancel-all FILTER", means: "preview a stop of all that match", args: []argument{argFilter}, needs: 1, url: bulk("cancel")},
		{name: "at", usage: "at TIME|event:N [RUN]", means: "show a page as of a time: at 14:02 (UTC), at 2h, at 2026-11-23T14:02, at event:812", args: []argument{argTime, argRun}, needs: 1, url: (*Handler).commandAt},
		{name: "attention", usage: "attention", means: "show what needs attention", url: plain(views.Paths.Attention)},
		{name: "health", usage: "health", means: "show the health of the console and its data sources", url: plain(views.Paths.Health)},
		{name: "pipelines", usage: "pipelines", means: "list the pipelines", url: plain(views.Paths.Pipelines)},
		{name: "pipeline", usage: "pipeline PIPELINE", means: "open a pipeline", args: []argument{argPipeline}, needs: 1, url: func(h *Handler, _ context.Context, c *command) (string, error) {
			return h.Paths.Pipeline(c.values[0]), nil
		}},
		{name: "start", usage: "start [PIPELINE [-- INPUT]]", means: "open the start form: start fix-issue -- acme/widgets 42", args: []argument{argPipeline}, input: true, url: (*Handler).commandStart},
		{name: "personas", usage: "personas", means: "list the personas", url: plain(views.Paths.Personas)},
		{name: "persona", usage: "persona PERSONA", means: "open a persona", args: []argument{argPersona}, needs: 1, url: func(h *Handler, _ context.Context, c *command) (string, error) {
			return h.Paths.Persona(c.values[0]), nil
		}},
		{name: "view", usage: "view [NAME|NUMBER]", means: "open a saved view: view oncall", args: []argument{argView}, url: (*Handler).commandSaved},
		{name: "audit", usage: "audit", means: "show the audit log", url: plain(func(p views.Paths) string { return p.Audit(nil) })},
		{name: "help", usage: "help", means: "list the commands", url: plain(func(p views.Paths) string { return p.Command(nil) })},
	}
}

func (h *Handler) commandRuns(_ context.Context, c *command) (string, error) {
	filter := c.text[c.restAt():]
	if _, _, err := runview.TermsOf(filter, h.Now()); err != nil {
		if word, ok := errors.AsType[*runquery.Error](err); ok {
			moved := *word
			moved.Text, moved.At, moved.End = c.text, word.At+c.restAt(), word.End+c.restAt()
			return "", &commandError{word: &moved}
		}
		return "", err
	}
	if filter == "" {
		return h.Paths.Runs(nil), nil
	}
	return h.Paths.Runs(url.Values{"q": {filter}}), nil
}

func (h *Handler) commandStart(_ context.Context, c *command) (string, error) {
	q, pipeline := url.Values{}, ""
	if c.input != "" {
		q.Set(runview.FieldInput, c.input)
	}
	if len(c.values) > 0 {
		pipeline = c.values[0]
	}
	return h.Paths.Start(pipeline, q), nil
}

// commandSaved opens a saved view by its name or number.
func (h *Handler) commandSaved(ctx context.Context, c *command) (string, error) {
	if len(c.words) == 0 {
		return h.Paths.View("", ""), nil
	}
	list, err := h.ViewSummaries(ctx)
	if err != nil {
		return "", err
	}
	name := c.words[0].text
	names := make([]string, len(list))
	for i, v := range list {
		if names[i] = v.Name; strings.EqualFold(v.Name, name) || strconv.Itoa(v.Number) == name {
			return v.URL, nil
		}
	}
	if name, err = h.oneOf(c, c.words[0], names, "view"); err != nil {
		return "", err
	}
	return list[slices.Index(names, name)].URL, nil
}

func (h *Handler) commandDiff(_ context.Context, c *command) (string, error) {
	right := runview.LastGreen
	if len(c.values) > 0 {
		right = c.values[0]
	}
	return h.Paths.Compare(c.run, right), nil
}

// commandLogs opens a log, of one step, where an attempt begins.
func (h *Handler) commandLogs(ctx context.Context, c *command) (string, error) {
	q := url.Values{}
	if len(c.values) == 0 {
		return h.Paths.Log(c.run, "", nil), nil
	}
	step, where, err := h.stepNamed(ctx, c, c.words[1])
	if err != nil {
		return "", err
	}
	q.Set("step", step)
	if len(c.values) > 1 {
		w := c.words[2]
		n, err := strconv.Atoi(w.text)
		if err != nil || n < 1 {
			return "", c.fail(w, "is not an attempt", "a number from 1")
		}
		i := slices.IndexFunc(where.Marks, func(m wave.LogMark) bool { return !m.Failed && m.Step == step && m.Attempt == n })
		if i < 0 {
			return "", c.fail(w, "is not an attempt at "+step, "one that was made")
		}
		q.Set("at", strconv.FormatInt(where.Marks[i].ID, 10))
	}
	return h.Paths.Log(c.run, "", q), nil
}

// stepNamed is a step of the run that a command is about, and where its log has it.
func (h *Handler) stepNamed(ctx context.Context, c *command, w commandWord) (string, wave.LogMap, error) {
	where, err := h.Store.LogMap(ctx, c.run)
	if err != nil {
		return "", where, fmt.Errorf("steps of a command: %w", err)
	}
	step, err := h.oneOf(c, w, where.Steps, "step of "+c.run)
	return step, where, err
}

// commandResume opens the form that takes up a run, with the step chosen.
func (h *Handler) commandResume(ctx context.Context, c *command) (string, error) {
	if len(c.values) == 0 {
		return h.Paths.RunAction(c.run, "resume", nil), nil
	}
	step, _, err := h.stepNamed(ctx, c, c.words[1])
	return h.Paths.RunAction(c.run, "resume", url.Values{present.FieldFromStep: {step}}), err
}

// commandAt opens a run, or the list, as of a moment.
func (h *Handler) commandAt(_ context.Context, c *command) (string, error) {
	q := url.Values{"at": {c.values[0]}}
	if c.run == "" {
		return h.Paths.Runs(q), nil
	}
	return h.Paths.Run(c.run) + "?" + q.Encode(), nil
}

// timeWanted is what an argTime should be.
const timeWanted = "a time of day such as 14:02, an age such as 2h, a time such as 2026-11-23T14:02, all in UTC, or event:N"

// momentNamed is a moment as an address has it, for ever: what depends on now is
// made absolute.
func (h *Handler) momentNamed(ctx context.Context, c *command, w commandWord) (string, error) {
	digits, named := strings.CutPrefix(w.text, "event:")
	id, err := strconv.ParseInt(digits, 10, 64)
	var at string
	switch t, known := timeNamed(w.text, h.Now().UTC()); {
	case err == nil && id > 0:
		at = runview.AtQuery(id).Get("at")
		_, err = h.Store.MomentOf(ctx, id)
	case known && !named:
		at = t.UTC().Format(time.RFC3339)
		_, err = h.Store.MomentAt(ctx, t)
	default:
		return "", c.fail(w, "is not a time", timeWanted)
	}
	if errors.Is(err, store.ErrNotFound) {
		return "", c.fail(w, "is before the first event", "a later moment")
	}
	if err != nil {
		return "", fmt.Errorf("moment of a command: %w", err)
	}
	return at, nil
}

// timeNamed reads a moment in the past: a time of day is the last one that was.
func timeNamed(text string, now time.Time) (time.Time, bool) {
	for _, layout := range []string{"15:04", "15:04:05"} {
		if clock, err := time.Parse(layout, text); err == nil {
			t := now.Truncate(24 * time.Hour).Add(clock.Sub(clock.Truncate(24 * time.Hour)))
			if t.After(now) {
				t = t.AddDate(0, 0, -1)
			}
			return t, true
		}
	}
	if age, err := runview.ParseAge(text); err == nil && age > 0 {
		return now.Add(-age), true
	}
	return runview.AbsoluteTime(text)
}

// commandSearch searches for the rest of a command.
func (h *Handler) commandSearch(_ context.Context, c *command) (string, error) {
	text := c.text[c.restAt():]
	_, _, err := runview.TermsOf(text, h.Now())
	if word, ok := errors.AsType[*runquery.Error](err); ok {
		return "", &commandError{word: word.Within(c.text, c.restAt())}
	}
	if err != nil || text == "" {
		return h.Paths.Search(nil), err
	}
	return h.Paths.Search(url.Values{"q": {text}}), nil
}
