package handlers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"wavedeck/store"
	"wavedeck/store/appdb"
	"wavedeck/store/criteria"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// actionSeen is the action's name in the audit log.
const actionSeen = "mark as seen"

// seenKept is how long the marks are believed: another server may set some.
const seenKept = 2 * time.Second

// seenMarks keeps the marks of what was looked at for a moment, for every page
// counts what was not.
type seenMarks struct {
	mu   sync.Mutex
	read time.Time
	seen appdb.Seen
	err  error
}

func (s *Server) seen(ctx context.Context) (appdb.Seen, error) {
	m := &s.marks
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.read.IsZero() || time.Since(m.read) > seenKept {
		m.seen, m.err = s.desk.Seen(ctx)
		m.read = time.Now()
	}
	return m.seen, m.err
}

func (s *Server) forgetSeen() {
	s.marks.mu.Lock()
	defer s.marks.mu.Unlock()
	s.marks.read = time.Time{}
	s.acted.Add(1) // what was rendered counts what is seen now
}

// attention is what needs a human and was not looked at, the most urgent first.
// Without a desk nothing was ever looked at.
func (s *Server) attention(ctx context.Context) ([]store.Attention, error) {
	all, err := s.store.Attention(ctx)
	if err != nil {
		return nil, err
	}
	seen, _ := s.seen(ctx)
	from := seen.All
	if from.IsZero() {
		from = s.now().Add(-store.AttentionFor)
	}
	list := make([]store.Attention, 0, len(all))
	for _, a := range all {
		if a.Urgency == store.UrgentFailed && (!a.Since.After(from) || !a.Since.After(seen.Runs[a.Run])) {
			continue
		}
		list = append(list, a)
	}
	return list, nil
}

// attentionCount is for every page's navigation; below zero: not known.
func (s *Server) attentionCount(ctx context.Context) int {
	list, err := s.attention(ctx)
	if err != nil {
		return -1
	}
	return len(list)
}

// showAttention is the page of what needs a human, or its list for htmx.
func (s *Server) showAttention(w http.ResponseWriter, r *http.Request) error {
	return s.serveCached(w, r, typeHTML, func(ctx context.Context, b *bytes.Buffer) error {
		view := views.AttentionView{Chrome: s.chrome(r, "attention", "Needs attention", "list=1"), Refresh: s.paths.Attention(), SeenURL: s.paths.AttentionSeen()}
		if err := s.addAttention(ctx, &view); err != nil && !errors.Is(err, store.ErrUnavailable) {
			return err
		}
		if _, err := s.seen(ctx); err != nil {
			view.Unkept = describe(err).text
		}
		view.CanMark = view.Unkept == "" && !s.readOnly
		for _, row := range view.Rows {
			view.Failed = view.Failed || row.Failed
		}
		if isFragment(r) {
			return views.AttentionList(view).Render(ctx, b)
		}
		return views.AttentionPage(view).Render(ctx, b)
	})
}

// showAttentionCount is the entry of the navigation, which every page follows.
func (s *Server) showAttentionCount(w http.ResponseWriter, r *http.Request) error {
	return s.serveCached(w, r, typeHTML, func(ctx context.Context, b *bytes.Buffer) error {
		section := ""
		if r.URL.Query().Has("here") {
			section = "attention"
		}
		return views.AttentionLink(s.chrome(r, section, "", "list=1")).Render(ctx, b)
	})
}

// attentionShown is how many the page lists; who has more has another problem.
const attentionShown = criteria.MaxLimit

// addAttention adds the list, or that it is not known yet.
func (s *Server) addAttention(ctx context.Context, view *views.AttentionView) (err error) {
	view.Rows, view.More, err = s.attentionRows(ctx)
	view.Known, view.Unjudged = err == nil, errors.Is(err, store.ErrUnjudged)
	if view.Unjudged {
		return nil
	}
	return err
}

func (s *Server) attentionRows(ctx context.Context) (rows []views.AttentionRow, more int, err error) {
	list, err := s.attention(ctx)
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
	runs, err := s.store.RunsByID(ctx, ids)
	if err != nil {
		return nil, 0, fmt.Errorf("runs that need attention: %w", err)
	}
	byID := make(map[string]wave.Run, len(runs))
	for _, run := range runs {
		byID[run.ID] = run
	}
	for _, a := range list {
		if run, ok := byID[a.Run]; ok { // it may have been deleted since
			rows = append(rows, s.attentionRow(a, run, byID[a.In]))
		}
	}
	return rows, more, nil
}

// attentionRow says why a run needs a human and what to do: one thing.
func (s *Server) attentionRow(a store.Attention, run, in wave.Run) views.AttentionRow {
	row := views.AttentionRow{Run: listed(runRow(run)), Urgency: string(a.Urgency), Since: a.Since, Failed: a.Urgency == store.UrgentFailed}
	at := a.Run
	if a.In != "" {
		at = a.In
		row.In = runRef(in)
	}
	switch a.Urgency {
	case store.UrgentRunaway:
		row.Flag = runawayFlag(*a.Diagnosis.Runaway)
		row.Action = s.actionOn(at, store.ActStop)
	case store.UrgentFailed:
		row.Flag = views.Flag{Symbol: string(run.State), Tone: string(run.State), Word: stateWord(run.State), Title: failureLine(run)}
		row.Action = s.actionOn(at, store.ActResume)
	default:
		row.Flag = stallFlag(a.Diagnosis.Stall)
		row.Action = s.actionOn(at, a.Diagnosis.Stall.Action)
	}
	row.Run.Reason = "" // the flag's title says it
	return bounded(row)
}

// markSeen takes runs, or everything that failed until a moment, off the list.
// Until is when the list was made: what failed after that was not looked at.
func (s *Server) markSeen(w http.ResponseWriter, r *http.Request) error {
	values, err := readBody(r, "run", "until")
	if err != nil {
		return err
	}
	until := s.now()
	if text := values.Get("until"); text != "" {
		at, err := strconv.ParseInt(text, 10, 64)
		if err != nil || at <= 0 || at > s.now().Add(time.Minute).Unix() {
			return &criteria.InputError{Field: "until", Got: clip(text, 64), Want: "unix seconds, not in the future"}
		}
		until = time.Unix(at, 0)
	}
	for _, run := range values["run"] {
		if run == "" || len(run) > maxText {
			return &criteria.InputError{Field: "run", Got: clip(run, 64), Want: "the id of a run"}
		}
	}
	if err := s.desk.See(r.Context(), until, values["run"]...); err != nil {
		return err
	}
	acting(r.Context()).onRuns(values["run"])
	s.forgetSeen()
	if s.wantsJSON(r) {
		s.writeJSON(w, r, http.StatusOK, seenAnswer{Seen: len(values["run"]), All: len(values["run"]) == 0, Until: until.UTC()})
		return nil
	}
	http.Redirect(w, r, s.paths.Attention(), http.StatusSeeOther)
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

func (s *Server) apiAttention(w http.ResponseWriter, r *http.Request) error {
	return s.serveCached(w, r, typeJSON, func(ctx context.Context, b *bytes.Buffer) error {
		rows, more, err := s.attentionRows(ctx)
		if err != nil {
			return err
		}
		body := attentionResponse{Count: len(rows) + more, Attention: []attentionSummary{}}
		for _, row := range rows {
			sum := attentionSummary{
				RunID: row.Run.ID, Pipeline: row.Run.Pipeline, Urgency: row.Urgency, Why: row.Flag.Title,
				Since: momentOf(row.Since), Href: s.paths.Run(row.Run.ID),
			}
			if row.In != nil {
				sum.In = row.In.ID
			}
			if row.Action != nil {
				sum.Action, sum.ActionAt = row.Action.Label, row.Action.Href
			}
			body.Attention = append(body.Attention, bounded(sum))
		}
		return encodeJSON(b, body)
	})
}
