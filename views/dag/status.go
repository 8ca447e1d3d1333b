package dag

import (
	"fmt"
	"slices"
	"strings"
)

// Status is what a run tells of one step. The zero Status says nothing: the
// step is drawn as defined.
type Status struct {
	State string // derived state; empty: there is no run
	Word  string // what to call it; empty: the state
	Note  string // second line instead of the node's detail, e.g. "attempt 3 of 3"
	Href  string // where the box leads; empty: nowhere
}

func (s Status) word() string {
	if s.Word != "" {
		return s.Word
	}
	return s.State
}

// Options say how a Layout is shown.
type Options struct {
	ID     string                 // prefix of the DOM ids; the caller keeps it unique in the page
	Title  string                 // accessible name, e.g. "Step graph of release-check"
	Sprite string                 // URL of the sprite whose symbols have the derived states as ids
	Status func(id string) Status // nil: the definition alone
	Zoom   int                    // in percent; 0: natural size, shrunk a little when that lets it fit
}

// The derived states, worst first: a fold shows the first that one of its steps has.
func bySeverity() []string {
	return []string{
		"failed", "rejected", "lost", "waiting", "running", "cancelled", "queued",
		"unknown", "pending", "skipped", "empty", "succeeded",
	}
}

// failure and idle classify derived states for the marks.
func failure(state string) bool { return state == "failed" || state == "rejected" || state == "lost" }

func idle(state string) bool {
	switch state {
	case "", "pending", "queued", "skipped", "unknown":
		return true
	default:
		return false
	}
}

// picture is a Layout with what a run tells of its steps: what the templates read.
type picture struct {
	*Layout
	Options
	status []Status // of each step
	marks  Marks
}

func newPicture(l *Layout, o Options) *picture {
	p := &picture{Layout: l, Options: o, status: make([]Status, len(l.Steps))}
	var failed []string
	for i, n := range l.Steps {
		if o.Status != nil {
			p.status[i] = o.Status(n.ID)
		}
		if !known(p.status[i].State) {
			p.status[i].State = "unknown"
		}
		if failure(p.status[i].State) {
			failed = append(failed, n.ID)
		}
	}
	p.marks = l.Mark(failed, func(id string) bool { return !idle(p.status[l.step[id]].State) })
	return p
}

// known guards the class names and sprite ids made of a state.
func known(state string) bool { return state == "" || slices.Contains(bySeverity(), state) }

// box is one box as it is drawn.
type box struct {
	*Box
	id     string
	class  string
	state  string
	detail string
	href   string
	name   string // accessible name and tooltip: all that the box shows, in words
	next   string // DOM ids along its edges, for arrow keys
	prev   string
}

func (p *picture) boxID(b int) string { return fmt.Sprintf("%s-%d", p.ID, b) }

func (p *picture) boxIDs(boxes []int) string {
	ids := make([]string, len(boxes))
	for i, b := range boxes {
		ids[i] = p.boxID(b)
	}
	return strings.Join(ids, " ")
}

func (p *picture) view(b int) box {
	v := box{Box: &p.Boxes[b], id: p.boxID(b)}
	v.next, v.prev = p.boxIDs(v.Next), p.boxIDs(v.Prev)
	first := v.Steps[0]
	v.state, v.href = p.status[first].State, p.status[first].Href
	if len(v.Steps) > 1 {
		p.viewFold(&v)
	} else {
		p.viewStep(&v, first)
	}
	v.detail = clip(v.detail, detailSize, v.W-iconWidth-boxPadding)
	v.class = p.class(v)
	return v
}

func (p *picture) viewStep(v *box, i int) {
	n, s := p.Steps[i], p.status[i]
	v.detail = n.Detail
	if s.Note != "" {
		v.detail = s.Note
	}
	v.name = named(n.Label)
	for _, part := range [...]string{string(n.Kind), s.word(), v.detail} {
		if part != "" {
			v.name += ", " + readable(part)
		}
	}
	if by := p.marks.blocked[i]; len(by) > 0 {
		v.name += ", blocked by " + readable(strings.Join(p.ids(by), ", "))
	}
}

// viewFold shows the worst state of a fold's steps with its count, and leads
// to the first step in it; the name counts every state.
func (p *picture) viewFold(v *box) {
	count := make(map[string]int)
	first := make(map[string]int)
	for _, i := range v.Steps {
		state := p.status[i].State
		if count[state]++; count[state] == 1 {
			first[state] = i
		}
	}
	all := len(v.Steps)
	v.detail = fmt.Sprintf("×%d", all)
	v.name = fmt.Sprintf("%s, %d steps", v.Label, all)
	worst := true
	for _, state := range bySeverity() {
		n := count[state]
		if n == 0 {
			continue
		}
		v.name += fmt.Sprintf(", %d %s", n, state)
		if !worst {
			continue
		}
		worst = false
		v.state, v.href = state, p.status[first[state]].Href
		if n == all {
			v.detail += " · " + state
		} else {
			v.detail += fmt.Sprintf(" · %d %s", n, state)
		}
	}
}

func (p *picture) class(v box) string {
	class := "dag-node"
	if shaped(v.Kind) {
		class += " dag-" + string(v.Kind)
	}
	if len(v.Steps) > 1 {
		class += " dag-fold"
	}
	if v.state != "" {
		class += " " + v.state
	}
	for _, i := range v.Steps {
		if len(p.marks.blocked[i]) > 0 {
			return class + " dag-blocked"
		}
	}
	return class
}

func (p *picture) lineClass(line *Line) string {
	class := "dag-line"
	switch {
	case line.Back:
		class += " dag-back"
	case line.Kind == Arm:
		class += " dag-arm"
	case line.Kind == Rework:
		class += " dag-rework"
	}
	if p.marks.holds(line) {
		class += " dag-blocked"
	}
	return class
}

// summary is the accessible description: how many steps, in which states.
func (p *picture) summary() string {
	count := make(map[string]int)
	for _, s := range p.status {
		count[s.State]++
	}
	text := fmt.Sprintf("%d steps", len(p.Steps))
	if len(p.Steps) == 1 {
		text = "1 step"
	}
	for _, state := range bySeverity() {
		if n := count[state]; n > 0 {
			text += fmt.Sprintf(", %d %s", n, state)
		}
	}
	return text
}

// A graph between these widths is shrunk to fit the page: a narrower one fits,
// and in a wider one the text would get too small to read, so it scrolls.
const (
	fitting    = 720
	shrinkable = 1440
)

func (p *picture) size() (width, height int, class string) {
	width, height, class = p.Width, p.Height, "dag"
	switch {
	case p.Zoom > 0:
		zoom := min(max(p.Zoom, 10), 400)
		width, height = p.Width*zoom/100, p.Height*zoom/100
	case p.Width > fitting && p.Width <= shrinkable:
		class += " dag-shrink"
	}
	return width, height, class
}
