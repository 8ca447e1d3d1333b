package attention

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"wavedeck/handlers/audit"
	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/store"
	"wavedeck/store/appdb"
	"wavedeck/store/criteria"
	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// actionSeen is the action's name in the audit log.
const actionSeen = "mark as seen"

// seenKept is how long the marks are believed: another server may set some.
const seenKept = 2 * time.Second

// seenMarks caches the acknowledgement marks briefly, for every page
// counts what was not.
type seenMarks struct {
	mu   sync.Mutex
	read time.Time
	seen appdb.Seen
	err  error
}

func (h *Handler) seen(ctx context.Context) (appdb.Seen, error) {
	m := &h.marks
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.read.IsZero() || time.Since(m.read) > seenKept {
		m.seen, m.err = h.Data.Seen(ctx)
		m.read = time.Now()
	}
	return m.seen, m.err
}

func (h *Handler) forgetSeen() {
	h.marks.mu.Lock()
	defer h.marks.mu.Unlock()
	h.marks.read = time.Time{}
	h.Shared.Acted.Add(1) // what was rendered counts what is seen now
}

// Attention is what needs a human and is not acknowledged, the most urgent first.
// Without the console's data nothing is acknowledged.
func (h *Handler) Attention(ctx context.Context) ([]diagnose.Attention, error) {
	all, err := h.Store.Attention(ctx)
	if err != nil {
		return nil, err
	}
	seen, _ := h.seen(ctx)
	from := seen.All
	if from.IsZero() {
		from = h.Now().Add(-store.AttentionFor)
	}
	list := make([]diagnose.Attention, 0, len(all))
	for _, a := range all {
		if a.Urgency == diagnose.UrgentFailed && isSeen(a, from, seen.Runs) {
			continue
		}
		list = append(list, a)
	}
	return list, nil
}

// isSeen reports whether a failure was acknowledged. When it was is compared with when the
// run failed; a run of which that is unknown is acknowledged once it has a mark.
func isSeen(a diagnose.Attention, all time.Time, marks map[string]time.Time) bool {
	mark, marked := marks[a.Run]
	if a.Since.IsZero() {
		return marked
	}
	return !a.Since.After(all) || !a.Since.After(mark)
}

// see marks runs as acknowledged, or without any of them all that failed until then, those
// among them of which no time is known.
func (h *Handler) see(ctx context.Context, until time.Time, runs []string) error {
	if err := h.Data.See(ctx, until, runs...); err != nil || len(runs) > 0 {
		return err
	}
	all, err := h.Store.Attention(ctx)
	if err != nil {
		return err
	}
	var timeless []string
	for _, a := range all {
		if a.Urgency == diagnose.UrgentFailed && a.Since.IsZero() {
			timeless = append(timeless, a.Run)
		}
	}
	if len(timeless) == 0 {
		return nil
	}
	return h.Data.See(ctx, until, timeless...)
}

// AttentionCount is for every page's navigation; below zero: not known.
func (h *Handler) AttentionCount(ctx context.Context) int {
	list, err := h.Attention(ctx)
	if err != nil {
		return -1
	}
	return len(list)
}

// showAttention is the page of what needs a human, or its list for htmx.
func (h *Handler) showAttention(w http.ResponseWriter, r *http.Request) error {
	return h.ServeCached(w, r, web.TypeHTML, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		view := views.AttentionView{Layout: h.Layout(r, "attention", "Needs attention", "list=1"), Refresh: h.Paths.Attention(), SeenURL: h.Paths.AttentionSeen()}
		if err := h.AddAttention(ctx, &view); err != nil && !errors.Is(err, store.ErrUnavailable) {
			return err
		}
		if _, err := h.seen(ctx); err != nil {
			view.Unkept = web.Describe(err).Text
		}
		view.CanMark = view.Unkept == "" && !h.ReadOnly
		for _, row := range view.Rows {
			view.Failed = view.Failed || row.Failed
		}
		if web.IsFragment(r) {
			return views.AttentionList(view).Render(ctx, b)
		}
		return views.AttentionPage(view).Render(ctx, b)
	})
}

// showAttentionCount is the entry of the navigation, which every page follows.
func (h *Handler) showAttentionCount(w http.ResponseWriter, r *http.Request) error {
	return h.ServeCached(w, r, web.TypeHTML, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		section := ""
		if r.URL.Query().Has("here") {
			section = "attention"
		}
		return views.AttentionLink(h.Layout(r, section, "", "list=1")).Render(ctx, b)
	})
}

// attentionShown is how many the page lists; who has more has another problem.
const attentionShown = criteria.MaxLimit

// AddAttention adds the list, or that it is not known yet.
func (h *Handler) AddAttention(ctx context.Context, view *views.AttentionView) (err error) {
	view.Rows, view.More, err = h.attentionRows(ctx)
	view.Known, view.Unjudged = err == nil, errors.Is(err, store.ErrUnjudged)
	if view.Unjudged {
		return nil
	}
	return err
}

func (h *Handler) attentionRows(ctx context.Context) (rows []views.AttentionRow, more int, err error) {
	list, err := h.Attention(ctx)
	if err != nil {
		return nil, 0, err
	}
	more = max(0, len(list)-attentionShown)
	list = list[:len(list)-more]
	ids := make([]string, 0, 2*len(list))
	for _, a := range list {
		ids = append(ids, a.Run)
		if a.In != "" {
			ids = append(ids, a.In)
		}
	}
	runs, err := h.Store.RunsByID(ctx, ids)
	if err != nil {
		return nil, 0, fmt.Errorf("runs that need attention: %w", err)
	}
	byID := make(map[string]wave.Run, len(runs))
	for _, run := range runs {
		byID[run.ID] = run
	}
	asked := 0
	for _, a := range list {
		run, ok := byID[a.Run]
		if !ok { // it may have been deleted since
			continue
		}
		row := h.attentionRow(a, run, byID[a.In])
		if a.Urgency == diagnose.UrgentGate && asked < questionsRead {
			asked++
			if question := h.Question(ctx, run); question != "" {
				row.Flag.Title = question
			}
		}
		rows = append(rows, row)
	}
	return rows, more, nil
}

// questionsRead is how many gates are asked for their question.
const questionsRead = 20

// attentionRow says why a run needs a human and what to do: one thing.
func (h *Handler) attentionRow(a diagnose.Attention, run, in wave.Run) views.AttentionRow {
	row := views.AttentionRow{Run: present.Listed(present.RunRow(run)), Urgency: string(a.Urgency), Since: a.Since, Failed: a.Urgency == diagnose.UrgentFailed}
	at := a.Run
	if a.In != "" {
		at = a.In
		row.In = present.RunRef(in)
	}
	switch a.Urgency {
	case diagnose.UrgentRunaway:
		row.Flag = runview.RunawayFlag(*a.Diagnosis.Runaway)
		row.Action = h.ActionOn(at, diagnose.ActStop)
	case diagnose.UrgentFailed:
		row.Flag = views.Flag{Symbol: string(run.State), Tone: string(run.State), Word: present.StateWord(run.State), Title: present.FailureLine(run)}
		row.Action = h.ActionOn(at, diagnose.ActResume)
	default:
		row.Flag = runview.StallFlag(a.Diagnosis.Stall)
		row.Action = h.ActionOn(at, a.Diagnosis.Stall.Action)
	}
	row.Run.Reason = "" // the flag's title says it
	return present.Bounded(row)
}

// markSeen takes runs, or everything that failed until a moment, off the list.
// Until is when the list was made: what failed after that is not acknowledged.
func (h *Handler) markSeen(w http.ResponseWriter, r *http.Request) error {
	values, err := web.ReadBody(r, "run", "until")
	if err != nil {
		return err
	}
	until := h.Now()
	if text := values.Get("until"); text != "" {
		at, err := strconv.ParseInt(text, 10, 64)
		if err != nil || at <= 0 || at > h.Now().Add(time.Minute).Unix() {
			return &criteria.InputError{Field: "until", Got: present.Clip(text, 64), Want: "unix seconds, not in the future"}
		}
		until = time.Unix(at, 0)
	}
	for _, run := range values["run"] {
		if run == "" || len(run) > web.MaxText {
			return &criteria.InputError{Field: "run", Got: present.Clip(run, 64), Want: "the id of a run"}
		}
	}
	if err := h.see(r.Context(), until, values["run"]); err != nil {
		return err
	}
	audit.RecordOf(r.Context()).AboutRuns(values["run"])
	h.forgetSeen()
	if h.WantsJSON(r) {
		h.WriteJSON(w, r, http.StatusOK, seenAnswer{Seen: len(values["run"]), All: len(values["run"]) == 0, Until: until.UTC()})
		return nil
	}
	http.Redirect(w, r, h.Paths.Attention(), http.StatusSeeOther)
	return nil
}

type seenAnswer struct {
	Seen  int       `json:"seen"` // runs that were named
	All   bool      `json:"all"`
	Until time.Time `json:"until"`
}

type attentionResponse struct {
	Count     int                `json:"count"`
	Attention []attentionSummary `json:"attention"`
}

type attentionSummary struct {
	RunID    string     `json:"run_id"`
	Pipeline string     `json:"pipeline_name"`
	Urgency  string     `json:"urgency"` // runaway, not stopping, waiting, not moving, failed
	Why      string     `json:"why"`
	Since    *time.Time `json:"since"`
	In       string     `json:"in_run_id,omitempty"` // the run below it that the reason lies in
	Href     string     `json:"href"`
	Action   string     `json:"action,omitempty"` // what to do, in words
	ActionAt string     `json:"action_href,omitempty"`
}

func (h *Handler) apiAttention(w http.ResponseWriter, r *http.Request) error {
	return h.ServeCached(w, r, web.TypeJSON, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		rows, more, err := h.attentionRows(ctx)
		if err != nil {
			return err
		}
		body := attentionResponse{Count: len(rows) + more, Attention: []attentionSummary{}}
		for _, row := range rows {
			sum := attentionSummary{
				RunID: row.Run.ID, Pipeline: row.Run.Pipeline, Urgency: row.Urgency, Why: row.Flag.Title,
				Since: present.OptionalTime(row.Since), Href: h.Paths.Run(row.Run.ID),
			}
			if row.In != nil {
				sum.In = row.In.ID
			}
			if row.Action != nil {
				sum.Action, sum.ActionAt = row.Action.Label, row.Action.Href
			}
			body.Attention = append(body.Attention, present.Bounded(sum))
		}
		return web.EncodeJSON(b, body)
	})
}
