package handlers

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

	"wavedeck/handlers/runquery"
	"wavedeck/store"
	"wavedeck/views"
)

// A command names a page in a few words. It never does anything itself: what
// changes something leads to the form that asks for it.

// argument is what stands at one place of a command.
type argument uint8

const (
	argRun argument = iota
	argPartner
	argStep
	argAttempt
	argPipeline
	argPersona
	argView
	argFilter // the rest, in the filter language
)

// verb is one command. Arguments from needs on may be left out.
type verb struct {
	name, usage, means string
	args               []argument
	needs              int
	input              bool // what stands behind -- is an input
	ofRun              bool // without a run it is about the one that the page shows
	url                func(*Server, context.Context, *command) (string, error)
}

// verbs lists all commands, in the order in which they are offered.
func verbs() []verb {
	plain := func(at func(views.Paths) string) func(*Server, context.Context, *command) (string, error) {
		return func(s *Server, _ context.Context, _ *command) (string, error) { return at(s.paths), nil }
	}
	tab := func(name string) func(*Server, context.Context, *command) (string, error) {
		return func(s *Server, _ context.Context, c *command) (string, error) {
			return s.paths.RunTab(c.run, name), nil
		}
	}
	return []verb{
		{name: "runs", usage: "runs [FILTER]", means: "list runs: runs status:failed since:24h", args: []argument{argFilter}, url: (*Server).commandRuns},
		{name: "search", usage: "search WORDS", means: "find words in all runs and their events: search timeout status:failed", args: []argument{argFilter}, url: (*Server).commandSearch},
		{name: "run", usage: "run RUN", means: "open a run", args: []argument{argRun}, needs: 1, url: func(s *Server, _ context.Context, c *command) (string, error) { return s.paths.Run(c.run), nil }},
		{name: "logs", usage: "logs [RUN [STEP [ATTEMPT]]]", means: "read a log: logs 7f3a implement 2", args: []argument{argRun, argStep, argAttempt}, ofRun: true, url: (*Server).commandLogs},
		{name: "timeline", usage: "timeline [RUN]", means: "see what took how long", args: []argument{argRun}, ofRun: true, url: tab("timeline")},
		{name: "graph", usage: "graph [RUN]", means: "see how the steps depend on each other", args: []argument{argRun}, ofRun: true, url: tab("graph")},
		{name: "artifacts", usage: "artifacts [RUN]", means: "see what a run put out", args: []argument{argRun}, ofRun: true, url: tab("artifacts")},
		{name: "diff", usage: "diff [RUN] [RUN|last-green]", means: "compare two runs: diff 7f3a last-green", args: []argument{argRun, argPartner}, ofRun: true, url: (*Server).commandDiff},
		{name: "pipelines", usage: "pipelines", means: "list the pipelines", url: plain(views.Paths.Pipelines)},
		{name: "pipeline", usage: "pipeline PIPELINE", means: "open a pipeline", args: []argument{argPipeline}, needs: 1, url: func(s *Server, _ context.Context, c *command) (string, error) {
			return s.paths.Pipeline(c.values[0]), nil
		}},
		{name: "start", usage: "start [PIPELINE [-- INPUT]]", means: "fill in the form that starts one: start fix-issue -- acme/widgets 42", args: []argument{argPipeline}, input: true, url: (*Server).commandStart},
		{name: "personas", usage: "personas", means: "list the personas", url: plain(views.Paths.Personas)},
		{name: "persona", usage: "persona PERSONA", means: "open a persona", args: []argument{argPersona}, needs: 1, url: func(s *Server, _ context.Context, c *command) (string, error) {
			return s.paths.Persona(c.values[0]), nil
		}},
		{name: "view", usage: "view [NAME|NUMBER]", means: "open a saved view: view oncall", args: []argument{argView}, url: (*Server).commandSaved},
		{name: "audit", usage: "audit", means: "see who did what", url: plain(func(p views.Paths) string { return p.Audit(nil) })},
		{name: "help", usage: "help", means: "list the commands", url: plain(func(p views.Paths) string { return p.Command(nil) })},
	}
}

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
	run    string   // the run it is about
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

// missing is the place behind the last word, where one is not there.
func (c *command) missing() commandWord { return commandWord{at: len(c.text), end: len(c.text)} }

// showCommand leads to the page that a command names:
//
//	q=    the command
//	run=  the run that the page shows, for commands without one
func (s *Server) showCommand(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	text, run := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(q.Get("q")), ":")), q.Get("run")
	for field, value := range map[string]string{"q": text, "run": run} {
		if !utf8.ValidString(value) || strings.ContainsRune(value, 0) || utf8.RuneCountInString(value) > maxFilter {
			return &store.InputError{Field: field, Got: strings.ToValidUTF8(clip(value, 64), "?"), Want: "text in UTF-8 of at most " + strconv.Itoa(maxFilter) + " characters"}
		}
	}
	if text == "" || text == "help" {
		s.writeHTML(w, r, http.StatusOK, views.CommandPage(s.commandView(r, text, run, nil)))
		return nil
	}
	to, err := s.resolve(r.Context(), text, run)
	var word *runquery.Error
	switch {
	case err == nil:
		http.Redirect(w, r, to, http.StatusSeeOther) //nolint:gosec // resolve makes it of our own paths only
		return nil
	case errors.As(err, &word) && !s.wantsJSON(r) && !isFragment(r):
		s.writeHTML(w, r, http.StatusBadRequest, views.CommandPage(s.commandView(r, text, run, err)))
		return nil
	default:
		return err
	}
}

func (s *Server) commandView(r *http.Request, text, run string, err error) views.CommandView {
	v := views.CommandView{Chrome: s.chrome(r, "", "Command", ""), Text: text, Run: run, Complete: s.completeURL("command")}
	if run != "" {
		v.Complete = s.paths.Complete(url.Values{"for": {"command"}, "run": {run}})
	}
	for _, verb := range verbs() {
		v.Verbs = append(v.Verbs, views.CommandVerb{Usage: verb.usage, Means: verb.means})
	}
	if word, ok := errors.AsType[*runquery.Error](err); ok {
		v.Wrong = wrongWord(word)
	}
	if wrong, ok := errors.AsType[*commandError](err); ok {
		v.Choices = wrong.choices
	}
	return v
}

// resolve is the page that a command names. Errors about a word of it are
// *runquery.Error.
func (s *Server) resolve(ctx context.Context, text, run string) (string, error) {
	c, err := s.parseCommand(text)
	if err != nil {
		return "", err
	}
	if err := s.readArguments(ctx, c, run); err != nil {
		return "", err
	}
	return c.verb.url(s, ctx, c)
}

func (s *Server) parseCommand(text string) (*command, error) {
	c := &command{text: text, words: wordsOf(text)}
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
	wrong := c.fail(first, "is no command", "one of "+strings.Join(names, ", "))
	if wrong.word.Nearest = runquery.Nearest(first.text, names); wrong.word.Nearest != "" {
		wrong.choices = []views.Option{s.instead(c, first, wrong.word.Nearest, "")}
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
func (s *Server) instead(c *command, w commandWord, word, label string) views.Option {
	text := c.text[:w.at] + word + c.text[w.end:]
	if label == "" {
		label = text
	}
	return views.Option{Label: label, Href: s.paths.Command(url.Values{"q": {text}})}
}

// readArguments checks the words behind a verb. Run is the one that the page
// shows, for commands that name none.
func (s *Server) readArguments(ctx context.Context, c *command, run string) error {
	if slices.Contains(c.verb.args, argFilter) {
		return nil
	}
	if i := slices.IndexFunc(c.words, func(w commandWord) bool { return w.text == "--" }); c.verb.input && i >= 0 {
		c.input = strings.TrimSpace(c.text[c.words[i].end:])
		c.words = c.words[:i]
	}
	if len(c.words) > len(c.verb.args) {
		return c.fail(c.words[len(c.verb.args)], "is one word too many", c.verb.usage)
	}
	if len(c.words) < c.verb.needs {
		return c.fail(c.missing(), "is missing", c.verb.usage)
	}
	if len(c.words) == 0 && c.verb.ofRun {
		if run == "" {
			return c.fail(c.missing(), "is missing", c.verb.usage+"; without a run only where a run is shown")
		}
		c.run = run
	}
	for i, w := range c.words {
		if err := s.readArgument(ctx, c, c.verb.args[i], w); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) readArgument(ctx context.Context, c *command, kind argument, w commandWord) error {
	switch kind {
	case argRun:
		run, err := s.runNamed(ctx, c, w)
		c.run = run
		return err
	case argPartner:
		if strings.ToLower(w.text) == lastGreen {
			c.values = append(c.values, lastGreen)
			return nil
		}
		run, err := s.runNamed(ctx, c, w)
		c.values = append(c.values, run)
		return err
	case argPipeline:
		name, err := s.pipelineNamed(ctx, c, w)
		c.values = append(c.values, name)
		return err
	case argPersona:
		var names []string
		for _, p := range s.manifest.Current().Manifest.Personas {
			names = append(names, p.Name)
		}
		name, err := s.oneOf(c, w, names, "persona")
		c.values = append(c.values, name)
		return err
	default:
		c.values = append(c.values, w.text)
		return nil
	}
}

// runNamed is the run whose id a word is, ends or is in.
func (s *Server) runNamed(ctx context.Context, c *command, w commandWord) (string, error) {
	found, err := s.store.FindRuns(ctx, w.text, completionsShown)
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
	runs, err := s.store.RunsByID(ctx, found.IDs)
	if err != nil {
		return "", fmt.Errorf("runs of a command: %w", err)
	}
	for _, run := range runs {
		o := s.instead(c, w, commandText(run.ID), run.ID)
		o.State, o.Value = string(run.State), runWord(run)
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
func (s *Server) pipelineNamed(ctx context.Context, c *command, w commandWord) (string, error) {
	var names []string
	for _, p := range s.manifest.Current().Pipelines {
		names = append(names, p.Name)
	}
	if slices.Contains(names, w.text) {
		return w.text, nil
	}
	facets, _, err := s.facets(ctx)
	if err != nil {
		return "", err
	}
	for name := range facets.Pipelines {
		names = append(names, name)
	}
	slices.Sort(names)
	return s.oneOf(c, w, slices.Compact(names), "pipeline")
}

// oneOf is the name that a word is, or the only one that it begins.
func (s *Server) oneOf(c *command, w commandWord, names []string, what string) (string, error) {
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
		wrong.choices = append(wrong.choices, s.instead(c, w, commandText(name), ""))
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

func (s *Server) commandRuns(_ context.Context, c *command) (string, error) {
	filter := c.text[c.restAt():]
	if _, _, err := termsOf(filter, s.now()); err != nil {
		if word, ok := errors.AsType[*runquery.Error](err); ok {
			return "", &commandError{word: word.Within(c.text, c.restAt())}
		}
		return "", err
	}
	if filter == "" {
		return s.paths.Runs(nil), nil
	}
	return s.paths.Runs(url.Values{"q": {filter}}), nil
}

func (s *Server) commandStart(_ context.Context, c *command) (string, error) {
	q, pipeline := url.Values{}, ""
	if c.input != "" {
		q.Set(fieldInput, c.input)
	}
	if len(c.values) > 0 {
		pipeline = c.values[0]
	}
	return s.paths.Start(pipeline, q), nil
}

// commandSaved opens a saved view by its name or number.
func (s *Server) commandSaved(ctx context.Context, c *command) (string, error) {
	if len(c.words) == 0 {
		return s.paths.View("", ""), nil
	}
	list, err := s.viewSummaries(ctx)
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
	if name, err = s.oneOf(c, c.words[0], names, "view"); err != nil {
		return "", err
	}
	return list[slices.Index(names, name)].URL, nil
}

func (s *Server) commandDiff(_ context.Context, c *command) (string, error) {
	right := lastGreen
	if len(c.values) > 0 {
		right = c.values[0]
	}
	return s.paths.Compare(c.run, right), nil
}

// commandLogs opens a log, of one step, where an attempt begins.
func (s *Server) commandLogs(ctx context.Context, c *command) (string, error) {
	q := url.Values{}
	if len(c.values) == 0 {
		return s.paths.Log(c.run, "", nil), nil
	}
	where, err := s.store.LogMap(ctx, c.run)
	if err != nil {
		return "", fmt.Errorf("log of a command: %w", err)
	}
	step, err := s.oneOf(c, c.words[1], where.Steps, "step of "+c.run)
	if err != nil {
		return "", err
	}
	q.Set("step", step)
	if len(c.values) > 1 {
		w := c.words[2]
		n, err := strconv.Atoi(w.text)
		if err != nil || n < 1 {
			return "", c.fail(w, "is no attempt", "a number from 1")
		}
		i := slices.IndexFunc(where.Marks, func(m store.LogMark) bool { return !m.Failed && m.Step == step && m.Attempt == n })
		if i < 0 {
			return "", c.fail(w, "is no attempt at "+step, "one that was made")
		}
		q.Set("at", strconv.FormatInt(where.Marks[i].ID, 10))
	}
	return s.paths.Log(c.run, "", q), nil
}
