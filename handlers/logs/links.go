package logs

import (
	"net/url"
	"slices"

	"wavedeck/store/wave"
	"wavedeck/views"
)

// stepsListed bounds the list of places that a log leads to.
const stepsListed = 500

// logStates are the states that a log's filter offers: any failure, and recorded ones.
func logStates() []string {
	return []string{
		anyFailure, "started", "running", "completed", "failed", "retrying", "stream_activity", "step_progress", "warning",
		"contract_passed", "contract_failed", "gate_waiting", "gate_resolved", "skipped", "reworking", "rejected",
	}
}

// logForm fills in the filter.
func (h *Handler) logForm(log *openedLog) views.LogForm {
	q := log.query
	f := views.LogForm{
		Action: h.Paths.Log(log.run.ID, "", nil), Step: q.values.Get("step"), State: q.values.Get("state"), Text: q.values.Get("q"),
		All: q.all, Narrow: q.filter.Narrow(), Steps: log.where.Steps, Keep: url.Values{}, Plain: q.process,
	}
	if f.Step != "" && !slices.Contains(f.Steps, f.Step) {
		f.Steps = append(slices.Clone(f.Steps), f.Step)
	}
	for _, key := range []string{"times", "wrap", "source"} {
		if values := q.values[key]; len(values) > 0 {
			f.Keep[key] = values
		}
	}
	f.Clear = h.Paths.Log(log.run.ID, "", f.Keep)
	states := logStates()
	for _, state := range q.values["state"] {
		if !slices.Contains(states, state) {
			states = append(states, state)
		}
	}
	for _, state := range states {
		label := state
		if state == anyFailure {
			label = "any failure"
		}
		f.States = append(f.States, views.Option{Label: label, Value: state, On: slices.Contains(q.values["state"], state)})
	}
	return f
}

// logLinks fills in what leads to other places and other looks of a log.
func (h *Handler) logLinks(log *openedLog, v *views.Log) {
	id, q := log.run.ID, log.query
	place := func(label string, line int64) {
		if line > 0 {
			v.Places = append(v.Places, views.Option{Label: label, Href: h.LogLine(id, q.values, line)})
		}
	}
	place("first error", log.where.FirstError())
	if failure := log.where.Failure(); failure != log.where.FirstError() {
		place("the failure", failure)
	}
	v.Places = append(v.Places,
		views.Option{Label: "start", Href: h.Paths.Log(id, "", q.with("at", "1"))},
		views.Option{Label: "end", Href: v.End.Page})
	for _, mark := range log.where.Marks {
		if !mark.Failed && len(v.Steps) < stepsListed {
			label := log.group(wave.Event{ID: mark.ID, StepID: mark.Step})
			v.Steps = append(v.Steps, views.Option{Label: label, Href: h.LogLine(id, q.values, mark.ID)})
		}
	}
	look := func(key, value, label string, on bool) views.Option {
		q := q.with(key, value)
		return views.Option{Label: label, Href: h.Paths.Log(id, "", q), On: on, Value: key}
	}
	v.Clocks = []views.Option{
		look("times", clockNone, "none", q.clock == clockNone),
		look("times", "", "clock", q.clock == clockClock),
		look("times", clockSince, "since start", q.clock == clockSince),
	}
	v.Wraps = []views.Option{look("wrap", "", "wrapped", q.wrap), look("wrap", "off", "in one line", !q.wrap)}
	v.Download = []views.Option{{Label: "all", Href: h.Paths.LogText(id, nil)}}
	if q.filter.Narrow() {
		only := q.with("show", "")
		v.Download = append(v.Download, views.Option{Label: "only hits", Href: h.Paths.LogText(id, only)})
	}
	v.Download = append(v.Download, views.Option{Label: "with colors", Href: h.Paths.LogText(id, url.Values{"color": {"1"}})})
}
