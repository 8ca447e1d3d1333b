package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"wavedeck/handlers/present"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// comparison is two runs side by side. Left is the run that is asked about,
// right the one it is measured by.
type comparison struct {
	left, right wave.RunDetail
	samePipe    bool // both are of one pipeline
	facts       []fact
	inputDiffer bool
	steps       []stepPair
	first       *difference // nil: every fact that is known of both is the same
	firstOutput int         // index in outputs of the first with another content; -1: none
	outputs     []outputPair
	outputsLeft int // outputs that were not compared
}

// difference is a place at which the runs part.
type difference struct {
	step        string
	attempt     int // from 1; 0: of the step as a whole
	fact        string
	left, right string
}

// fact is one thing known of both sides, or of one of them.
type fact struct {
	key, name   string
	left, right side
	differs     bool // both are known, final and not the same
	first       bool // the first difference
	delta       delta
}

// side is what one run says. A text or a number; unknown when neither is there.
type side struct {
	text  string
	state wave.State // when text is the word of a state
	took  *views.Duration
	count *int64
	title string // all of a text that is cut
}

func (s side) known() bool { return s.text != "" || s.took != nil || s.count != nil }

// stepPair is a step of either or both.
type stepPair struct {
	id          string
	left, right *wave.Step // nil: that run has no such step
	facts       []fact
	attempts    []attemptPair // when one side tried more than once
	differs     bool
}

type attemptPair struct {
	number      int // counted from 1 on each side: a step that is visited again has numbers twice
	left, right bool
	facts       []fact
	differs     bool
}

// compareRuns aligns two runs.
func compareRuns(left, right wave.RunDetail) comparison {
	c := comparison{
		left: left, right: right, firstOutput: -1,
		samePipe: left.Run.Pipeline == right.Run.Pipeline, inputDiffer: left.Run.Input != right.Run.Input,
	}
	c.facts = runFacts(left.Run, right.Run, c.samePipe)
	for _, id := range alignedSteps(left.Steps, right.Steps) {
		pair := stepPair{id: id, left: stepOf(left.Steps, id), right: stepOf(right.Steps, id)}
		pair.compare()
		c.steps = append(c.steps, pair)
	}
	c.findFirst()
	return c
}

func stepOf(steps []wave.Step, id string) *wave.Step {
	if i := slices.IndexFunc(steps, func(s wave.Step) bool { return s.ID == id }); i >= 0 {
		return &steps[i]
	}
	return nil
}

// alignedSteps are the steps of both, in the order of the left; one that only
// the right has stands behind the step it follows there.
func alignedSteps(left, right []wave.Step) []string {
	order := make([]string, 0, len(left)+len(right))
	for _, s := range left {
		order = append(order, s.ID)
	}
	at := 0
	for _, s := range right {
		if i := slices.Index(order, s.ID); i >= 0 {
			at = i + 1
			continue
		}
		order = slices.Insert(order, at, s.ID)
		at++
	}
	return order
}

func runFacts(l, r wave.Run, samePipe bool) []fact {
	facts := []fact{stateFact(l.State, present.RunWord(l), r.State, present.RunWord(r))}
	if !samePipe {
		facts = append(facts, textFact("pipeline", "Pipeline", l.Pipeline, r.Pipeline))
	}
	facts = append(facts,
		tookFact(present.RunDuration(l), present.RunDuration(r)),
		countFact("tokens", "Tokens", l.Tokens, r.Tokens),
		countFact("subtree", "Tokens incl. children", l.Subtree, r.Subtree),
		plainFact("steps", "Steps done", stepsWord(l), stepsWord(r)),
		plainFact("children", "Children", present.ChildrenWord(l.Children), present.ChildrenWord(r.Children)),
		textFact("branch", "Branch", l.Branch, r.Branch),
		textFact("tags", "Tags", strings.Join(l.Tags, ", "), strings.Join(r.Tags, ", ")),
		errorFact(views.Account{Line: present.FailureLine(l), Text: present.Redact(l.Error)}, views.Account{Line: present.FailureLine(r), Text: present.Redact(r.Error)}),
	)
	return knownFacts(facts)
}

func stepsWord(r wave.Run) string {
	if r.StepsAll == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", r.StepsDone, r.StepsAll)
}

func knownFacts(facts []fact) []fact {
	return slices.DeleteFunc(facts, func(f fact) bool { return !f.left.known() && !f.right.known() })
}

// compare fills in what is known of the step. The order is that of cause: who
// does it with what, then how it went.
func (p *stepPair) compare() {
	if p.left == nil || p.right == nil {
		p.differs = true
	}
	l, r := cmp.Or(p.left, &wave.Step{}), cmp.Or(p.right, &wave.Step{})
	p.facts = knownFacts([]fact{
		textFact("persona", "Persona", present.Opening(l.Persona), present.Opening(r.Persona)),
		textFact("adapter", "Adapter", l.Adapter, r.Adapter),
		textFact("model", "Model", l.Model, r.Model),
		plainFact("attempts", "Attempts", attemptsWord(l), attemptsWord(r)),
		plainFact("visits", "Visits", visitsWord(l), visitsWord(r)),
		textFact("contract", "Contract", contractOf(l), contractOf(r)),
		stateFact(l.State, present.StateWord(l.State), r.State, present.StateWord(r.State)),
		plainFact("children", "Children", present.ChildrenWord(l.Children), present.ChildrenWord(r.Children)),
		errorFact(present.StepError(*l), present.StepError(*r)),
		textFact("note", "Note", l.Note, r.Note),
		tookFact(tookOf(l), tookOf(r)),
		countFact("tokens", "Tokens", l.Tokens, r.Tokens),
	})
	if p.left != nil && p.right != nil && l.State.Ended() && r.State.Ended() {
		for i := range p.facts {
			f := &p.facts[i]
			f.differs = f.differs || (f.key == "attempts" || f.key == "visits" || f.key == "children") && f.left.known() && f.right.known() && f.left.text != f.right.text
		}
	} else if p.left != nil && p.right != nil { // what is not over may still become the same
		for i := range p.facts {
			switch p.facts[i].key {
			case "persona", "adapter", "model":
			default:
				p.facts[i].differs = false
			}
		}
	}
	if max(len(l.Attempts), len(r.Attempts)) > 1 {
		for i := range max(len(l.Attempts), len(r.Attempts)) {
			p.attempts = append(p.attempts, pairAttempt(i, l.Attempts, r.Attempts))
		}
	}
	for _, f := range p.facts {
		p.differs = p.differs || f.differs
	}
	for _, a := range p.attempts {
		p.differs = p.differs || a.differs
	}
}

func attemptsWord(s *wave.Step) string {
	if len(s.Attempts) == 0 {
		return ""
	}
	return strconv.Itoa(len(s.Attempts))
}

func visitsWord(s *wave.Step) string {
	if s.Visits < 2 {
		return ""
	}
	return strconv.Itoa(s.Visits)
}

func contractOf(s *wave.Step) string {
	if s.Contract == nil || s.Contract.Result == "validating" {
		return ""
	}
	return present.ContractWord(s.Contract.Result)
}

func tookOf(s *wave.Step) views.Duration {
	return present.StepDuration(s.State, s.StartedAt, s.Duration, s.HasDuration, s.CoarseSecond)
}

func pairAttempt(i int, left, right []wave.Attempt) attemptPair {
	var l, r wave.Attempt
	p := attemptPair{number: i + 1, left: i < len(left), right: i < len(right)}
	if p.left {
		l = left[i]
	}
	if p.right {
		r = right[i]
	}
	took := func(a wave.Attempt) views.Duration {
		return present.StepDuration(a.State, a.StartedAt, a.Duration, a.HasDuration, a.CoarseSecond)
	}
	p.facts = knownFacts([]fact{
		stateFact(l.State, present.StateWord(l.State), r.State, present.StateWord(r.State)),
		textFact("failure_class", "Failure class", present.FailureClass(l.FailureClass), present.FailureClass(r.FailureClass)),
		errorFact(present.Account(l.Error), present.Account(r.Error)),
		tookFact(took(l), took(r)),
		countFact("tokens", "Tokens", l.Tokens, r.Tokens),
	})
	p.differs = p.left != p.right
	for _, f := range p.facts {
		p.differs = p.differs || f.differs
	}
	return p
}

// textFact compares two texts. Where one is not known, nothing is claimed.
func textFact(key, name, left, right string) fact {
	f := plainFact(key, name, left, right)
	f.differs = left != "" && right != "" && left != right
	return f
}

// plainFact shows two texts without calling them different.
func plainFact(key, name, left, right string) fact {
	return fact{key: key, name: name, left: side{text: present.Redact(left)}, right: side{text: present.Redact(right)}}
}

func stateFact(l wave.State, lWord string, r wave.State, rWord string) fact {
	f := fact{key: "state", name: "State", left: side{text: lWord, state: l}, right: side{text: rWord, state: r}}
	f.differs = l != r && l.Ended() && r.Ended()
	return f
}

// errorFact compares the lines that say most, by what two occurrences of one
// failure have in common.
func errorFact(l, r views.Account) fact {
	f := fact{key: "error", name: "Error", left: side{text: l.Line, title: l.Text}, right: side{text: r.Line, title: r.Text}}
	f.differs = l.Line != "" && r.Line != "" && present.FailureKey(l.Line) != present.FailureKey(r.Line)
	return f
}

func tookFact(l, r views.Duration) fact {
	f := fact{key: "duration_ms", name: "Took"}
	if l.Known || !l.Since.IsZero() {
		f.left.took = &l
	}
	if r.Known || !r.Since.IsZero() {
		f.right.took = &r
	}
	if l.Known && r.Known && l.Since.IsZero() && r.Since.IsZero() {
		f.delta = deltaOf(l.D.Milliseconds(), r.D.Milliseconds(), l.Coarse || r.Coarse)
	}
	return f
}

func countFact(key, name string, l, r *int64) fact {
	f := fact{key: key, name: name, left: side{count: l}, right: side{count: r}}
	if l != nil && r != nil {
		f.delta = deltaOf(*l, *r, false)
	}
	return f
}

// delta is how much more the left is than the right.
type delta struct {
	known   bool
	by      int64
	percent *float64 // of the right; nil where the right is 0, or too coarse for a share
	coarse  bool     // from whole seconds
}

// coarseShare is the least that a share of whole seconds is given for: below, the
// second that may be missing is more than the share.
const coarseShare = int64(20 * time.Second / time.Millisecond)

func deltaOf(left, right int64, coarse bool) delta {
	d := delta{known: true, by: left - right, coarse: coarse}
	if right > 0 && (!coarse || min(left, right) >= coarseShare) {
		p := float64(left-right) / float64(right) * 100
		d.percent = &p
	}
	return d
}

// findFirst marks the first difference, in the order of the steps. Where the
// pipelines differ, a step that only one of them has is no difference of the runs.
func (c *comparison) findFirst() {
	for i := range c.steps {
		p := &c.steps[i]
		if p.left == nil || p.right == nil {
			if !c.samePipe {
				continue
			}
			c.first = &difference{step: p.id, fact: "step", left: onlyWord(p.left), right: onlyWord(p.right)}
			return
		}
		if p.differs {
			c.first = p.firstDifference()
			return
		}
	}
	for i := range c.facts { // no step distinguishes them
		if f := &c.facts[i]; f.differs && f.key != "pipeline" && f.key != "tags" && f.key != "branch" {
			f.first = true
			c.first = &difference{fact: f.name, left: f.left.text, right: f.right.text}
			return
		}
	}
}

func onlyWord(s *wave.Step) string {
	if s == nil {
		return "no such step"
	}
	return present.StateWord(s.State)
}

func (p *stepPair) firstDifference() *difference {
	mark := func(facts []fact, attempt int, keys ...string) *difference {
		for i := range facts {
			f := &facts[i]
			if f.differs && (len(keys) == 0 || slices.Contains(keys, f.key)) {
				f.first = true
				return &difference{step: p.id, attempt: attempt, fact: f.name, left: f.left.text, right: f.right.text}
			}
		}
		return nil
	}
	if d := mark(p.facts, 0, "persona", "adapter", "model"); d != nil {
		return d
	}
	for _, a := range p.attempts {
		if a.left != a.right {
			word := map[bool]string{true: "tried", false: "not tried"}
			return &difference{step: p.id, attempt: a.number, fact: "Attempt", left: word[a.left], right: word[a.right]}
		}
		if d := mark(a.facts, a.number); d != nil {
			return d
		}
	}
	return mark(p.facts, 0)
}
