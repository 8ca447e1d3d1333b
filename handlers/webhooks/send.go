package webhooks

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	mathrand "math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/handlers/webhook"
	"wavedeck/store/appdb"
	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
	"wavedeck/views/plain"
)

// How messages are sent: how many at a time; how long each is claimed, which is
// longer than an attempt takes; and how often those that another server has left
// are searched for.
const (
	hookSenders = 4
	hookLease   = time.Minute
	hookRest    = 10 * time.Second
)

// Types of messages.
const (
	hookTypeEnd       = "run.ended"
	hookTypeAttention = "run.attention"
	hookTypeTest      = "test"
)

// hookBody is what a receiver reads. A field is added without a new version;
// one that goes or means something else makes one.
type hookBody struct {
	Version int       `json:"version"` // 1
	Type    string    `json:"type"`    // run.ended, run.attention, test
	At      time.Time `json:"timestamp"`
	Data    hookData  `json:"data"`
}

type hookData struct {
	Project   string         `json:"project,omitempty"`
	View      hookView       `json:"view"`
	Run       *hookRun       `json:"run,omitempty"` // of a test there is none
	Attention *hookAttending `json:"attention,omitempty"`
}

type hookView struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	URL  string `json:"url,omitempty"`
}

type hookRun struct {
	ID         string     `json:"id"`
	Pipeline   string     `json:"pipeline"`
	State      string     `json:"state"`
	Reason     string     `json:"reason,omitempty"` // why the state was derived, or why it failed
	StartedAt  *time.Time `json:"started_at,omitempty"`
	EndedAt    *time.Time `json:"ended_at,omitempty"`
	DurationMs *int64     `json:"duration_ms,omitempty"`
	Tokens     *int64     `json:"total_tokens,omitempty"`
	Subtree    *int64     `json:"subtree_tokens,omitempty"`   // with all runs below it
	DryRun     bool       `json:"dry_run,omitempty"`          // nothing was executed
	CausedBy   string     `json:"caused_by_run_id,omitempty"` // the run below it that its failure began in
	Parent     string     `json:"parent_run_id,omitempty"`
	Tags       []string   `json:"tags,omitempty"`
	URL        string     `json:"url,omitempty"`
}

type hookAttending struct {
	Why   string     `json:"why"` // runaway, not stopping, waiting, not moving, failed
	Since *time.Time `json:"since"`
	Gate  *hookGate  `json:"gate,omitempty"` // that it waits at
}

// hookGate is what a run asks.
type hookGate struct {
	RunID     string     `json:"run_id"`
	Step      string     `json:"step"`
	Prompt    string     `json:"prompt"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	OnTimeout string     `json:"on_timeout"`           // waits, default, fails, continues
	AnswerURL string     `json:"answer_url,omitempty"` // the page with its choices
}

// hookGateOf is the first gate that a run waits at; nil: none that is known.
func (h *Handler) hookGateOf(ctx context.Context, webhook appdb.Webhook, run wave.Run) *hookGate {
	open, err := h.Gates(ctx, wave.RunDetail{Run: run})
	if err != nil || len(open) == 0 {
		return nil
	}
	g := open[0]
	return &hookGate{
		RunID: g.Run, Step: g.Step, Prompt: present.Clip(cmp.Or(g.Prompt, g.Question()), web.MaxFilter), ExpiresAt: present.OptionalTime(g.Expires), OnTimeout: g.Without,
		AnswerURL: h.hookLink(webhook, h.Paths.Gates(g.Run)),
	}
}

// message is what a webhook sends about an event.
func (h *Handler) message(ctx context.Context, webhook appdb.Webhook, view appdb.SavedView, run wave.Run, o appdb.Event) (appdb.Delivery, error) {
	body := h.hookBody(webhook, view, hookTypeEnd)
	body.Data.Run = hookRunOf(run)
	body.Data.Run.URL = h.hookLink(webhook, h.Paths.Run(run.ID))
	if why, attention := strings.CutPrefix(o.What, appdb.AttentionPrefix); attention {
		body.Type, body.Data.Attention = hookTypeAttention, &hookAttending{Why: why, Since: present.OptionalTime(o.At)}
		if why == string(diagnose.UrgentGate) {
			body.Data.Attention.Gate = h.hookGateOf(ctx, webhook, run)
		}
	} else {
		body.Data.Run.State = o.What // also when it has turned since
	}
	return encodeMessage(webhook.View, run.ID, body)
}

func encodeMessage(view int64, run string, body hookBody) (appdb.Delivery, error) {
	encoded, err := json.Marshal(body)
	encoded = plain.JSON(encoded)
	return newDelivery(view, body.Type, run, encoded, body.At), err
}

func (h *Handler) hookBody(webhook appdb.Webhook, view appdb.SavedView, kind string) hookBody {
	return hookBody{Version: 1, Type: kind, At: h.Now().UTC(), Data: hookData{
		Project: web.ProjectName(h.Manifest.Current()), View: hookView{ID: view.ID, Name: present.Redact(view.Name), URL: h.hookLink(webhook, h.Paths.View(strconv.FormatInt(view.ID, 10), ""))},
	}}
}

// hookLink is a path of this console as others reach it: where the webhook was set,
// with the prefix of a proxy, unless --public-url is another place since.
func (h *Handler) hookLink(webhook appdb.Webhook, path string) string {
	if public := h.Access.Embed.PublicOrigin; public != "" && !strings.HasPrefix(webhook.Base+"/", public+"/") {
		return public + path
	}
	if webhook.Base == "" {
		return ""
	}
	return webhook.Base + strings.TrimPrefix(path, string(h.Paths))
}

func hookRunOf(run wave.Run) *hookRun {
	body := &hookRun{
		ID: run.ID, Pipeline: run.Pipeline, State: string(run.State), Reason: present.Clip(present.FailureLine(run), web.MaxFilter), Parent: run.Parent,
		StartedAt: present.OptionalTime(run.StartedAt), EndedAt: present.OptionalTime(runview.RecordedEnd(run)),
		Tokens: run.Tokens, Subtree: run.Subtree, DryRun: run.DryRun,
	}
	if run.Cause != nil {
		body.CausedBy = run.Cause.Run
	}
	for _, tag := range run.Tags[:min(len(run.Tags), web.MaxValues)] {
		body.Tags = append(body.Tags, present.Redact(present.Clip(tag, web.MaxText)))
	}
	if run.HasDuration {
		ms := run.Duration.Milliseconds()
		body.DurationMs = &ms
	}
	return body
}

// deliver sends what is due until ctx ends. What is being sent then is left
// to another server, or to this one when it comes back.
func (h *Handler) deliver(ctx context.Context) {
	owner := rand.Text()
	free := make(chan struct{}, hookSenders)
	var sending sync.WaitGroup
	defer sending.Wait()
	due := time.NewTimer(0)
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.Wake:
		case <-due.C:
		}
		for ctx.Err() == nil {
			free <- struct{}{} // an attempt takes no longer than its time limit
			m, hook, err := h.Data.ClaimDelivery(ctx, owner, h.Now(), hookLease)
			if err != nil {
				<-free
				if !errors.Is(err, appdb.ErrNotFound) && !errors.As(err, new(*appdb.UnavailableError)) {
					h.Warn(ctx, "failed to read pending webhook messages", err)
				}
				break
			}
			sending.Go(func() {
				defer func() { <-free }()
				h.sendHook(ctx, m, hook)
				h.Wake.Notify() // another message of this webhook may wait
			})
		}
		due.Reset(h.untilNextHook(ctx))
	}
}

func (h *Handler) untilNextHook(ctx context.Context) time.Duration {
	next, err := h.Data.NextDelivery(ctx)
	if err != nil || next.IsZero() {
		return hookRest
	}
	return min(max(next.Sub(h.Now()), time.Second/10), hookRest)
}

// sendHook makes one attempt and keeps what became of it.
func (h *Handler) sendHook(ctx context.Context, m appdb.Delivery, hook appdb.Webhook) {
	result := h.Sender.Send(ctx, webhook.Message{ID: m.ID, URL: hook.URL, Secret: hook.Secret, Body: m.Body}, h.Now())
	now := h.Now()
	if ctx.Err() != nil { // it was cut short, which says nothing of the receiver
		m.Attempt, m.Next = m.Attempt-1, now
	} else {
		m.Status, m.Answer, m.Error = result.Status, present.Redact(result.Answer), result.Error
		m.Next = now.Add(max(webhook.Pause(m.Attempt, mathrand.Float64()), result.After))
		switch {
		case result.Delivered():
			m.State = appdb.DeliveryDone
		case result.Status == http.StatusGone || m.Next.After(m.Until):
			m.State = appdb.DeliveryGivenUp
		}
	}
	settling, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := h.Data.SettleDelivery(settling, m); err != nil {
		h.Log.WarnContext(ctx, "failed to record a webhook delivery", "message", m.ID, "err", err)
	}
}
