package handlers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"wavedeck/runner"
	"wavedeck/store"
	"wavedeck/store/appdb"
	"wavedeck/store/criteria"
	"wavedeck/views"
)

// Fields of an action on many runs, beside those of the run list's filter.
const (
	fieldDo    = "do"    // cancel or retry
	fieldRun   = "run"   // the id of one of them
	fieldAll   = "all"   // those that the filter matches, instead
	fieldCount = "count" // how many there are, typed by whoever confirms it
)

// maxBulk is how many runs one action is about at most.
const maxBulk = 1000

func filterFields() []string {
	return []string{"state", "status", "pipeline", "tag", "since", "until", "q", "parent"}
}

// startBulk begins an action on many runs that was rehearsed and confirmed with
// their number. It is carried out by Work, run by run.
func (s *Server) startBulk(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.runs(); err != nil {
		return err
	}
	values, err := readBody(r, fieldDo, fieldRun, fieldForce, fieldCount)
	if err != nil {
		return err
	}
	ids := distinct(values[fieldRun])
	acting(r.Context()).onRuns(ids)
	acting(r.Context()).with(fieldDo, values.Get(fieldDo))
	view, err := s.bulkView(r, values, ids)
	if err != nil {
		return err
	}
	switch count := values.Get(fieldCount); {
	case len(ids) == 0:
		return &criteria.InputError{Field: fieldRun, Got: "", Want: "the id of a run, once or more"}
	case count != strconv.Itoa(len(ids)):
		view.Error = fmt.Sprintf("It is about %d runs, not %s.", len(ids), quoted(clip(count, 20)))
		if s.wantsJSON(r) {
			return &criteria.InputError{Field: fieldCount, Got: clip(count, 20), Want: "the number of runs, " + strconv.Itoa(len(ids))}
		}
		acting(r.Context()).refused(view.Error)
		s.writeHTML(w, r, http.StatusBadRequest, views.BulkPage(view))
		return nil
	}
	visitor := visitorOf(r)
	bulk := appdb.Bulk{ID: rand.Text()[:12], Action: view.Do, Force: view.Force, Who: visitor.who, Created: s.now()}
	if err := s.desk.AddBulk(r.Context(), bulk, ids); err != nil {
		return err
	}
	page := s.paths.Bulk(bulk.ID)
	acting(r.Context()).note(views.Plural(len(ids), "run", "runs") + ", see " + page)
	s.wake.up()
	if s.wantsJSON(r) {
		w.Header().Set("Location", page)
		s.writeJSON(w, r, http.StatusAccepted, bulkAnswer{ID: bulk.ID, Runs: len(ids)})
		return nil
	}
	http.Redirect(w, r, page, http.StatusSeeOther)
	return nil
}

type bulkAnswer struct {
	ID   string `json:"bulk_id"`
	Runs int    `json:"runs"`
}

// bulkShown is how many runs a page of progress lists at once.
const bulkShown = 100

// showBulk is how far an action on many runs has come.
func (s *Server) showBulk(w http.ResponseWriter, r *http.Request) error {
	id, err := pathVar(r, "bulk")
	if err != nil {
		return err
	}
	from := 0
	if text := r.URL.Query().Get("from"); text != "" {
		if from, err = strconv.Atoi(text); err != nil || from < 0 {
			return &criteria.InputError{Field: "from", Got: clip(text, 64), Want: "a number from 0"}
		}
	}
	bulk, err := s.desk.Bulk(r.Context(), id)
	if errors.Is(err, appdb.ErrNotFound) {
		return &httpError{status: http.StatusNotFound, text: "there is no such action on many runs", next: "They are kept for 30 days; who did what stands at " + s.paths.Audit(nil) + "."}
	}
	if err != nil {
		return err
	}
	items, err := s.desk.BulkItems(r.Context(), id, from, bulkShown)
	if err != nil {
		return err
	}
	view := views.BulkProgress{
		Chrome: s.chrome(r, "runs", "Progress", ""), Do: bulk.Action, Waiting: bulk.Waiting, Done: bulk.Done, Refused: bulk.Refused,
		Note: bulk.Note, Created: bulk.Created, Ended: bulk.Ended, Stopped: bulk.Stopped,
	}
	at := s.paths.Bulk(id)
	if bulk.Ended.IsZero() {
		view.Refresh, view.Stop = at+"?from="+strconv.Itoa(from), s.paths.BulkStop(id)
	}
	if from > 0 {
		view.Earlier = at + "?from=" + strconv.Itoa(max(0, from-bulkShown))
	}
	if from+len(items) < bulk.Waiting+bulk.Done+bulk.Refused {
		view.Later = at + "?from=" + strconv.Itoa(from+len(items))
	}
	for _, item := range items {
		view.Rows = append(view.Rows, views.BulkRow{Run: item.Run, State: item.State, Result: item.Result, NewRun: item.NewRun})
	}
	w.Header().Set("Cache-Control", "no-store")
	if isFragment(r) {
		s.writeHTML(w, r, http.StatusOK, views.BulkState(view))
		return nil
	}
	s.writeHTML(w, r, http.StatusOK, views.BulkProgressPage(view))
	return nil
}

// stopBulk leaves undone what an action on many runs has not done yet.
func (s *Server) stopBulk(w http.ResponseWriter, r *http.Request) error {
	id, err := pathVar(r, "bulk")
	if err != nil {
		return err
	}
	if err := s.desk.EndBulk(r.Context(), id, s.now(), true); err != nil {
		if errors.Is(err, appdb.ErrNotFound) {
			return noSuch("action on many runs", id, s.paths.Audit(nil))
		}
		return err
	}
	http.Redirect(w, r, s.paths.Bulk(id), http.StatusSeeOther)
	return nil
}

// How actions on many runs are carried out: so many runs, or so long, at a
// time; for so long no other server takes one on; after such a pause one that
// had to wait is tried again; and so often those are looked for that another
// server has left.
const (
	bulkChunk = 20
	bulkTurn  = time.Second
	bulkLease = 30 * time.Second
	bulkPause = time.Second
	bulkLook  = 5 * time.Second
)

// workBulk carries out the actions on many runs until ctx ends. What is left
// then, or when this process is killed, another server goes on with, or this one
// when it comes back: it is kept on the desk, run by run.
func (s *Server) workBulk(ctx context.Context) {
	owner := rand.Text()
	look := time.NewTimer(0)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-look.C:
		}
		wait := bulkLook
		if s.canRun() {
			wait = s.workOnce(ctx, owner)
		}
		look.Reset(wait)
	}
}

// workOnce gives one action a turn, and tells when to look again.
func (s *Server) workOnce(ctx context.Context, owner string) time.Duration {
	bulk, items, err := s.desk.ClaimBulk(ctx, owner, s.now(), bulkLease, bulkChunk)
	if err != nil {
		if !errors.Is(err, appdb.ErrNotFound) && !errors.As(err, new(*appdb.UnavailableError)) && ctx.Err() == nil {
			s.log.WarnContext(ctx, "look for actions on many runs", "error", err)
		}
		return bulkLook
	}
	for began := time.Now(); len(items) > 0 && time.Since(began) < bulkTurn && ctx.Err() == nil; items = items[1:] {
		item, why := s.carryOut(ctx, bulk, items[0])
		if why != "" {
			err = s.desk.DelayBulk(ctx, bulk.ID, why, s.now().Add(bulkPause))
			s.warn(ctx, "delay action on many runs", err)
			return bulkPause
		}
		if err := s.desk.SettleBulk(ctx, bulk.ID, item); err != nil {
			s.warn(ctx, "keep result of an action on many runs", err)
			return bulkPause
		}
		bulk.Waiting--
	}
	if bulk.Note != "" {
		s.warn(ctx, "go on with action on many runs", s.desk.DelayBulk(ctx, bulk.ID, "", s.now()))
	}
	if bulk.Waiting == 0 {
		s.warn(ctx, "end action on many runs", s.desk.EndBulk(ctx, bulk.ID, s.now(), false))
	}
	return 0
}

func (s *Server) warn(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, what, "error", err)
	}
}

// carryOut does one run's part, or tells what it has to wait for.
func (s *Server) carryOut(ctx context.Context, bulk appdb.Bulk, item appdb.BulkItem) (done appdb.BulkItem, why string) {
	item.State = "done"
	run, err := s.store.Run(ctx, item.Run)
	not := ""
	if err == nil {
		not, _ = s.asked(ctx)(run, bulk.Action, bulk.Force)
	}
	switch {
	case err != nil:
	case not != "":
		item.State, item.Result = "refused", not
		return item, ""
	case bulk.Action == "cancel":
		err = s.end(ctx, s.engine.Stop, run.ID, bulk.Force)
		item.Result = s.answerOf(ctx, run.ID, run.Pipeline).said()
	default:
		var id string
		if id, err = s.runOfKey(ctx, run.Pipeline, "", bulk.Created, "bulk", bulk.ID, run.ID); err == nil {
			item.NewRun, err = s.begin(ctx, runner.Request{ID: id, Pipeline: run.Pipeline, Input: run.Input, Tags: run.Tags, Original: run.ID})
		}
		item.Result = "started again"
	}
	var limit *store.LimitError
	switch {
	case err == nil:
		return item, ""
	case errors.As(err, &limit):
		return item, "waits for a free place: " + limit.Error()
	case errors.Is(err, store.ErrBusy), errors.Is(err, store.ErrUnavailable), errors.As(err, new(*appdb.UnavailableError)):
		return item, "waits: " + describe(err).text
	case ctx.Err() != nil:
		return item, "waits: the console is ending"
	}
	item.State, item.Result, item.NewRun = "refused", describe(err).text, ""
	return item, ""
}
