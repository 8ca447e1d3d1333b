package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"wavedeck/handlers/webhook"
	"wavedeck/store"
	"wavedeck/store/appdb"
	"wavedeck/store/criteria"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// hookShown is how many messages the page of a hook lists.
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

// hookPage is the page of a hook before it is shown.
type hookPage struct {
	view   appdb.SavedView
	hook   appdb.Webhook // the zero one: there is none
	set    bool
	secret string     // that was made now; shown once
	filled url.Values // what was filled in and could not be taken; nil: nothing
	wrong  error
}

// hookOf reads a view and its hook.
func (s *Server) hookOf(r *http.Request) (hookPage, error) {
	var page hookPage
	id, err := viewID(r)
	if err != nil {
		return page, err
	}
	if page.view, err = s.desk.SavedView(r.Context(), id); err != nil {
		return page, viewError(err)
	}
	page.hook, err = s.desk.Webhook(r.Context(), id)
	page.set = err == nil
	if errors.Is(err, appdb.ErrNotFound) {
		err = nil
	}
	return page, err
}

// showHook is the page of where a view sends word to, and what became of it.
func (s *Server) showHook(w http.ResponseWriter, r *http.Request) error {
	page, err := s.hookOf(r)
	if err != nil {
		return err
	}
	return s.answerHook(w, r, http.StatusOK, page)
}

func (s *Server) answerHook(w http.ResponseWriter, r *http.Request, status int, page hookPage) error {
	messages, err := s.desk.Deliveries(r.Context(), page.view.ID, hookShown)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	if s.wantsJSON(r) {
		s.writeJSON(w, r, status, s.hookAnswer(page, messages))
		return nil
	}
	view := s.hookPageView(r, page, messages)
	if isFragment(r) {
		s.writeHTML(w, r, status, views.HookDeliveries(view))
		return nil
	}
	s.writeHTML(w, r, status, views.HookPage(view))
	return nil
}

func (s *Server) hookAnswer(page hookPage, messages []appdb.Delivery) hookResponse {
	answer := hookResponse{Deliveries: []deliverySummary{}, Secret: page.secret}
	if page.set {
		created := page.hook.Created.UTC()
		answer.URL, answer.On, answer.Created = s.hookAddress(page.hook), page.hook.Ends, &created
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
		answer.Deliveries = append(answer.Deliveries, bounded(sum))
	}
	return answer
}

// hookAddress is where a hook goes, for who may change it; for others its site,
// for the rest of an address is often a secret of its own.
func (s *Server) hookAddress(h appdb.Webhook) string {
	if s.readOnly {
		return siteOf(h.URL)
	}
	return h.URL
}

// siteOf is scheme, name and port of an address.
func siteOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func (s *Server) hookPageView(r *http.Request, page hookPage, messages []appdb.Delivery) views.HookView {
	id := strconv.FormatInt(page.view.ID, 10)
	v := views.HookView{
		Chrome: s.chrome(r, "runs", "Webhook of "+page.view.Name, ""), View: page.view.Name, Set: page.set, Secret: page.secret,
		Action: s.paths.Hook(id, ""), Remove: s.paths.Hook(id, "remove"), Test: s.paths.Hook(id, "test"), Again: s.paths.Hook(id, "again"),
		Refresh: s.paths.Hook(id, ""), List: s.paths.View(id, ""),
	}
	address, on := "", []string{string(wave.Failed), string(wave.Rejected), string(wave.Lost)}
	if page.set {
		address, on = s.hookAddress(page.hook), page.hook.Ends
		v.Site = siteOf(page.hook.URL)
	}
	if page.filled != nil {
		address, on = clip(page.filled.Get("url"), maxName), page.filled["on"]
	}
	v.URL = address
	for _, state := range hookEnds() {
		v.Ends = append(v.Ends, views.HookEnd{Value: string(state), State: string(state), Word: stateWord(state), On: slices.Contains(on, string(state))})
	}
	v.Ends = append(v.Ends, views.HookEnd{Value: hookAttention, State: "waiting", Word: "needs attention", On: slices.Contains(on, hookAttention)})
	if page.wrong != nil {
		told := describe(page.wrong)
		v.Problem, v.Next = told.text, told.next
	}
	for _, m := range messages {
		row := bounded(views.HookDelivery{
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
// secret; without one it stays, or a new hook gets one that is shown this once.
// renew makes another one.
func (s *Server) setHook(w http.ResponseWriter, r *http.Request) error {
	page, err := s.hookOf(r)
	if err != nil {
		return err
	}
	acting(r.Context()).with("view", page.view.Name)
	values, err := readBody(r, "url", "secret", "on", "renew")
	if err != nil {
		return err
	}
	hook, secret, err := s.readHook(values, page)
	if err == nil {
		hook.Base = s.origin(r) + string(s.paths)
		acting(r.Context()).with("site", siteOf(hook.URL))
		acting(r.Context()).with("on", strings.Join(hook.Ends, ","))
		err = s.keepHook(r.Context(), hook, page)
	}
	if err != nil {
		told := describe(err)
		if s.wantsJSON(r) || told.status != http.StatusBadRequest {
			return err
		}
		acting(r.Context()).refused(told.text)
		values.Del("secret")
		page.filled, page.wrong = values, err
		return s.answerHook(w, r, http.StatusBadRequest, page)
	}
	page, err = s.hookOf(r)
	if err != nil {
		return err
	}
	page.secret = secret
	return s.answerHook(w, r, http.StatusOK, page)
}

// keepHook sets a hook. What has happened before is not told to a new one, nor
// what needs attention already to one that only tells of that from now on.
func (s *Server) keepHook(ctx context.Context, hook appdb.Webhook, was hookPage) error {
	var past []appdb.Event
	more := slices.Contains(hook.Ends, hookAttention) && !slices.Contains(was.hook.Ends, hookAttention)
	if !was.set || more {
		var err error
		past, err = s.pastOf(ctx)
		if err != nil && !errors.Is(err, store.ErrUnavailable) {
			return err
		}
	}
	if was.set && len(past) > 0 {
		if err := s.passOver(ctx, hook.View, past); err != nil {
			return err
		}
	}
	return viewError(s.desk.SetWebhook(ctx, hook, past, s.now()))
}

// readHook understands what was filled in. The second result is a secret that
// was made now.
func (s *Server) readHook(values url.Values, page hookPage) (hook appdb.Webhook, made string, err error) {
	hook = appdb.Webhook{View: page.view.ID, URL: strings.TrimSpace(values.Get("url"))}
	if _, err := s.hookGuard.ParseURL(hook.URL); err != nil {
		return hook, "", &httpError{status: http.StatusBadRequest, text: "this is nowhere that a webhook can go to", next: "It should be " + err.Error() + ".", err: err}
	}
	known := []string{hookAttention}
	for _, state := range hookEnds() {
		known = append(known, string(state))
	}
	for _, on := range names(values, "on") {
		if !slices.Contains(known, on) {
			return hook, "", &criteria.InputError{Field: "on", Got: clip(on, 64), Want: "one of " + strings.Join(known, ", ")}
		}
		hook.Ends = append(hook.Ends, on)
	}
	if len(hook.Ends) == 0 {
		return hook, "", &httpError{status: http.StatusBadRequest, text: "nothing was chosen to be told", next: "Choose one or more of " + strings.Join(known, ", ") + "."}
	}
	renew, err := truth(values, "renew")
	if err != nil {
		return hook, "", err
	}
	switch given := values.Get("secret"); {
	case given != "":
		secret, err := webhook.ParseSecret(given)
		if err != nil {
			return hook, "", &httpError{status: http.StatusBadRequest, text: "the secret cannot be used", next: "It should be " + err.Error() + "; without one, one is made.", err: err}
		}
		hook.Secret = secret
	case renew || !page.set:
		secret := webhook.NewSecret()
		hook.Secret, made = secret, secret.Text()
	}
	return hook, made, nil
}

// changeHook carries out a change of a view's hook and leads back to its page.
func (s *Server) changeHook(w http.ResponseWriter, r *http.Request, change func(hookPage, url.Values) error, fields ...string) error {
	page, err := s.hookOf(r)
	if err != nil {
		return err
	}
	acting(r.Context()).with("view", page.view.Name)
	if !page.set {
		return &httpError{status: http.StatusNotFound, text: "this view has no webhook", next: "Set one first, at " + s.paths.Hook(strconv.FormatInt(page.view.ID, 10), "") + "."}
	}
	acting(r.Context()).with("site", siteOf(page.hook.URL))
	values, err := readBody(r, fields...)
	if err != nil {
		return err
	}
	if err := change(page, values); err != nil {
		return err
	}
	s.hookWake.up()
	if s.wantsJSON(r) {
		page, err := s.hookOf(r)
		if err != nil {
			return err
		}
		return s.answerHook(w, r, http.StatusOK, page)
	}
	http.Redirect(w, r, s.paths.Hook(strconv.FormatInt(page.view.ID, 10), ""), http.StatusSeeOther)
	return nil
}

func (s *Server) removeHook(w http.ResponseWriter, r *http.Request) error {
	return s.changeHook(w, r, func(page hookPage, _ url.Values) error { return s.desk.RemoveWebhook(r.Context(), page.view.ID) })
}

// testHook sends a message that says that it is a test.
func (s *Server) testHook(w http.ResponseWriter, r *http.Request) error {
	return s.changeHook(w, r, func(page hookPage, _ url.Values) error {
		m, err := encodeMessage(page.view.ID, "", s.hookBody(page.hook, page.view, hookTypeTest))
		if err != nil {
			return err
		}
		return s.desk.EnqueueTest(r.Context(), m)
	})
}

// sendHookAgain makes a message due now: id=.
func (s *Server) sendHookAgain(w http.ResponseWriter, r *http.Request) error {
	return s.changeHook(w, r, func(page hookPage, values url.Values) error {
		acting(r.Context()).with("id", values.Get("id"))
		now := s.now()
		err := s.desk.SendAgain(r.Context(), page.view.ID, values.Get("id"), now, now.Add(webhook.GiveUp))
		if errors.Is(err, appdb.ErrNotFound) {
			return &httpError{status: http.StatusNotFound, text: "there is no such message", next: "The last " + strconv.Itoa(hookShown) + " are on the page of the webhook.", err: err}
		}
		return err
	}, "id")
}
