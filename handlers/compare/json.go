package compare

import (
	"context"

	"wavedeck/handlers/present"
)

// compareResponse is a comparison for programs: the facts of its page. Right is
// null, and none says why, where there is no run to compare with.
type compareResponse struct {
	Left             present.RunSummary  `json:"left"`
	Right            *present.RunSummary `json:"right"`
	Chosen           string              `json:"chosen,omitempty"` // why right was chosen
	None             string              `json:"none,omitempty"`
	SamePipeline     bool                `json:"same_pipeline"`
	InputDiffers     bool                `json:"input_differs"`
	InputDiff        string              `json:"input_diff,omitempty"`
	FirstDifference  *differenceSummary  `json:"first_difference"`
	FirstOutput      *outputName         `json:"first_output_difference,omitempty"`
	Facts            []factSummary       `json:"facts"`
	Steps            []comparedStep      `json:"steps"`
	OutputsNotLooked int                 `json:"artifacts_not_compared,omitempty"`
	Outputs          []comparedOutput    `json:"artifacts"`
}

type differenceSummary struct {
	StepID  string `json:"step_id,omitempty"`
	Attempt int    `json:"attempt,omitempty"`
	Fact    string `json:"fact"`
	Left    string `json:"left"`
	Right   string `json:"right"`
}

type outputName struct {
	StepID  string `json:"step_id"`
	Name    string `json:"name"`
	Attempt int    `json:"attempt,omitempty"`
}

// factSummary is one fact: texts, or numbers in the unit that the name says. A
// side that is not known is null.
type factSummary struct {
	Fact         string   `json:"fact"`
	Left         any      `json:"left"`
	Right        any      `json:"right"`
	Differs      bool     `json:"differs"`
	Delta        *int64   `json:"delta,omitempty"` // left - right
	DeltaPercent *float64 `json:"delta_percent,omitempty"`
	Coarse       bool     `json:"whole_seconds,omitempty"`
}

type comparedStep struct {
	StepID   string            `json:"step_id"`
	In       string            `json:"in"` // both, left, right
	Differs  bool              `json:"differs"`
	Facts    []factSummary     `json:"facts"`
	Attempts []comparedAttempt `json:"attempts,omitempty"`
}

type comparedAttempt struct {
	Attempt int           `json:"attempt"`
	In      string        `json:"in"`
	Differs bool          `json:"differs"`
	Facts   []factSummary `json:"facts"`
}

type comparedOutput struct {
	outputName
	Verdict   string        `json:"verdict"`
	Note      string        `json:"note,omitempty"`
	Left      *comparedFile `json:"left"`
	Right     *comparedFile `json:"right"`
	Removed   int           `json:"lines_only_left,omitempty"`
	Added     int           `json:"lines_only_right,omitempty"`
	Diff      string        `json:"diff,omitempty"` // unified, without secrets
	DiffCutBy int           `json:"diff_lines_left_out,omitempty"`
}

type comparedFile struct {
	Path      string `json:"path"`
	SizeBytes *int64 `json:"size_bytes"`
	Refused   string `json:"refused,omitempty"`
}

// compareDocument is a comparison for programs.
func (h *Handler) compareDocument(ctx context.Context, left, right string) (compareResponse, error) {
	c, p, err := h.compared(ctx, left, right)
	if err != nil {
		return compareResponse{}, err
	}
	return c.response(p), nil
}

func (c comparison) response(p partner) compareResponse {
	body := compareResponse{
		Left: present.SummaryInList(c.left.Run), Chosen: p.why, None: p.none, SamePipeline: c.samePipe, InputDiffers: c.inputDiffer,
		Facts: factSummaries(c.facts), Steps: []comparedStep{}, Outputs: []comparedOutput{}, OutputsNotLooked: c.outputsLeft,
	}
	if p.id == "" {
		return body
	}
	right := present.SummaryInList(c.right.Run)
	body.Right = &right
	if c.inputDiffer {
		body.InputDiff = inputDiff(c.left.Run.Input, c.right.Run.Input)
	}
	if d := c.first; d != nil {
		body.FirstDifference = present.Bounded(&differenceSummary{StepID: d.step, Attempt: d.attempt, Fact: d.fact, Left: d.left, Right: d.right})
	}
	for _, pair := range c.steps {
		step := comparedStep{StepID: pair.id, In: presence(pair.left != nil, pair.right != nil), Differs: pair.differs, Facts: factSummaries(pair.facts)}
		for _, a := range pair.attempts {
			step.Attempts = append(step.Attempts, comparedAttempt{Attempt: a.number, In: presence(a.left, a.right), Differs: a.differs, Facts: factSummaries(a.facts)})
		}
		body.Steps = append(body.Steps, step)
	}
	for i, o := range c.outputs {
		name := outputName{StepID: o.step, Name: o.name, Attempt: o.attempt}
		if i == c.firstOutput {
			body.FirstOutput = &name
		}
		body.Outputs = append(body.Outputs, comparedOutput{
			outputName: name, Verdict: string(o.verdict), Note: o.note, Left: fileOf(o.left), Right: fileOf(o.right),
			Removed: o.removed, Added: o.added, Diff: o.diff, DiffCutBy: o.leftOut,
		})
	}
	return body
}

func presence(left, right bool) string {
	switch {
	case left && right:
		return "both"
	case left:
		return "left"
	default:
		return "right"
	}
}

func fileOf(side *outputSide) *comparedFile {
	if side == nil {
		return nil
	}
	f := present.Bounded(&comparedFile{Path: side.row.Path, Refused: side.refused})
	if side.size >= 0 {
		f.SizeBytes = &side.size
	}
	return f
}

func factSummaries(facts []fact) []factSummary {
	out := make([]factSummary, 0, len(facts))
	for _, f := range facts {
		sum := factSummary{Fact: f.key, Left: f.left.value(), Right: f.right.value(), Differs: f.differs}
		if f.delta.known {
			sum.Delta, sum.DeltaPercent, sum.Coarse = &f.delta.by, f.delta.percent, f.delta.coarse
		}
		out = append(out, sum)
	}
	return out
}

// value is what a side says, for JSON. The duration of what goes on is not known.
func (s side) value() any {
	switch {
	case s.took != nil && s.took.Since.IsZero():
		return s.took.D.Milliseconds()
	case s.count != nil:
		return *s.count
	case s.state != "":
		return string(s.state)
	case s.title != "":
		return present.Clip(s.title, present.TextShown)
	case s.text != "":
		return present.Clip(s.text, present.TextShown)
	default:
		return nil
	}
}
