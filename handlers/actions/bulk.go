package actions

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"wavedeck/handlers/audit"
	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/runner"
	"wavedeck/store"
	"wavedeck/store/appdb"
	"wavedeck/store/control"
	"wavedeck/store/criteria"
	"wavedeck/views"
)

const (
	fieldRun   = "run"   // the id of one of them
	fieldCount = "count" // how many there are, typed by whoever confirms it
)

func filterFields() []string {
	return []string{"state", "status", "pipeline", "tag", "since", "until", "q", "parent"}
}

// startBulk begins an action on many runs that was rehearsed and confirmed with
// their number. It is carried out by Work, run by run.
func (b *Bulk) startBulk(w http.ResponseWriter, r *http.Request) error {
	if _, err := b.RequireEngine(); err != nil {
		return err
	}
	values, err := web.ReadBody(r, runview.FieldDo, fieldRun, fieldForce, fieldCount)
	if err != nil {
		return err
	}
	ids := distinct(values[fieldRun])
	audit.RecordOf(r.Context()).AboutRuns(ids)
	audit.RecordOf(r.Context()).Param(runview.FieldDo, values.Get(runview.FieldDo))
	view, err := b.bulkView(r, values, ids)
	if err != nil {
		return err
	}
	switch count := values.Get(fieldCount); {
	case len(ids) == 0:
		return &criteria.InputError{Field: fieldRun, Got: "", Want: "the id of a run, once or more"}
	case count != strconv.Itoa(len(ids)):
		view.Error = fmt.Sprintf("It is about %d runs, not %s.", len(ids), web.Quoted(present.Clip(count, 20)))
		if b.WantsJSON(r) {
			return &criteria.InputError{Field: fieldCount, Got: present.Clip(count, 20), Want: "the number of runs, " + strconv.Itoa(len(ids))}
		}
		audit.RecordOf(r.Context()).Refused(view.Error)
		b.WriteHTML(w, r, http.StatusBadRequest, views.BulkPage(view))
		return nil
	}
	visitor := web.VisitorOf(r)
	bulk := appdb.Bulk{ID: rand.Text()[:12], Action: view.Do, Force: view.Force, Who: visitor.Who, Created: b.Now()}
	if err := b.Data.AddBulk(r.Context(), bulk, ids); err != nil {
		return err
	}
	page := b.Paths.Bulk(bulk.ID)
	audit.RecordOf(r.Context()).Note(views.Plural(len(ids), "run", "runs") + ", see " + page)
	b.Wake.Notify()
	if b.WantsJSON(r) {
		w.Header().Set("Location", page)
		b.WriteJSON(w, r, http.StatusAccepted, bulkAnswer{ID: bulk.ID, Runs: len(ids)})
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
func (b *Bulk) showBulk(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathVar(r, "bulk")
	if err != nil {
		return err
	}
	from := 0
	if text := r.URL.Query().Get("from"); text != "" {
		if from, err = strconv.Atoi(text); err != nil || from < 0 {
			return &criteria.InputError{Field: "from", Got: present.Clip(text, 64), Want: "a number from 0"}
		}
	}
	bulk, err := b.Data.Bulk(r.Context(), id)
	if errors.Is(err, appdb.ErrNotFound) {
		return &web.Error{Status: http.StatusNotFound, Text: "no such bulk action", Next: "They are kept for 30 days. The audit log is at " + b.Paths.Audit(nil) + "."}
	}
	if err != nil {
		return err
	}
	items, err := b.Data.BulkItems(r.Context(), id, from, bulkShown)
	if err != nil {
		return err
	}
	view := views.BulkProgress{
		Layout: b.Layout(r, "runs", "Progress", ""), Do: bulk.Action, Waiting: bulk.Waiting, Done: bulk.Done, Refused: bulk.Refused,
		Note: bulk.Note, Created: bulk.Created, Ended: bulk.Ended, Stopped: bulk.Stopped,
	}
	at := b.Paths.Bulk(id)
	if bulk.Ended.IsZero() {
		view.Refresh, view.Stop = at+"?from="+strconv.Itoa(from), b.Paths.BulkStop(id)
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
	if web.IsFragment(r) {
		b.WriteHTML(w, r, http.StatusOK, views.BulkState(view))
		return nil
	}
	b.WriteHTML(w, r, http.StatusOK, views.BulkProgressPage(view))
	return nil
}

// stopBulk leaves undone what an action on many runs has not done yet.
func (b *Bulk) stopBulk(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathVar(r, "bulk")
	if err != nil {
		return err
	}
	if err := b.Data.EndBulk(r.Context(), id, b.Now(), true); err != nil {
		if errors.Is(err, appdb.ErrNotFound) {
			return runview.NoSuch("action on many runs", id, b.Paths.Audit(nil))
		}
		return err
	}
	http.Redirect(w, r, b.Paths.Bulk(id), http.StatusSeeOther) //nolint:gosec // our own page
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

// work carries out the actions on many runs until ctx ends. What is left
// then, or when this process is killed, another server goes on with, or this one
// when it comes back: it is kept in its data, run by run.
func (b *Bulk) work(ctx context.Context) {
	owner := rand.Text()
	look := time.NewTimer(0)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.Wake:
		case <-look.C:
		}
		wait := bulkLook
		if b.CanRun() {
			wait = b.workOnce(ctx, owner)
		}
		look.Reset(wait)
	}
}

// workOnce gives one action a turn, and reports when to check again.
func (b *Bulk) workOnce(ctx context.Context, owner string) time.Duration {
	bulk, items, err := b.Data.ClaimBulk(ctx, owner, b.Now(), bulkLease, bulkChunk)
	if err != nil {
		if !errors.Is(err, appdb.ErrNotFound) && !errors.As(err, new(*appdb.UnavailableError)) && ctx.Err() == nil {
			b.Log.WarnContext(ctx, "failed to read bulk actions", "err", err)
		}
		return bulkLook
	}
	for began := time.Now(); len(items) > 0 && time.Since(began) < bulkTurn && ctx.Err() == nil; items = items[1:] {
		item, why := b.carryOut(ctx, bulk, items[0])
		if why != "" {
			err = b.Data.DelayBulk(ctx, bulk.ID, why, b.Now().Add(bulkPause))
			b.Warn(ctx, "failed to delay bulk action", err)
			return bulkPause
		}
		if err := b.Data.SettleBulk(ctx, bulk.ID, item); err != nil {
			b.Warn(ctx, "failed to record a result of a bulk action", err)
			return bulkPause
		}
		bulk.Waiting--
	}
	if bulk.Note != "" {
		b.Warn(ctx, "failed to continue bulk action", b.Data.DelayBulk(ctx, bulk.ID, "", b.Now()))
	}
	if bulk.Waiting == 0 {
		b.Warn(ctx, "failed to finish bulk action", b.Data.EndBulk(ctx, bulk.ID, b.Now(), false))
	}
	return 0
}

// carryOut does one run's part, or reports what it has to wait for.
func (b *Bulk) carryOut(ctx context.Context, bulk appdb.Bulk, item appdb.BulkItem) (done appdb.BulkItem, why string) {
	item.State = "done"
	run, err := b.Store.Run(ctx, item.Run)
	not := ""
	if err == nil {
		not, _ = b.asked(ctx)(run, bulk.Action, bulk.Force)
	}
	switch {
	case err != nil:
	case not != "":
		item.State, item.Result = "refused", not
		return item, ""
	case bulk.Action == "cancel":
		err = b.end(ctx, b.Engine.Stop, run.ID, bulk.Force)
		item.Result = b.answerOf(ctx, run.ID, run.Pipeline).said()
	default:
		var again runner.Request
		if again, err = b.AsStarted(ctx, run); err == nil {
			again.ID, err = b.ids.runOfKey(ctx, run.Pipeline, "", bulk.Created, "bulk", bulk.ID, run.ID)
		}
		if err == nil {
			item.NewRun, err = b.begin(ctx, again)
		}
		item.Result = "started again"
	}
	var limit *control.LimitError
	switch {
	case err == nil:
		return item, ""
	case errors.As(err, &limit):
		return item, "waits for a free slot: " + limit.Error()
	case errors.Is(err, control.ErrBusy), errors.Is(err, store.ErrUnavailable), errors.As(err, new(*appdb.UnavailableError)):
		return item, "waits: " + web.Describe(err).Text
	case ctx.Err() != nil:
		return item, "waits: the console is shutting down"
	}
	item.State, item.Result, item.NewRun = "refused", web.Describe(err).Text, ""
	return item, ""
}
