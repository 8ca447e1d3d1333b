package health

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"wavedeck/handlers/web"
	"wavedeck/views"
)

// condition is the result of a check.
type condition string

// The conditions, from the best to what an operator has to see first.
const (
	healthy condition = "ok"
	unsure  condition = "unknown" // it cannot be determined
	warned  condition = "warning" // it works, and will not for ever
	unwell  condition = "broken"
)

func (c condition) worse(than condition) bool {
	order := []condition{healthy, unsure, warned, unwell}
	return slices.Index(order, c) > slices.Index(order, than)
}

// check looks at one thing. It takes no longer the more history there is, and
// what it cannot find out it reports as unknown.
type check interface {
	look(ctx context.Context) finding
}

// checkFunc is a check that is a function.
type checkFunc func(ctx context.Context) finding

func (f checkFunc) look(ctx context.Context) finding { return f(ctx) }

// checks are all checks of the health page, in its order.
func (h *Handler) checks() []check {
	return []check{
		checkFunc(h.lookDatabase), checkFunc(h.lookSchema), checkFunc(h.lookChanges), checkFunc(h.lookIndex), checkFunc(h.lookSearch),
		checkFunc(h.lookProject), checkFunc(h.lookEngine), checkFunc(h.lookStreams), checkFunc(h.lookData), checkFunc(h.lookHooks),
		checkFunc(h.lookDisk), checkFunc(h.lookProcess),
	}
}

// finding is what a check found.
type finding struct {
	Key   string         `json:"key"`
	Name  string         `json:"name"`
	State condition      `json:"state"`
	Facts map[string]any `json:"facts"`
	Do    string         `json:"do,omitempty"` // what to do, in words

	shown []views.HealthFact
}

func found(key, name string) finding {
	return finding{Key: key, Name: name, State: healthy, Facts: map[string]any{}}
}

// become makes the finding as bad as state unless it is worse already; the
// first that says what to do is heard.
func (f *finding) become(state condition, do string) {
	if state.worse(f.State) {
		f.State, f.Do = state, do
	}
}

// text notes a fact that is shown as it is. Empty is unknown.
func (f *finding) text(key, name, value string) {
	if value == "" {
		f.Facts[key] = nil
		value = "unknown"
	} else {
		f.Facts[key] = value
	}
	f.show(name, value)
}

func (f *finding) number(key, name string, n int) {
	f.Facts[key] = n
	f.show(name, views.Number(int64(n)))
}

// bytes notes a size; below 0 it is not known.
func (f *finding) bytes(key, name string, n int64) {
	if n < 0 {
		f.text(key, name, "")
		return
	}
	f.Facts[key] = n
	f.show(name, views.Bytes(n))
}

func (f *finding) took(key, name string, d time.Duration) {
	f.Facts[key+"_ms"] = d.Milliseconds()
	f.show(name, d.Round(time.Millisecond).String())
}

// at notes a moment; the zero one is never.
func (f *finding) at(key, name string, t time.Time) {
	if t.IsZero() {
		f.Facts[key] = nil
		f.show(name, "never")
		return
	}
	f.Facts[key] = t.UTC()
	f.shown = append(f.shown, views.HealthFact{Name: name, At: t})
}

func (f *finding) show(name, text string) {
	f.shown = append(f.shown, views.HealthFact{Name: name, Text: text})
}

type healthAnswer struct {
	State  condition `json:"state"` // the worst of all
	At     time.Time `json:"at"`
	Checks []finding `json:"checks"`
}

// examine looks at everything.
func (h *Handler) examine(ctx context.Context) healthAnswer {
	answer := healthAnswer{State: healthy, At: h.Now().UTC()}
	for _, c := range h.checks() {
		f := c.look(ctx)
		if f.State.worse(answer.State) {
			answer.State = f.State
		}
		answer.Checks = append(answer.Checks, f)
	}
	return answer
}

// showHealth is the page of health, its table for htmx, or the same as JSON.
// Its status is 200 whenever the page can be written; machines use healthz.
func (h *Handler) showHealth(w http.ResponseWriter, r *http.Request) error {
	answer := h.examine(r.Context())
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Add("Vary", "Accept")
	if h.WantsJSON(r) {
		h.WriteJSON(w, r, http.StatusOK, answer)
		return nil
	}
	view := views.HealthView{Layout: h.Layout(r, "health", "Health", "list=1"), Refresh: h.Paths.Health(), State: string(answer.State)}
	view.Forms = []views.Form{{Label: web.Labels[web.FormatJSON], Type: web.MediaTypes[web.FormatJSON][0], Href: h.Paths.APIHealth()}}
	for _, f := range answer.Checks {
		view.Rows = append(view.Rows, views.HealthRow{Key: f.Key, Name: f.Name, State: string(f.State), Facts: f.shown, Do: f.Do})
	}
	component := views.HealthPage(view)
	if web.IsFragment(r) {
		component = views.HealthTable(view)
	}
	h.WriteHTML(w, r, http.StatusOK, component)
	return nil
}

func plural(n int, one string) string {
	if n == 1 {
		return strconv.Itoa(n) + " " + one
	}
	return strconv.Itoa(n) + " " + one + "s"
}
