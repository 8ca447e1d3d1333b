package webhooks

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/handlers/webhook"
	"wavedeck/store"
	"wavedeck/store/appdb"
	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
)

// How webhooks find events: the least time between two polls; the longest time
// although nothing changed; how far back after a pause; how far before the last
// poll, because an end may be recorded late and a run counts as lost only after
// it was silent for some time; and how many at once.
const (
	hookPause = 250 * time.Millisecond
	hookLook  = 30 * time.Second
	hookBack  = 24 * time.Hour
	hookSlack = 15 * time.Minute
	hookBatch = 200
	hookScan  = 5000
)

// hookEnds are the final states that a webhook can report, in the order of the form.
func hookEnds() []wave.State {
	return []wave.State{wave.Failed, wave.Rejected, wave.Lost, wave.Cancelled, wave.Succeeded, wave.Empty}
}

// hookAttention stands in Hook.Ends for everything that needs a human.
const hookAttention = "attention"

// watch turns what happens into messages of webhooks until ctx ends.
func (h *Handler) watch(ctx context.Context) {
	sub := h.Store.Subscribe()
	defer sub.Close()
	look := time.NewTicker(hookLook)
	defer look.Stop()
	var changed []string
	all := true // what happened before is not known yet
	for {
		err := h.notify(ctx, changed, all)
		all = err != nil
		if err != nil && !errors.Is(err, errNoHooks) && !errors.Is(err, store.ErrUnavailable) && !errors.Is(err, store.ErrUnjudged) && !errors.As(err, new(*appdb.UnavailableError)) {
			h.Warn(ctx, "failed to deliver webhooks", err)
		}
		if !web.Pause(ctx, hookPause) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-sub.Ready():
			if c, ok := sub.Take(); ok {
				changed, all = c.Runs, all || c.Reset
			}
		case <-look.C:
			changed = nil
		}
	}
}

// errNoHooks says that no webhook is set: what happens meanwhile is read once
// one is.
var errNoHooks = errors.New("webhooks are off")

// notify notes what happened to the changed runs, or to all, and makes each
// webhook's messages of it.
func (h *Handler) notify(ctx context.Context, changed []string, all bool) error {
	hooks, err := h.Data.Webhooks(ctx)
	if err != nil {
		return err
	}
	if len(hooks) == 0 {
		return errNoHooks
	}
	now := h.Now()
	looked, err := h.Data.Looked(ctx)
	if err != nil {
		return err
	}
	var occasions []appdb.Event
	if all {
		since := now.Add(-hookBack)
		if from := looked.Add(-hookSlack); from.After(since) {
			since = from
		}
		occasions, err = h.endsSince(ctx, since)
	} else {
		occasions, err = h.endsOf(ctx, changed)
	}
	if err != nil {
		return err
	}
	if slices.ContainsFunc(hooks, func(webhook appdb.Webhook) bool { return slices.Contains(webhook.Ends, hookAttention) }) {
		needs, err := h.Attention(ctx)
		if err != nil {
			return err
		}
		occasions = append(occasions, attentionEvents(needs)...)
	}
	if occasions, err = h.unknownEvents(ctx, occasions); err != nil {
		return err
	}
	if len(occasions) > 0 || now.Sub(looked) > time.Minute {
		if err := h.Data.Note(ctx, occasions, now); err != nil {
			return err
		}
	}
	for _, webhook := range hooks {
		if err := h.enqueue(ctx, webhook); err != nil && !errors.Is(err, appdb.ErrMoved) {
			return err
		}
	}
	return nil
}

// endsSince are the runs that ended at that moment or later.
func (h *Handler) endsSince(ctx context.Context, since time.Time) ([]appdb.Event, error) {
	ids, err := h.Store.EndedSince(ctx, since, hookScan)
	if err != nil {
		return nil, err
	}
	all, err := h.endsOf(ctx, ids)
	return slices.DeleteFunc(all, func(o appdb.Event) bool { return o.At.Before(since) }), err
}

// endsOf are those of the runs that have ended.
func (h *Handler) endsOf(ctx context.Context, ids []string) ([]appdb.Event, error) {
	over, err := h.Store.Over(ids)
	if err != nil {
		return nil, err
	}
	var occasions []appdb.Event
	for part := range slices.Chunk(over, hookBatch) {
		runs, err := h.Store.RunsByID(ctx, part)
		if err != nil {
			return nil, err
		}
		for _, run := range runs {
			if run.State.Ended() {
				occasions = append(occasions, appdb.Event{Run: run.ID, What: string(run.State), At: endedAt(run)})
			}
		}
	}
	return occasions, nil
}

// endedAt is when a run ended; of a lost one, its last sign that is known.
func endedAt(run wave.Run) time.Time {
	if end := runview.RecordedEnd(run); !end.IsZero() {
		return end
	}
	if run.Heartbeat.After(run.StartedAt) {
		return run.Heartbeat
	}
	return run.StartedAt
}

func attentionEvents(list []diagnose.Attention) []appdb.Event {
	occasions := make([]appdb.Event, len(list))
	for i, a := range list {
		occasions[i] = appdb.Event{Run: a.Run, What: appdb.AttentionPrefix + string(a.Urgency), At: a.Since}
	}
	return occasions
}

// unknownEvents leaves out what was noted before: reading holds up nobody.
func (h *Handler) unknownEvents(ctx context.Context, all []appdb.Event) ([]appdb.Event, error) {
	known, err := h.Data.Known(ctx, all)
	if err != nil {
		return nil, err
	}
	var unknown []appdb.Event
	for i, o := range all {
		if !known[i] {
			unknown = append(unknown, o)
		}
	}
	return unknown, nil
}

// pastOf is what a webhook that is set now does not report: what has happened, as
// far as it would be looked for.
func (h *Handler) pastOf(ctx context.Context) ([]appdb.Event, error) {
	from := h.Now()
	hooks, err := h.Data.Webhooks(ctx)
	if err != nil {
		return nil, err
	}
	if looked, err := h.Data.Looked(ctx); err == nil && len(hooks) > 0 && looked.Before(from) {
		from = looked
	}
	past, err := h.endsSince(ctx, from.Add(-hookSlack))
	if err != nil {
		return nil, err
	}
	needs, err := h.Store.AttentionNow(ctx) // what is noticed later is reported
	return append(past, attentionEvents(needs)...), err
}

// passOver records what has happened before a webhook changes; the webhook still
// reports it as it was set until then.
func (h *Handler) passOver(ctx context.Context, view int64, past []appdb.Event) error {
	past, err := h.unknownEvents(ctx, past)
	if err != nil {
		return err
	}
	if err := h.Data.Note(ctx, past, h.Now()); err != nil {
		return err
	}
	for {
		hook, err := h.Data.Webhook(ctx, view)
		if err != nil {
			return runview.ViewError(err)
		}
		if err := h.enqueue(ctx, hook); !errors.Is(err, appdb.ErrMoved) {
			return err
		}
	}
}

// enqueue makes a webhook's messages about what it has not reported yet.
func (h *Handler) enqueue(ctx context.Context, webhook appdb.Webhook) error {
	for {
		occasions, err := h.Data.Events(ctx, webhook.Place, hookBatch)
		if err != nil || len(occasions) == 0 {
			return err
		}
		messages, err := h.messagesOf(ctx, webhook, occasions)
		if err != nil {
			return err
		}
		to := occasions[len(occasions)-1].N
		if err := h.Data.Enqueue(ctx, webhook.View, webhook.Place, to, messages); err != nil {
			return err
		}
		webhook.Place = to
		if len(messages) > 0 {
			h.Wake.Notify()
		}
	}
}

// messagesOf are a webhook's messages about events: those that it reports, of runs
// that its view lists, and that did not happen before it was set.
func (h *Handler) messagesOf(ctx context.Context, webhook appdb.Webhook, occasions []appdb.Event) ([]appdb.Delivery, error) {
	wanted := map[string][]appdb.Event{}
	var ids []string
	for _, o := range occasions {
		attention := strings.HasPrefix(o.What, appdb.AttentionPrefix)
		exact := o.What != string(wave.Lost) && (!attention || o.What == appdb.AttentionPrefix+string(diagnose.UrgentFailed))
		old := exact && o.At.Before(webhook.Created.Truncate(time.Second))
		if old || !slices.Contains(webhook.Ends, o.What) && (!attention || !slices.Contains(webhook.Ends, hookAttention)) {
			continue
		}
		if wanted[o.Run] == nil {
			ids = append(ids, o.Run)
		}
		wanted[o.Run] = append(wanted[o.Run], o)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	view, err := h.Data.SavedView(ctx, webhook.View)
	if err != nil {
		return nil, err
	}
	runs, err := h.listed(ctx, view, ids)
	if err != nil {
		return nil, err
	}
	var messages []appdb.Delivery
	for _, run := range runs {
		for _, o := range wanted[run.ID] {
			if o.What == appdb.AttentionPrefix+string(diagnose.UrgentFailed) && slices.Contains(webhook.Ends, string(run.State)) {
				continue // its end reports it
			}
			m, err := h.message(ctx, webhook, view, run, o)
			if err != nil {
				return nil, err
			}
			messages = append(messages, m)
		}
	}
	return messages, nil
}

// listed are those of the runs that a view lists. Without a filter the list shows
// runs that no other one started, and those that take one up.
func (h *Handler) listed(ctx context.Context, view appdb.SavedView, ids []string) ([]wave.Run, error) {
	q, err := url.ParseQuery(view.Query)
	if err != nil {
		return nil, err
	}
	query, err := runview.ParseRunsQuery(q, h.Now())
	if err != nil {
		return nil, err
	}
	matching, err := h.Store.MatchingRuns(ctx, query.Filter, ids)
	if err != nil {
		return nil, err
	}
	runs, err := h.Store.RunsByID(ctx, ids)
	return slices.DeleteFunc(runs, func(run wave.Run) bool {
		return !matching[run.ID] || !query.Filter.Narrow() && run.Inner()
	}), err
}

// newDelivery is a message that is due at once.
func newDelivery(view int64, kind, run string, body []byte, now time.Time) appdb.Delivery {
	return appdb.Delivery{ID: "msg_" + rand.Text(), View: view, Type: kind, Run: run, Body: body, Created: now, Until: now.Add(webhook.GiveUp)}
}
