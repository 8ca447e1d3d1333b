package actions

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/runner"
	"wavedeck/store/criteria"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// rehearseBulk reports what an action on many runs would touch, what it would
// not, and why. It changes nothing.
func (b *Bulk) rehearseBulk(w http.ResponseWriter, r *http.Request) error {
	if _, err := b.RequireEngine(); err != nil {
		return err
	}
	fields := slices.Concat([]string{runview.FieldDo, fieldRun, runview.FieldAll, fieldForce}, filterFields())
	values := r.URL.Query()
	err := web.CheckFields(values, fields)
	if r.Method == http.MethodPost {
		values, err = web.ReadBody(r, fields...)
	}
	if err != nil {
		return err
	}
	ids, more := distinct(values[fieldRun]), false
	all, err := web.Bool(values, runview.FieldAll)
	if err == nil && all {
		ids, more, err = b.matching(r.Context(), values)
	}
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return &web.Error{Status: http.StatusBadRequest, Text: "no run was selected", Next: "Go back, and check some runs or all that match."}
	}
	view, err := b.bulkView(r, values, ids)
	if err != nil {
		return err
	}
	view.More = more
	w.Header().Set("Cache-Control", "no-store")
	if b.WantsJSON(r) {
		b.WriteJSON(w, r, http.StatusOK, rehearsalOf(view))
		return nil
	}
	b.WriteHTML(w, r, http.StatusOK, views.BulkPage(view))
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
func (b *Bulk) matching(ctx context.Context, values url.Values) (ids []string, more bool, err error) {
	query, err := runview.ParseRunsQuery(values, b.Now())
	if err != nil {
		return nil, false, err
	}
	query.Filter.Limit = criteria.MaxLimit
	for {
		page, err := b.Store.Runs(ctx, query.Filter)
		if err != nil {
			return nil, false, err
		}
		for _, run := range page.Runs {
			if len(ids) == runview.MaxBulk {
				return ids, true, nil
			}
			ids = append(ids, run.ID)
		}
		if page.Older == nil {
			return ids, false, nil
		}
		query.Filter.Older = page.Older
	}
}

// bulkView sorts runs by whether the action touches them.
func (b *Bulk) bulkView(r *http.Request, values url.Values, ids []string) (views.BulkView, error) {
	do := values.Get(runview.FieldDo)
	if do != "cancel" && do != "retry" {
		return views.BulkView{}, &criteria.InputError{Field: runview.FieldDo, Got: present.Clip(do, 64), Want: "cancel or retry"}
	}
	if len(ids) > runview.MaxBulk {
		return views.BulkView{}, &criteria.InputError{Field: fieldRun, Got: fmt.Sprint(len(ids), " runs"), Want: fmt.Sprint("at most ", runview.MaxBulk)}
	}
	force, err := web.Bool(values, fieldForce)
	if err != nil {
		return views.BulkView{}, err
	}
	view := views.BulkView{
		Layout: b.Layout(r, "runs", "Rehearsal", ""), Do: do, Force: force, All: len(ids),
		Action: b.Paths.Bulk(""), Back: b.Paths.Runs(nil),
	}
	found, err := b.Store.RunsByID(r.Context(), ids)
	if err != nil {
		return view, err
	}
	byID := map[string]wave.Run{}
	for _, run := range found {
		byID[run.ID] = run
	}
	asked := b.asked(r.Context())
	for _, id := range ids {
		run, there := byID[id]
		reason, warn := "no such run", ""
		row := views.RunRow{ID: id, State: "unknown"}
		if there {
			reason, warn = asked(run, do, force)
			row = present.Listed(present.RunRow(run))
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

// reasonsShown is how many distinct reasons a rehearsal lists.
const reasonsShown = 20

// alike adds a run to those of which the same is said.
func alike(lists []views.Untouched, why string, row views.RunRow) []views.Untouched {
	why = present.Clip(why, present.TextShown)
	at := slices.IndexFunc(lists, func(l views.Untouched) bool { return l.Why == why })
	if at < 0 && len(lists) >= reasonsShown {
		why = "for other reasons, shown on each run's page"
		at = slices.IndexFunc(lists, func(l views.Untouched) bool { return l.Why == why })
	}
	if at < 0 {
		at, lists = len(lists), append(lists, views.Untouched{Why: why})
	}
	lists[at].Rows = append(lists[at].Rows, row)
	return lists
}

// asked is [Server.untouched], and what would go wrong in a run that is touched.
// It asks the engine once for runs that are alike.
func (b *Bulk) asked(ctx context.Context) func(run wave.Run, do string, force bool) (not, warn string) {
	known := map[[3]string][2]string{}
	return func(run wave.Run, do string, force bool) (not, warn string) {
		if not = b.untouched(run, do, force); not != "" || do == "cancel" {
			return not, ""
		}
		again, err := b.AsStarted(ctx, run)
		if err != nil {
			return web.Describe(err).Text, ""
		}
		same := [3]string{run.Pipeline, run.Input, fmt.Sprint(runview.LaunchParams(again))}
		said, there := known[same]
		if !there {
			said[0], said[1] = b.Refusal(ctx, again)
			known[same] = said
		}
		return said[0], said[1]
	}
}

// warnings are what will go wrong in a run that a program asks for: a person has
// read them in the form.
func (h *Handler) warnings(r *http.Request, asked runner.Request) (list []string) {
	engine, err := h.RequireEngine()
	if err != nil || !h.WantsJSON(r) {
		return nil
	}
	steps, err := engine.Plan(r.Context(), asked)
	if err != nil {
		return nil // the start says it
	}
	for _, step := range steps {
		if step.Warn != "" && len(list) < maxWarnings {
			list = append(list, runview.Warning(step))
		}
	}
	return list
}

// maxWarnings bounds how many steps an answer warns of.
const maxWarnings = 20

// untouched is why an action leaves a run alone; empty when it does not.
func (b *Bulk) untouched(run wave.Run, do string, force bool) string {
	if do == "cancel" {
		switch {
		case !runview.IsOpen(run):
			return "already ended"
		case run.Cancel != nil && run.State.Active() && (!force || run.Cancel.Force):
			return "is already stopping"
		}
		return ""
	}
	p, defined := b.Manifest.Current().Pipeline(run.Pipeline)
	switch {
	case run.State.Active():
		return "has not ended"
	case run.Inner():
		return "is part of another run: retry that one"
	case !defined:
		return "its pipeline is no longer defined"
	case !runview.Startable(p):
		return "its pipeline cannot be started"
	default:
		return ""
	}
}
