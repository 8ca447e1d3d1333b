package compare

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"wavedeck/handlers/linediff"
	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/store"
	"wavedeck/store/criteria"
	"wavedeck/store/wave"
	"wavedeck/views"
	"wavedeck/views/markup"
)

// partner is the right side of a comparison.
type partner struct {
	id   string // empty: there is none
	why  string // why it was chosen; empty when the address names it
	none string // why there is none
}

// compareQuery reads left and right; left is empty only where a page asks for it.
func compareQuery(r *http.Request) (left, right string, err error) {
	q := r.URL.Query()
	for _, one := range []struct {
		key string
		to  *string
	}{{"left", &left}, {"right", &right}} {
		values, err := web.Texts(url.Values{one.key: q[one.key]}, one.key)
		if err != nil {
			return "", "", err
		}
		if len(values) > 1 {
			return "", "", &criteria.InputError{Field: one.key, Got: present.Clip(values[1], 64), Want: "given once"}
		}
		if len(values) == 1 {
			*one.to = values[0]
		}
	}
	if left != "" && left == right {
		return "", "", &criteria.InputError{Field: "right", Got: present.Clip(right, 64), Want: "another run than left, or " + runview.LastGreen}
	}
	return left, right, nil
}

// partnerOf chooses the run that left is measured by.
func (h *Handler) partnerOf(ctx context.Context, left wave.Run, right string) (partner, error) {
	if right != "" && right != runview.LastGreen {
		return partner{id: right}, nil
	}
	pipeline := web.Quoted(present.Clip(left.Pipeline, 80))
	switch {
	case left.Pipeline == "":
		return partner{none: "The pipeline of this run is not recorded, so there is no run to compare with."}, nil
	case left.StartedAt.IsZero():
		return partner{none: "The start of this run is not recorded, so there is no earlier run to compare with."}, nil
	}
	// A cursor without an id: what started in the same second came before or
	// after, nobody knows.
	f := criteria.RunFilter{
		States: []wave.State{wave.Succeeded}, Pipelines: []string{left.Pipeline},
		Older: &criteria.Cursor{T: left.StartedAt.Unix()}, Limit: 5, // more are needed only where some are dry runs
	}
	for f.Older != nil {
		page, err := h.Store.Runs(ctx, f)
		if err != nil {
			return partner{}, fmt.Errorf("last green run before %s: %w", left.ID, err)
		}
		if green := slices.IndexFunc(page.Runs, func(run wave.Run) bool { return !run.DryRun }); green >= 0 {
			return partner{id: page.Runs[green].ID, why: "the newest run of " + pipeline + " that succeeded and started before it"}, nil
		}
		f.Older, f.Limit = page.Older, criteria.MaxLimit
	}
	return partner{none: "No run of " + pipeline + " that started before this one has succeeded."}, nil
}

// compared reads and aligns two runs; without a partner there is only the left.
func (h *Handler) compared(ctx context.Context, left, right string) (comparison, partner, error) {
	l, err := h.detailNamed(ctx, "left", left)
	if err != nil {
		return comparison{}, partner{}, err
	}
	p, err := h.partnerOf(ctx, l.Run, right)
	if err != nil || p.id == "" {
		return comparison{left: l}, p, err
	}
	r, err := h.detailNamed(ctx, "right", p.id)
	if err != nil {
		return comparison{}, p, err
	}
	c := compareRuns(l, r)
	return c, p, h.compareOutputs(ctx, &c)
}

func (h *Handler) detailNamed(ctx context.Context, side, id string) (wave.RunDetail, error) {
	d, err := h.Store.Detail(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return d, &web.Error{
			Status: http.StatusNotFound, Err: err, Text: "there is no run " + web.Quoted(present.Clip(id, 80)) + " to compare on the " + side,
			Next: "It may have been cleaned up, or belong to another project. The runs are at " + h.Paths.Runs(nil) + ".",
		}
	}
	return d, err
}

// showCompare is two runs side by side: the page, or the same in another form.
func (h *Handler) showCompare(w http.ResponseWriter, r *http.Request) error {
	left, right, err := compareQuery(r)
	if err != nil {
		return err
	}
	if f := web.FormatOf(r); f != web.FormatHTML {
		if left == "" {
			return &criteria.InputError{Field: "left", Want: "the id of a run"}
		}
		return h.ServeDocument(w, r, f, func(r *http.Request) (web.Document, error) {
			ctx := r.Context()
			return h.compareDocument(ctx, left, right)
		})
	}
	return h.ServeCached(w, r, web.TypeHTML, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		if left == "" {
			view := views.CompareView{Layout: h.Layout(r, "runs", "Compare", ""), RightName: right}
			return views.ComparePage(view).Render(ctx, b)
		}
		c, p, err := h.compared(ctx, left, right)
		if err != nil {
			return err
		}
		view := h.compareView(r, c, p) //nolint:contextcheck // the components that it holds are given one when they are rendered
		if web.IsFragment(r) {
			return views.CompareBody(view).Render(ctx, b)
		}
		return views.ComparePage(view).Render(ctx, b)
	})
}

// compareView turns a comparison into what its page shows.
func (h *Handler) compareView(r *http.Request, c comparison, p partner) views.CompareView {
	topic := url.Values{}
	for _, run := range []wave.Run{c.left.Run, c.right.Run} {
		if run.State.Active() {
			topic["run"] = []string{c.left.Run.ID}
			if p.id != "" {
				topic["run"] = []string{c.left.Run.ID, p.id}
			}
		}
	}
	left := present.RunRow(c.left.Run)
	view := views.CompareView{
		Layout: h.Layout(r, "runs", "Compare "+present.Clip(c.left.Run.ID, 80), topic.Encode()),
		Left:   &left, LeftName: c.left.Run.ID, RightName: p.id, Why: p.why, None: p.none,
	}
	view.Forms = h.FormatLinks(h.Paths.Compare("", ""), web.PageFormats, web.FormatQuery(r, "left", "right"))
	if len(topic) > 0 {
		view.Refresh = r.URL.RequestURI()
	}
	if p.id == "" {
		return view
	}
	right := present.RunRow(c.right.Run)
	view.Right, view.SwapURL = &right, h.Paths.Compare(p.id, c.left.Run.ID)
	view.Facts = factRows(c.facts)
	view.InputDiffers = c.inputDiffer
	if c.inputDiffer {
		view.Input = views.CompareText{Diff: diffComponent(inputDiff(c.left.Run.Input, c.right.Run.Input))}
	}
	if !c.samePipe {
		view.Other = h.otherPipeline(c)
	}
	h.firstDifferenceView(&view, c)
	for _, pair := range c.steps {
		if c.samePipe || pair.left != nil && pair.right != nil {
			view.Steps = append(view.Steps, h.compareStepView(c, pair))
		}
	}
	view.Loose = h.outputViews(c, func(o outputPair) bool { return stepPairOf(c.steps, o.step) == nil })
	view.OutputsMore = c.outputsLeft
	return view
}

// otherPipeline says what is compared of runs of two pipelines, and what is not.
func (h *Handler) otherPipeline(c comparison) views.OtherPipeline {
	o := views.OtherPipeline{Left: c.left.Run.Pipeline, Right: c.right.Run.Pipeline}
	for _, pair := range c.steps {
		switch {
		case pair.left == nil:
			o.OnlyRight = append(o.OnlyRight, pair.id)
		case pair.right == nil:
			o.OnlyLeft = append(o.OnlyLeft, pair.id)
		default:
			o.Shared++
		}
	}
	return present.Bounded(o)
}

func (h *Handler) firstDifferenceView(view *views.CompareView, c comparison) {
	if d := c.first; d != nil {
		view.First = present.Bounded(&views.FirstDifference{Step: d.step, Attempt: d.attempt, Fact: d.fact, Left: d.left, Right: d.right})
	}
	view.Unended = c.left.Run.State.Active() || c.right.Run.State.Active()
	if c.firstOutput >= 0 {
		o := c.outputs[c.firstOutput]
		view.FirstOutput = &views.OutputRef{Step: o.step, Name: o.name, Attempt: o.attempt, Anchor: outputAnchor(o)}
	}
}

func (h *Handler) compareStepView(c comparison, pair stepPair) views.CompareStep {
	v := views.CompareStep{
		ID: pair.id, Differs: pair.differs, First: c.first != nil && c.first.step == pair.id, Facts: factRows(pair.facts),
		Outputs: h.outputViews(c, func(o outputPair) bool { return o.step == pair.id }),
	}
	switch {
	case pair.left == nil:
		v.Only = "right"
		v.State = string(pair.right.State)
	case pair.right == nil:
		v.Only = "left"
		v.State = string(pair.left.State)
	default:
		v.State, v.RightState = string(pair.left.State), string(pair.right.State)
	}
	v.LeftHref, v.RightHref = h.stepHref(c.left.Run.ID, pair.left), h.stepHref(c.right.Run.ID, pair.right)
	for _, a := range pair.attempts {
		row := views.CompareAttempt{Number: a.number, Facts: factRows(a.facts)}
		switch {
		case !a.left:
			row.Only = "right"
		case !a.right:
			row.Only = "left"
		}
		row.First = v.First && c.first.attempt == a.number && a.left != a.right
		v.Attempts = append(v.Attempts, row)
	}
	var differing []string
	for _, f := range pair.facts {
		if f.differs {
			differing = append(differing, strings.ToLower(f.name))
		}
	}
	for _, o := range v.Outputs {
		if o.Verdict == string(otherContent) {
			differing = append(differing, "output "+o.Name)
		}
	}
	v.Differing = differing
	return v
}

func (h *Handler) stepHref(run string, step *wave.Step) string {
	if step == nil {
		return ""
	}
	return h.Paths.Run(run) + "#" + views.StepAnchor(step.ID)
}

func factRows(facts []fact) []views.CompareFact {
	rows := make([]views.CompareFact, 0, len(facts))
	for _, f := range facts {
		rows = append(rows, present.Bounded(views.CompareFact{
			Name: f.name, Left: sideView(f.left), Right: sideView(f.right), Differs: f.differs, First: f.first,
			Delta: deltaView(f.delta, f.left.took != nil),
		}))
	}
	return rows
}

func sideView(s side) views.CompareSide {
	return views.CompareSide{Text: s.text, Title: s.title, State: string(s.state), Duration: s.took, Count: s.count}
}

func deltaView(d delta, isTime bool) views.Delta {
	return views.Delta{Known: d.known, By: d.by, Percent: d.percent, Coarse: d.coarse, Time: isTime}
}

func (h *Handler) outputViews(c comparison, of func(outputPair) bool) []views.CompareOutput {
	var list []views.CompareOutput
	for i, o := range c.outputs {
		if !of(o) {
			continue
		}
		list = append(list, views.CompareOutput{
			Name: o.name, Attempt: o.attempt, Anchor: outputAnchor(o), Verdict: string(o.verdict), Note: o.note,
			First: i == c.firstOutput, Delta: deltaView(o.delta, false),
			Left: h.outputSideView(c.left.Run.ID, o.left), Right: h.outputSideView(c.right.Run.ID, o.right),
			Text: views.CompareText{Diff: diffComponent(o.diff), Removed: o.removed, Added: o.added, LeftOut: o.leftOut},
		})
	}
	return list
}

func outputAnchor(o outputPair) string {
	return views.OutputAnchor(o.step, o.name, o.attempt)
}

func (h *Handler) outputSideView(run string, side *outputSide) *views.OutputSide {
	if side == nil {
		return nil
	}
	href := h.Paths.Artifact(run, side.row.StepID, side.row.Name)
	if side.attempt > 0 {
		href += fmt.Sprintf("?attempt=%d", side.attempt)
	}
	return &views.OutputSide{Href: href, Size: side.size, Refused: side.refused}
}

// inputDiff shows where two inputs differ.
func inputDiff(left, right string) string {
	hunks := linediff.Hunks(linediff.Lines(present.Redact(left)), linediff.Lines(present.Redact(right)), diffContextLines)
	text, _ := linediff.Unified(hunks, maxDiffShown)
	return shortLines(text)
}

// shortLines bounds the lines of a difference: a file of one line is one.
func shortLines(text string) string {
	const most = 1000
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		if len(line) > most {
			lines[i] = present.Clip(line, most) + "\n"
		}
	}
	return strings.Join(lines, "")
}

func diffComponent(unified string) templ.Component {
	if unified == "" {
		return nil
	}
	return markup.Show(context.Background(), markup.Body{Data: []byte(unified), Size: int64(len(unified))}, markup.Diff).View()
}
