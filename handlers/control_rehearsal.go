package handlers

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"wavedeck/runner"
	"wavedeck/store/criteria"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// rehearseBulk tells what an action on many runs would touch, what it would
// not, and why. It changes nothing.
func (s *Server) rehearseBulk(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.runs(); err != nil {
		return err
	}
	fields := slices.Concat([]string{fieldDo, fieldRun, fieldAll, fieldForce}, filterFields())
	values := r.URL.Query()
	err := checkFields(values, fields)
	if r.Method == http.MethodPost {
		values, err = readBody(r, fields...)
	}
	if err != nil {
		return err
	}
	ids, more := distinct(values[fieldRun]), false
	all, err := truth(values, fieldAll)
	if err == nil && all {
		ids, more, err = s.matching(r.Context(), values)
	}
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return &httpError{status: http.StatusBadRequest, text: "no run was selected", next: "Go back, and check some runs or all that match."}
	}
	view, err := s.bulkView(r, values, ids)
	if err != nil {
		return err
	}
	view.More = more
	w.Header().Set("Cache-Control", "no-store")
	if s.wantsJSON(r) {
		s.writeJSON(w, r, http.StatusOK, rehearsalOf(view))
		return nil
	}
	s.writeHTML(w, r, http.StatusOK, views.BulkPage(view))
	return nil
}

// rehearsalAnswer is what JSON says of an action on many runs before it begins.
type rehearsalAnswer struct {
	Action string          `json:"action"`
	Runs   []string        `json:"runs"` // that it would touch
	Cannot []rehearsalLeft `json:"cannot"`
	Warned []rehearsalLeft `json:"warnings,omitempty"` // those that it would touch, and what will go wrong then
	More   bool            `json:"more"`               // others match the filter too
}

type rehearsalLeft struct {
	Reason string   `json:"reason"`
	Runs   []string `json:"runs"`
}

func rehearsalOf(v views.BulkView) rehearsalAnswer {
	ids := func(rows []views.RunRow) []string {
		list := make([]string, len(rows))
		for i, row := range rows {
			list[i] = row.ID
		}
		return list
	}
	a := rehearsalAnswer{Action: v.Do, Runs: ids(v.Touched), Cannot: []rehearsalLeft{}, More: v.More}
	for _, not := range v.Not {
		a.Cannot = append(a.Cannot, rehearsalLeft{Reason: not.Why, Runs: ids(not.Rows)})
	}
	for _, warned := range v.Warned {
		a.Warned = append(a.Warned, rehearsalLeft{Reason: warned.Why, Runs: ids(warned.Rows)})
	}
	return a
}

// distinct drops what is empty or there already.
func distinct(list []string) (kept []string) {
	seen := map[string]bool{"": true}
	for _, one := range list {
		if !seen[one] {
			seen[one] = true
			kept = append(kept, one)
		}
	}
	return kept
}

// matching are the newest runs that a filter matches, and whether there are more.
func (s *Server) matching(ctx context.Context, values url.Values) (ids []string, more bool, err error) {
	query, err := parseRunsQuery(values, s.now())
	if err != nil {
		return nil, false, err
	}
	query.filter.Limit = criteria.MaxLimit
	for {
		page, err := s.store.Runs(ctx, query.filter)
		if err != nil {
			return nil, false, err
		}
		for _, run := range page.Runs {
			if len(ids) == maxBulk {
				return ids, true, nil
			}
			ids = append(ids, run.ID)
		}
		if page.Older == nil {
			return ids, false, nil
		}
		query.filter.Older = page.Older
	}
}

// bulkView sorts runs by whether the action touches them.
func (s *Server) bulkView(r *http.Request, values url.Values, ids []string) (views.BulkView, error) {
	do := values.Get(fieldDo)
	if do != "cancel" && do != "retry" {
		return views.BulkView{}, &criteria.InputError{Field: fieldDo, Got: clip(do, 64), Want: "cancel or retry"}
	}
	if len(ids) > maxBulk {
		return views.BulkView{}, &criteria.InputError{Field: fieldRun, Got: fmt.Sprint(len(ids), " runs"), Want: fmt.Sprint("at most ", maxBulk)}
	}
	force, err := truth(values, fieldForce)
	if err != nil {
		return views.BulkView{}, err
	}
	view := views.BulkView{
		Chrome: s.chrome(r, "runs", "Rehearsal", ""), Do: do, Force: force, All: len(ids),
		Action: s.paths.Bulk(""), Back: s.paths.Runs(nil),
	}
	found, err := s.store.RunsByID(r.Context(), ids)
	if err != nil {
		return view, err
	}
	byID := map[string]wave.Run{}
	for _, run := range found {
		byID[run.ID] = run
	}
	asked := s.asked(r.Context())
	for _, id := range ids {
		run, there := byID[id]
		reason, warn := "there is no such run", ""
		row := views.RunRow{ID: id, State: "unknown"}
		if there {
			reason, warn = asked(run, do, force)
			row = listed(runRow(run))
		}
		if reason != "" {
			view.Not = alike(view.Not, reason, row)
			continue
		}
		view.Touched = append(view.Touched, row)
		if warn != "" {
			view.Warned = alike(view.Warned, warn, row)
		}
	}
	return view, nil
}

// alike adds a run to those of which the same is said.
func alike(lists []views.Untouched, why string, row views.RunRow) []views.Untouched {
	at := slices.IndexFunc(lists, func(l views.Untouched) bool { return l.Why == why })
	if at < 0 {
		at, lists = len(lists), append(lists, views.Untouched{Why: why})
	}
	lists[at].Rows = append(lists[at].Rows, row)
	return lists
}

// asked is [Server.untouched], and what would go wrong in a run that is touched.
// It asks the engine once for runs that are alike.
func (s *Server) asked(ctx context.Context) func(run wave.Run, do string, force bool) (not, warn string) {
	known := map[[2]string][2]string{}
	return func(run wave.Run, do string, force bool) (not, warn string) {
		if not = s.untouched(run, do, force); not != "" || do == "cancel" {
			return not, ""
		}
		same := [2]string{run.Pipeline, run.Input}
		said, there := known[same]
		if !there {
			said[0], said[1] = s.refusal(ctx, run)
			known[same] = said
		}
		return said[0], said[1]
	}
}

// refusal is why the engine would not retry a run, and what would go wrong if it
// did. Both are empty when nothing would.
func (s *Server) refusal(ctx context.Context, run wave.Run) (not, warn string) {
	engine, err := s.runs()
	var steps []runner.PlannedStep
	if err == nil {
		steps, err = engine.Plan(ctx, runner.Request{Pipeline: run.Pipeline, Input: run.Input, Tags: run.Tags, Original: run.ID})
	}
	if err != nil {
		return describe(err).text, ""
	}
	for _, step := range steps {
		if step.Warn != "" {
			return "", warning(step)
		}
	}
	return "", ""
}

// warning is what will go wrong in a step, in a sentence.
func warning(step runner.PlannedStep) string {
	return fmt.Sprintf("Step %s %s.", quoted(clip(step.ID, nameShown)), step.Warn)
}

// warnings are what will go wrong in a run that a program asks for: a person has
// read them in the form.
func (s *Server) warnings(r *http.Request, asked runner.Request) (list []string) {
	engine, err := s.runs()
	if err != nil || !s.wantsJSON(r) {
		return nil
	}
	steps, err := engine.Plan(r.Context(), asked)
	if err != nil {
		return nil // the start says it
	}
	for _, step := range steps {
		if step.Warn != "" && len(list) < maxWarnings {
			list = append(list, warning(step))
		}
	}
	return list
}

// maxWarnings bounds how many steps an answer warns of.
const maxWarnings = 20

// untouched is why an action leaves a run alone; empty when it does not.
func (s *Server) untouched(run wave.Run, do string, force bool) string {
	if do == "cancel" {
		switch {
		case !isOpen(run):
			return "has ended already"
		case run.Cancel != nil && run.State.Active() && (!force || run.Cancel.Force):
			return "is stopping already"
		}
		return ""
	}
	p, defined := s.manifest.Current().Pipeline(run.Pipeline)
	switch {
	case run.State.Active():
		return "has not ended"
	case run.Inner():
		return "is part of another run: retry that one"
	case !defined:
		return "its pipeline is not defined any more"
	case !startable(p):
		return "its pipeline cannot be started"
	default:
		return ""
	}
}
