package handlers

import (
	"fmt"
	"time"

	"wavedeck/store"
	"wavedeck/views"
)

// runawayFlag marks a run that does what it should not go on with.
func runawayFlag(r store.Runaway) views.Flag {
	flag := views.Flag{Symbol: "runaway", Tone: "waiting", Word: "repeating itself", Title: runawayWhy(r)}
	if !r.Loops() {
		flag.Word = "token surge"
	}
	return flag
}

// runawayWhy is the sentence behind the mark.
func runawayWhy(r store.Runaway) string {
	step := shown(r.Step)
	switch n := len(r.Actions); {
	case n == 0:
		return fmt.Sprintf("%s spends %s tokens a minute; the most in %s was %s.", step, views.Number(r.Rate), views.Plural(r.Past, "past run", "past runs"), views.Number(r.Highest))
	case n > 1:
		return fmt.Sprintf("%s does the same %d actions in turn, %d times now.", step, n, r.Times)
	case r.Times < r.Of:
		return fmt.Sprintf("%d of the last %d actions of %s were the same.", r.Times, r.Of, step)
	default:
		return fmt.Sprintf("%s does the same thing for the %dth time in a row.", step, r.Times)
	}
}

// runawayView is the panel of a run's page; the offer to stop it is there when
// that is possible.
func (s *Server) runawayView(id string, r *store.Runaway) *views.OutlookView {
	if r == nil {
		return nil
	}
	view := &views.OutlookView{Step: r.Step, Flag: runawayFlag(*r), Action: s.actionOn(id, store.ActStop)}
	for _, action := range r.Actions {
		view.Evidence = append(view.Evidence, views.Evidence{Signal: "action", Value: shown(action), Note: fmt.Sprintf("%d times in the last %d", r.Times, r.Of)})
	}
	if !r.Loops() {
		view.Evidence = append(view.Evidence, views.Evidence{
			Signal: "tokens", Value: views.Number(r.Rate) + " a minute", Note: fmt.Sprintf("at most %s in %s", views.Number(r.Highest), views.Plural(r.Past, "past run", "past runs")),
		})
	}
	view.Evidence = append(view.Evidence, views.Evidence{Signal: "since", Since: r.Since})
	return view
}

// runawaySummary is the same in the JSON forms.
type runawaySummary struct {
	Kind    string     `json:"kind"` // loop, tokens
	Step    string     `json:"step_id"`
	Why     string     `json:"why"`
	Since   *time.Time `json:"since"`
	Actions []string   `json:"actions,omitempty"`
	Times   int        `json:"times,omitempty"`
	Of      int        `json:"of,omitempty"`
	Rate    int64      `json:"tokens_per_minute,omitempty"`
	Highest int64      `json:"highest_before,omitempty"`
	Past    int        `json:"past_runs"`
}

func runawayOf(r *store.Runaway) *runawaySummary {
	if r == nil {
		return nil
	}
	sum := &runawaySummary{
		Kind: "tokens", Step: r.Step, Why: runawayWhy(*r), Since: momentOf(r.Since), Times: r.Times, Of: r.Of,
		Rate: r.Rate, Highest: r.Highest, Past: r.Past,
	}
	if r.Loops() {
		sum.Kind = "loop"
	}
	for _, action := range r.Actions {
		sum.Actions = append(sum.Actions, shown(action))
	}
	return sum
}
