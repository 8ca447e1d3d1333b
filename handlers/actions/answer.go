package actions

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"wavedeck/handlers/audit"
	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/runner"
	"wavedeck/store/appdb"
	"wavedeck/store/gate"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// Fields of an answer.
const (
	fieldChoice = "choice"
	fieldText   = "text"
	fieldGate   = "gate" // the event by which the gate began to wait; empty: whichever waits now
	fieldStep   = "step"
)

// actAnswer names an answer in the audit log.
const actAnswer = "answer"

// gateAnswer is the JSON answer to one.
type gateAnswer struct {
	RunID  string     `json:"run_id"`
	Step   string     `json:"step"`
	Gate   int64      `json:"gate,omitempty"`
	Choice string     `json:"choice"`
	Label  string     `json:"label,omitempty"`
	Target string     `json:"target,omitempty"`
	Text   string     `json:"text,omitempty"`
	By     string     `json:"answered_by"`
	At     *time.Time `json:"answered_at"`
}

// answers gives answers to gates, for people and when their time is over.
type answers struct{ *Handler }

// answer gives a gate of a run an answer, if it is the first.
func (h answers) answer(w http.ResponseWriter, r *http.Request) error {
	engine, err := h.RequireEngine()
	if err != nil {
		return err
	}
	id, err := web.PathVar(r, "run")
	if err != nil {
		return err
	}
	step, err := web.PathVar(r, fieldStep)
	if err != nil {
		return err
	}
	a := audit.RecordOf(r.Context())
	a.About(id, "")
	a.Param(fieldStep, step)
	values, err := web.ReadBody(r, fieldChoice, fieldText, fieldGate)
	if err != nil {
		return err
	}
	given := runner.Answer{
		Step: step, Choice: values.Get(fieldChoice), Text: gate.Line(values.Get(fieldText)), At: h.Now().UTC().Truncate(time.Second), Who: whoIs(r),
	}
	if text := strings.TrimSpace(values.Get(fieldGate)); text != "" {
		if given.Gate, err = strconv.ParseInt(text, 10, 64); err != nil || given.Gate <= 0 {
			return &web.Error{Status: http.StatusBadRequest, Text: fieldGate + " is not the id of an event"}
		}
	}
	a.Param(fieldChoice, present.Clip(given.Choice, present.NameShown))
	if given.Text != "" {
		a.Param(fieldText, given.Text)
	}
	run, err := h.Store.Run(r.Context(), id)
	if err != nil {
		return err
	}
	a.About(id, run.Pipeline)
	asked, err := h.askedGate(r.Context(), run, &given)
	if err != nil {
		return err
	}
	if asked != nil {
		if err := h.give(r.Context(), engine, *asked, &given); err != nil {
			return err
		}
		a.Param(fieldGate, strconv.FormatInt(given.Gate, 10))
		h.Shared.Acted.Add(1)
	}
	h.answerGate(w, r, id, given, asked)
	return nil
}

// whoIs is who answers, as others read it.
func whoIs(r *http.Request) string {
	v := web.VisitorOf(r)
	return present.Clip(cmp.Or(v.Says, v.Who), present.NameShown)
}

// askedGate finds the gate that an answer is for, and makes the answer one that can be
// typed there. It is nil, without an error, when the very answer was given before.
func (h answers) askedGate(ctx context.Context, run wave.Run, given *runner.Answer) (*runview.Asked, error) {
	asked, err := h.AskedAt(ctx, run, given.Step)
	if err != nil {
		return nil, err
	}
	if asked == nil || given.Gate != 0 && asked.Event != given.Gate {
		return nil, h.passed(ctx, run, *given)
	}
	choice, known := asked.Choice(given.Choice)
	switch {
	case !known:
		return nil, &web.Error{Status: http.StatusBadRequest, Text: fmt.Sprintf("choice %s is none of this gate", web.Quoted(present.Clip(given.Choice, present.NameShown))), Next: "It should be " + keysOf(asked.Choices) + "."}
	case len(given.Text) > runner.MaxNotes:
		return nil, &web.Error{Status: http.StatusBadRequest, Text: fmt.Sprintf("text has %d bytes", len(given.Text)), Next: fmt.Sprintf("It should have at most %d: the gate reads it from one line.", runner.MaxNotes)}
	case given.Text != "" && !asked.Freeform:
		return nil, &web.Error{Status: http.StatusBadRequest, Text: "this gate takes no text", Next: "Send the choice alone."}
	}
	given.Gate, given.Asks = asked.Event, asked.Freeform
	if first := asked.First; first != nil {
		if first.Same(*given) {
			*given = *first
			return nil, nil
		}
		return nil, h.alreadyAnswered(given.Step, first.Choice, first.Who, first.At)
	}
	if asked.Why != "" {
		return nil, h.elsewhere(run, asked.Gate)
	}
	if !choice.Usable {
		return nil, &web.Error{Status: http.StatusConflict, Text: "this choice cannot be typed, because its key has blanks at its ends or control characters", Next: "Correct the key in the definition of the pipeline."}
	}
	return asked, nil
}

// give gives an answer. Who was first is told when it was somebody else.
func (h answers) give(ctx context.Context, engine runner.Engine, asked runview.Asked, given *runner.Answer) error {
	answerer, ok := engine.(runner.Answerer)
	if !ok {
		return h.elsewhere(wave.Run{ID: asked.Run}, asked.Gate)
	}
	first, err := answerer.Answer(ctx, asked.Root.ID, *given)
	switch {
	case errors.Is(err, runner.ErrStopping):
		return &web.Error{Status: http.StatusConflict, Text: "the run is being stopped, and takes no answer", Err: err}
	case errors.Is(err, runner.ErrNoTerminal):
		return &web.Error{Status: http.StatusConflict, Text: "the process that held its terminal is gone", Next: "Its page shows what became of it: " + h.Paths.Run(asked.Run) + ".", Err: err}
	case err != nil:
		return fmt.Errorf("answer the gate %s of %s: %w", given.Step, asked.Run, err)
	case !first.Same(*given):
		return h.alreadyAnswered(given.Step, first.Choice, first.Who, first.At)
	}
	*given = first
	h.awaitAnswered(ctx, asked.Run, *given)
	return nil
}

// answeredWithin is how long an answer is waited for to show, so that who gave it
// sees what came of it.
const answeredWithin = 2 * time.Second

func (h answers) awaitAnswered(ctx context.Context, id string, given runner.Answer) {
	ctx, cancel := context.WithTimeout(ctx, answeredWithin)
	defer cancel()
	sub := h.Store.Subscribe()
	defer sub.Close()
	for {
		run, err := h.Store.Run(ctx, id)
		if err != nil {
			return
		}
		if asked, err := h.AskedAt(ctx, run, given.Step); err != nil || asked == nil || asked.Event != given.Gate {
			return
		}
		select {
		case <-sub.Ready():
			sub.Take()
		case <-ctx.Done():
			return
		}
	}
}

// passed says what became of a gate that does not wait: who answered it, as far as
// the audit log knows. It is nil when the very answer was given before.
func (h answers) passed(ctx context.Context, run wave.Run, given runner.Answer) error {
	d, err := h.Store.Detail(ctx, run.ID)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(d.Steps, func(s wave.Step) bool { return s.ID == given.Step && (s.Gate || s.Kind == "gate") })
	if at < 0 {
		return &web.Error{Status: http.StatusNotFound, Text: "this run has no gate " + web.Quoted(given.Step), Next: "Its page shows its steps: " + h.Paths.Run(run.ID) + "."}
	}
	page, err := h.Data.Audit(ctx, appdb.AuditFilter{Run: run.ID, Action: actAnswer, Limit: answersRead})
	if err == nil {
		for _, line := range page.Entries {
			if line.Result != appdb.Done || line.Params[fieldStep] != given.Step || given.Gate != 0 && line.Params[fieldGate] != strconv.FormatInt(given.Gate, 10) {
				continue
			}
			who := cmp.Or(line.Says, line.Who)
			if line.Params[fieldChoice] == given.Choice && line.Params[fieldText] == given.Text && who == given.Who {
				return nil
			}
			return h.alreadyAnswered(given.Step, line.Params[fieldChoice], present.Redact(who), line.At)
		}
	}
	if d.Steps[at].State == wave.Pending {
		return &web.Error{Status: http.StatusConflict, Text: fmt.Sprintf("the gate %s does not wait yet", web.Quoted(given.Step)), Next: "Answer it when the run has come to it."}
	}
	return &web.Error{Status: http.StatusConflict, Text: fmt.Sprintf("the gate %s does not wait any more", web.Quoted(given.Step)), Next: "It was answered elsewhere, or its time was over. The events of the run say which: " + h.Paths.Run(run.ID) + "."}
}

// answersRead bounds the search for who answered a gate.
const answersRead = 50

func (h answers) alreadyAnswered(step, choice, who string, at time.Time) error {
	return &web.Error{
		Status: http.StatusConflict,
		Text:   fmt.Sprintf("the gate %s was already answered with %s by %s %s", web.Quoted(step), web.Quoted(choice), web.Quoted(who), views.Ago(at, h.Now())),
		Next:   "The first answer counts.",
	}
}

// elsewhere says why a gate is not answered here, and where it can be.
func (h answers) elsewhere(run wave.Run, g views.Gate) error {
	failure := &web.Error{Status: http.StatusConflict, Text: cmp.Or(strings.TrimSuffix(g.Why, "."), "No gate is answered from this console"), Next: "See " + h.Paths.Run(run.ID) + "."}
	if p := g.Place; p != nil {
		words := []string{"host " + p.Host}
		if p.PID > 0 {
			words = append(words, fmt.Sprintf("process %d", p.PID))
		}
		for _, word := range [][2]string{{"terminal ", p.Terminal}, {"user ", p.User}, {"command ", p.Command}} {
			if word[1] != "" {
				words = append(words, word[0]+word[1])
			}
		}
		failure.Next = "It can be answered where it runs: " + strings.Join(words, ", ") + "."
	}
	return failure
}

func keysOf(choices []views.GateChoice) string {
	var keys []string
	for _, c := range choices {
		keys = append(keys, web.Quoted(c.Key))
	}
	return strings.Join(keys, " or ")
}

// answerGate tells a program what was answered, and leads a browser back to the run.
func (h answers) answerGate(w http.ResponseWriter, r *http.Request, id string, given runner.Answer, asked *runview.Asked) {
	if !h.WantsJSON(r) {
		h.answerRun(w, r, http.StatusOK, runAnswer{RunID: id})
		return
	}
	body := gateAnswer{RunID: id, Step: given.Step, Gate: given.Gate, Choice: given.Choice, Text: given.Text, By: given.Who, At: present.OptionalTime(given.At)}
	if asked != nil {
		if choice, known := asked.Choice(given.Choice); known {
			body.Label, body.Target = choice.Label, choice.Target
		}
	}
	audit.RecordOf(r.Context()).Note("answered " + present.Clip(given.Choice, present.NameShown))
	w.Header().Set("Cache-Control", "no-store")
	h.WriteJSON(w, r, http.StatusOK, body)
}
