package handlers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"wavedeck/store"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// outlooks judges those of the runs that have not ended, and the lost ones.
func (s *Server) outlooks(ctx context.Context, runs []wave.Run) (map[string]store.Diagnosis, error) {
	var ids []string
	for _, run := range runs {
		if !run.State.Ended() || run.State == wave.Lost {
			ids = append(ids, run.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := s.store.Diagnoses(ctx, ids)
	if errors.Is(err, store.ErrUnavailable) {
		return nil, nil // the chrome says why
	}
	return found, err
}

// addFlags marks the rows of runs of which something is noticed.
func (s *Server) addFlags(ctx context.Context, rows []views.RunRow, runs []wave.Run) error {
	found, err := s.outlooks(ctx, runs)
	if err != nil {
		return fmt.Errorf("judge a page: %w", err)
	}
	for i, run := range runs {
		if o, ok := found[run.ID]; ok {
			rows[i].Flags, rows[i].ETA = flagsOf(o), etaView(o)
		}
	}
	return nil
}

// flagsOf is what a row says beside its state. What the state says already, and
// what is fine, is not said twice.
func flagsOf(o store.Diagnosis) []views.Flag {
	var flags []views.Flag
	stall := stallFlag(o.Stall)
	switch o.Stall.Verdict {
	case store.Stuck, store.Unheeded, store.Unclear:
		flags = append(flags, stall)
	case store.ForHuman:
		if o.Signals.State != wave.Waiting {
			flags = append(flags, stall)
		}
	}
	if o.Runaway != nil {
		flags = append(flags, runawayFlag(*o.Runaway))
	}
	if o.ETA != nil && o.ETA.Late {
		flags = append(flags, views.LateFlag())
	}
	return flags
}

func etaView(o store.Diagnosis) *views.ETA {
	if o.ETA == nil {
		return nil
	}
	return &views.ETA{P50: o.At.Add(o.ETA.P50), P90: o.At.Add(o.ETA.P90), N: o.ETA.N, Late: o.ETA.Late}
}

// stallFlag is a verdict with its silhouette and its colour.
func stallFlag(stall store.Stall) views.Flag {
	flag := views.Flag{Word: string(stall.Verdict), Title: stall.Why, Symbol: "unknown", Tone: "unknown"}
	switch stall.Verdict {
	case store.Stuck, store.Unheeded:
		flag.Symbol, flag.Tone = "stuck", "waiting"
	case store.Gone:
		flag.Symbol, flag.Tone, flag.Word = "lost", "lost", "process gone"
	case store.ForHuman:
		flag.Symbol, flag.Tone, flag.Word = "waiting", "waiting", "waiting for a human"
	case store.Moving, store.Quiet:
		flag.Symbol, flag.Tone = "running", "running"
	case store.InQueue, store.Stopping:
		flag.Symbol, flag.Tone = "queued", "queued"
	}
	return flag
}

// showRunWhy is the panel alone, which a page asks for more often than the rest.
func (s *Server) showRunWhy(w http.ResponseWriter, r *http.Request) error {
	id, err := pathVar(r, "run")
	if err != nil {
		return err
	}
	return s.serveCached(w, r, typeHTML, func(ctx context.Context, b *bytes.Buffer) error {
		run, err := s.store.Run(ctx, id)
		if err != nil {
			return err
		}
		view := views.RunView{Chrome: s.chrome(r, "runs", "", ""), RunID: id, Refresh: views.RunRefresh{Why: s.paths.RunPart(id, "why")}}
		if view.Outlook, err = s.outlookView(ctx, run); err != nil {
			return err
		}
		return views.RunWhy(view).Render(ctx, b)
	})
}

// outlookView is the panel of a run's page, nil for one of which there is
// nothing to say.
func (s *Server) outlookView(ctx context.Context, run wave.Run) (*views.OutlookView, error) {
	found, err := s.outlooks(ctx, []wave.Run{run})
	o, ok := found[run.ID]
	if err != nil || !ok {
		return nil, err
	}
	view := &views.OutlookView{
		Flag: stallFlag(o.Stall), Evidence: s.evidence(run, o.Signals), Action: s.actionOn(run.ID, o.Stall.Action), ETA: etaView(o),
		Runaway: s.runawayView(run.ID, o.Runaway),
	}
	switch o.Stall.Verdict {
	case store.Moving, store.Quiet, store.InQueue, store.Stopping:
		view.Fine = true
	}
	return view, nil
}

// actionOn is a link to what is to be done about a run, nil: nothing yet. Where
// runs cannot be acted on, reading is all that can be done.
func (s *Server) actionOn(id string, action store.Action) *views.Action {
	switch {
	case action == store.ActNothing:
		return nil
	case action == store.ActStop && s.canRun():
		return &views.Action{Label: "Stop…", Href: s.paths.RunAction(id, "cancel", nil)}
	case action == store.ActResume && s.canRun():
		return &views.Action{Label: "Resume…", Href: s.paths.RunAction(id, "resume", nil)}
	}
	return &views.Action{Label: "Read the log", Href: s.paths.RunTab(id, "log")}
}

// evidence is every signal that the verdict rests on, with its value.
func (s *Server) evidence(run wave.Run, g store.Signals) []views.Evidence {
	now := s.now()
	list := []views.Evidence{
		since("last event", now, g.Event, "none since it started", silenceNote(g)),
		since("heartbeat", now, g.Beat, "none recorded", ""),
		{Signal: "process", Value: processWord(g.Process), Note: pidNote(run.PID)},
	}
	if g.State == wave.Waiting || g.Gate {
		list = append(list, views.Evidence{Signal: "gate", Value: "open"})
	}
	if g.Asked.Known {
		list = append(list, since("asked to stop", now, g.Asked, "", ""))
	}
	if g.Slots.Limit > 0 {
		list = append(list, views.Evidence{Signal: "slots", Value: fmt.Sprintf("%d of %d taken", g.Slots.Taken, g.Slots.Limit), Note: "by runs that began within 5 minutes"})
	}
	return list
}

func since(signal string, now time.Time, sign store.Sign, none, note string) views.Evidence {
	if !sign.Known {
		return views.Evidence{Signal: signal, Value: none, Note: note}
	}
	return views.Evidence{Signal: signal, Since: now.Add(-sign.Age), Note: note}
}

// silenceNote compares with the past of the step that is measured.
func silenceNote(g store.Signals) string {
	switch unusual := g.Unusual(); {
	case unusual > 0:
		return fmt.Sprintf("the longest silence of %s in %s was %s; unusual beyond %s", g.Step,
			views.Plural(g.Past, "past run", "past runs"), views.Duration(g.Longest, true), views.Duration(unusual, true))
	case g.Step != "":
		return fmt.Sprintf("%s of %s: too few to compare with", views.Plural(g.Past, "past run", "past runs"), g.Step)
	default:
		return ""
	}
}

func processWord(p store.Process) string {
	switch p {
	case store.ProcessLives:
		return "alive on this host"
	case store.ProcessGone:
		return "not on this host"
	case store.ProcessOther:
		return "another one has its pid"
	default:
		return "none recorded"
	}
}

func pidNote(pid int) string {
	if pid <= 0 {
		return ""
	}
	return "pid " + strconv.Itoa(pid)
}

// stallSummary is a run's verdict in the JSON forms.
type stallSummary struct {
	Verdict  string            `json:"verdict"`
	Why      string            `json:"why"`
	Evidence []evidenceSummary `json:"evidence,omitempty"`
	Action   string            `json:"action,omitempty"`
	Href     string            `json:"href,omitempty"`
}

type evidenceSummary struct {
	Signal string     `json:"signal"`
	Value  string     `json:"value,omitempty"`
	At     *time.Time `json:"at,omitempty"`
	Note   string     `json:"note,omitempty"`
}

// stallOf is nil for a run that has ended.
func (s *Server) stallOf(run wave.Run, o store.Diagnosis) *stallSummary {
	sum := &stallSummary{Verdict: string(o.Stall.Verdict), Why: o.Stall.Why, Action: string(o.Stall.Action)}
	if action := s.actionOn(run.ID, o.Stall.Action); action != nil {
		sum.Href = action.Href
	}
	for _, e := range s.evidence(run, o.Signals) {
		sum.Evidence = append(sum.Evidence, evidenceSummary{Signal: e.Signal, Value: e.Value, At: momentOf(e.Since), Note: e.Note})
	}
	return sum
}

// etaSummary is when a run will be done, in the JSON forms. The moments are left
// out where only being late is known.
type etaSummary struct {
	Earliest *time.Time `json:"earliest,omitempty"` // p5
	P50      *time.Time `json:"p50,omitempty"`
	P90      *time.Time `json:"p90,omitempty"`
	N        int        `json:"n"`
	Late     bool       `json:"late"`
}

func etaOf(o store.Diagnosis) *etaSummary {
	if o.ETA == nil {
		return nil
	}
	sum := &etaSummary{N: o.ETA.N, Late: o.ETA.Late}
	if sum.N > 0 {
		at := o.At.Truncate(time.Second) // the past is no more exact
		sum.Earliest, sum.P50, sum.P90 = momentOf(at.Add(o.ETA.Earliest)), momentOf(at.Add(o.ETA.P50)), momentOf(at.Add(o.ETA.P90))
	}
	return sum
}

// addOutlooks adds to summaries what is made of their runs.
func (s *Server) addOutlooks(ctx context.Context, sums []runSummary, runs []wave.Run) error {
	found, err := s.outlooks(ctx, runs)
	if err != nil {
		return err
	}
	for i, run := range runs {
		if o, ok := found[run.ID]; ok {
			sums[i].Stall, sums[i].ETA, sums[i].Runaway = s.stallOf(run, o), etaOf(o), runawayOf(o.Runaway)
		}
	}
	return nil
}
