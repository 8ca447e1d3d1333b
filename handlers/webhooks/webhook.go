package webhooks

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"wavedeck/handlers/audit"
	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/handlers/webhook"
	"wavedeck/store"
	"wavedeck/store/appdb"
	"wavedeck/store/criteria"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// hookShown is how many messages the page of a webhook lists.
const hookShown = 50

type hookResponse struct {
	URL        string            `json:"url,omitempty"` // empty: the view has no webhook
	On         []string          `json:"on,omitempty"`
	Secret     string            `json:"secret,omitempty"` // only in the answer to the request that had it made
	Created    *time.Time        `json:"created_at,omitempty"`
	Deliveries []deliverySummary `json:"deliveries"`
}

type deliverySummary struct {
	ID      string     `json:"id"`
	Type    string     `json:"type"`
	RunID   string     `json:"run_id,omitempty"`
	State   string     `json:"state"` // waiting, delivered, given up
	Created time.Time  `json:"created_at"`
	Attempt int        `json:"attempts"`
	Sent    *time.Time `json:"sent_at,omitempty"`
	Status  int        `json:"status,omitempty"`
	Answer  string     `json:"answer,omitempty"` // its first bytes
	Error   string     `json:"error,omitempty"`
	Next    *time.Time `json:"next_at,omitempty"`
}

// hookPage is the data of the page of a webhook.
type hookPage struct {
	view   appdb.SavedView
	hook   appdb.Webhook // the zero one: there is none
	set    bool
	secret string     // that was made now; shown once
	filled url.Values // what was filled in and could not be taken; nil: nothing
	wrong  error
}

// hookOf reads a saved view and its webhook.
func (h *Handler) hookOf(r *http.Request) (hookPage, error) {
	var page hookPage
	id, err := runview.ViewID(r)
	if err != nil {
		return page, err
	}
	if page.view, err = h.Data.SavedView(r.Context(), id); err != nil {
		return page, runview.ViewError(err)
	}
	page.hook, err = h.Data.Webhook(r.Context(), id)
	page.set = err == nil
	if errors.Is(err, appdb.ErrNotFound) {
		err = nil
	}
	return page, err
}

// showHook is the page of where a view sends word to, and what became of it.
func (h *Handler) showHook(w http.ResponseWriter, r *http.Request) error {
	page, err := h.hookOf(r)
	if err != nil {
		return err
	}
	return h.answerHook(w, r, http.StatusOK, page)
}

func (h *Handler) answerHook(w http.ResponseWriter, r *http.Request, status int, page hookPage) error {
	messages, err := h.Data.Deliveries(r.Context(), page.view.ID, hookShown)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	if h.WantsJSON(r) {
		h.WriteJSON(w, r, status, h.hookAnswer(page, messages))
		return nil
	}
	view := h.hookPageView(r, page, messages)
	if web.IsFragment(r) {
		h.WriteHTML(w, r, status, views.WebhookDeliveries(view))
		return nil
	}
	h.WriteHTML(w, r, status, views.WebhookPage(view))
	return nil
}

func (h *Handler) hookAnswer(page hookPage, messages []appdb.Delivery) hookResponse {
	answer := hookResponse{Deliveries: []deliverySummary{}, Secret: page.secret}
	if page.set {
		created := page.hook.Created.UTC()
		answer.URL, answer.On, answer.Created = h.hookAddress(page.hook), page.hook.Ends, &created
	}
	for _, m := range messages {
		sum := deliverySummary{
			ID: m.ID, Type: m.Type, RunID: m.Run, State: m.State, Created: m.Created.UTC(), Attempt: m.Attempt,
			Status: m.Status, Answer: m.Answer, Error: m.Error,
		}
		if !m.Sent.IsZero() {
			sent := m.Sent.UTC()
			sum.Sent = &sent
		}
		if m.State == appdb.DeliveryWaiting {
			next := m.Next.UTC()
			sum.Next = &next
		}
		answer.Deliveries = append(answer.Deliveries, present.Bounded(sum))
	}
	return answer
}

// hookAddress is the address of a webhook, for who may change it; for others its site,
// for the rest of an address is often a secret of its own.
func (h *Handler) hookAddress(webhook appdb.Webhook) string {
	if h.ReadOnly {
		return siteOf(webhook.URL)
	}
	return webhook.URL
}

// siteOf is scheme, name and port of an address.
func siteOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func (h *Handler) hookPageView(r *http.Request, page hookPage, messages []appdb.Delivery) views.WebhookView {
	id := strconv.FormatInt(page.view.ID, 10)
	v := views.WebhookView{
		Layout: h.Layout(r, "runs", "Webhook of "+page.view.Name, ""), View: page.view.Name, Set: page.set, Secret: page.secret,
		Action: h.Paths.Webhook(id, ""), Remove: h.Paths.Webhook(id, "remove"), Test: h.Paths.Webhook(id, "test"), Again: h.Paths.Webhook(id, "again"),
		Refresh: h.Paths.Webhook(id, ""), List: h.Paths.View(id, ""),
	}
	address, on := "", []string{string(wave.Failed), string(wave.Rejected), string(wave.Lost)}
	if page.set {
		address, on = h.hookAddress(page.hook), page.hook.Ends
		v.Site = siteOf(page.hook.URL)
	}
	if page.filled != nil {
		address, on = present.Clip(page.filled.Get("url"), web.MaxName), page.filled["on"]
	}
	v.URL = address
	for _, state := range hookEnds() {
		v.Ends = append(v.Ends, views.WebhookEnd{Value: string(state), State: string(state), Word: present.StateWord(state), On: slices.Contains(on, string(state))})
	}
	v.Ends = append(v.Ends, views.WebhookEnd{Value: hookAttention, State: "waiting", Word: "needs attention", On: slices.Contains(on, hookAttention)})
	if page.wrong != nil {
		failure := web.Describe(page.wrong)
		v.Problem, v.Next = failure.Text, failure.Next
	}
	for _, m := range messages {
		row := present.Bounded(views.WebhookDelivery{
			ID: m.ID, Type: m.Type, Run: m.Run, State: m.State, Attempts: m.Attempt, Created: m.Created, Sent: m.Sent,
			Status: m.Status, Answer: m.Answer, Error: m.Error,
		})
		if m.State == appdb.DeliveryWaiting {
			row.Next = m.Next
		}
		v.Deliveries = append(v.Deliveries, row)
	}
	return v
}

// setHook makes or changes where a view sends word to: url, on (repeatable), and
// secret; without one it stays, or a new webhook gets one that is shown this once.
// renew makes another one.
func (h *Handler) setHook(w http.ResponseWriter, r *http.Request) error {
	page, err := h.hookOf(r)
	if err != nil {
		return err
	}
	audit.RecordOf(r.Context()).Param("view", page.view.Name)
	values, err := web.ReadBody(r, "url", "secret", "on", "renew")
	if err != nil {
		return err
	}
	hook, secret, err := h.readHook(values, page)
	if err == nil {
		hook.Base = h.Origin(r) + string(h.Paths)
		audit.RecordOf(r.Context()).Param("site", siteOf(hook.URL))
		audit.RecordOf(r.Context()).Param("on", strings.Join(hook.Ends, ","))
		err = h.keepHook(r.Context(), hook, page)
	}
	if err != nil {
		failure := web.Describe(err)
		if h.WantsJSON(r) || failure.Status != http.StatusBadRequest {
			return err
		}
		audit.RecordOf(r.Context()).Refused(failure.Text)
		values.Del("secret")
		page.filled, page.wrong = values, err
		return h.answerHook(w, r, http.StatusBadRequest, page)
	}
	page, err = h.hookOf(r)
	if err != nil {
		return err
	}
	page.secret = secret
	return h.answerHook(w, r, http.StatusOK, page)
}

// keepHook sets a webhook. What has happened before is not sent to a new one, nor
// what needs attention already to one that only reports that from now on.
func (h *Handler) keepHook(ctx context.Context, hook appdb.Webhook, was hookPage) error {
	var past []appdb.Event
	more := slices.Contains(hook.Ends, hookAttention) && !slices.Contains(was.hook.Ends, hookAttention)
	if !was.set || more {
		var err error
		past, err = h.pastOf(ctx)
		if err != nil && !errors.Is(err, store.ErrUnavailable) {
			return err
		}
	}
	if was.set && len(past) > 0 {
		if err := h.passOver(ctx, hook.View, past); err != nil {
			return err
		}
	}
	return runview.ViewError(h.Data.SetWebhook(ctx, hook, past, h.Now()))
}

// readHook understands what was filled in. The second result is a secret that
// was made now.
func (h *Handler) readHook(values url.Values, page hookPage) (hook appdb.Webhook, made string, err error) {
	hook = appdb.Webhook{View: page.view.ID, URL: strings.TrimSpace(values.Get("url"))}
	if _, err := h.Guard.ParseURL(hook.URL); err != nil {
		return hook, "", &web.Error{Status: http.StatusBadRequest, Text: "the address is not valid for a webhook", Next: "It should be " + err.Error() + ".", Err: err}
	}
	known := []string{hookAttention}
	for _, state := range hookEnds() {
		known = append(known, string(state))
	}
	for _, on := range web.Names(values, "on") {
		if !slices.Contains(known, on) {
			return hook, "", &criteria.InputError{Field: "on", Got: present.Clip(on, 64), Want: "one of " + strings.Join(known, ", ")}
		}
		hook.Ends = append(hook.Ends, on)
	}
	if len(hook.Ends) == 0 {
		return hook, "", &web.Error{Status: http.StatusBadRequest, Text: "no event was chosen", Next: "Choose one or more of " + strings.Join(known, ", ") + "."}
	}
	renew, err := web.Bool(values, "renew")
	if err != nil {
		return hook, "", err
	}
	switch given := values.Get("secret"); {
	case given != "":
		secret, err := webhook.ParseSecret(given)
		if err != nil {
			return hook, "", &web.Error{Status: http.StatusBadRequest, Text: "the secret cannot be used", Next: "It should be " + err.Error() + "; without one, one is made.", Err: err}
		}
		hook.Secret = secret
	case renew || !page.set:
		secret := webhook.NewSecret()
		hook.Secret, made = secret, secret.Text()
	}
	return hook, made, nil
}

// changeHook carries out a change of a saved view's webhook and leads back to its page.
func (h *Handler) changeHook(w http.ResponseWriter, r *http.Request, change func(hookPage, url.Values) error, fields ...string) error {
	page, err := h.hookOf(r)
	if err != nil {
		return err
	}
	audit.RecordOf(r.Context()).Param("view", page.view.Name)
	if !page.set {
		return &web.Error{Status: http.StatusNotFound, Text: "this view has no webhook", Next: "Set one first, at " + h.Paths.Webhook(strconv.FormatInt(page.view.ID, 10), "") + "."}
	}
	audit.RecordOf(r.Context()).Param("site", siteOf(page.hook.URL))
	values, err := web.ReadBody(r, fields...)
	if err != nil {
		return err
	}
	if err := change(page, values); err != nil {
		return err
	}
	h.Wake.Notify()
	if h.WantsJSON(r) {
		page, err := h.hookOf(r)
		if err != nil {
			return err
		}
		return h.answerHook(w, r, http.StatusOK, page)
	}
	http.Redirect(w, r, h.Paths.Webhook(strconv.FormatInt(page.view.ID, 10), ""), http.StatusSeeOther)
	return nil
}

func (h *Handler) removeHook(w http.ResponseWriter, r *http.Request) error {
	return h.changeHook(w, r, func(page hookPage, _ url.Values) error { return h.Data.RemoveWebhook(r.Context(), page.view.ID) })
}

// testHook sends a message that says that it is a test.
func (h *Handler) testHook(w http.ResponseWriter, r *http.Request) error {
	return h.changeHook(w, r, func(page hookPage, _ url.Values) error {
		m, err := encodeMessage(page.view.ID, "", h.hookBody(page.hook, page.view, hookTypeTest))
		if err != nil {
			return err
		}
		return h.Data.EnqueueTest(r.Context(), m)
	})
}

// sendHookAgain makes a message due now: id=.
func (h *Handler) sendHookAgain(w http.ResponseWriter, r *http.Request) error {
	return h.changeHook(w, r, func(page hookPage, values url.Values) error {
		audit.RecordOf(r.Context()).Param("id", values.Get("id"))
		now := h.Now()
		err := h.Data.SendAgain(r.Context(), page.view.ID, values.Get("id"), now, now.Add(webhook.GiveUp))
		if errors.Is(err, appdb.ErrNotFound) {
			return &web.Error{Status: http.StatusNotFound, Text: "no such message", Next: "The last " + strconv.Itoa(hookShown) + " are on the page of the webhook.", Err: err}
		}
		return err
	}, "id")
}
