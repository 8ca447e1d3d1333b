// Package dag lays out and draws the step graph of a pipeline.
//
// Lay turns a definition into a Layout: integer coordinates, left to right,
// the same for the same definition whatever a run did. What a run did comes in
// only when a Layout is drawn (Graph, Table), so a live update never moves a box.
//
// The layout is Sugiyama's: break cycles (cycle.go), rank (rank.go), give long
// edges a place in each column they pass (layer.go), order each column for few
// crossings (order.go), choose coordinates (coord.go, route.go), draw the edges
// (line.go).
package dag

import "fmt"

// Kind says what a step does; it decides the shape of its box. A kind that is
// not listed here is drawn as a plain box.
type Kind string

// The kinds of steps.
const (
	KindPrompt      Kind = "prompt"
	KindCommand     Kind = "command"
	KindPipeline    Kind = "pipeline"
	KindIterate     Kind = "iterate"
	KindMatrix      Kind = "matrix"
	KindBranch      Kind = "branch"
	KindConditional Kind = "conditional"
	KindGate        Kind = "gate"
	KindLoop        Kind = "loop"
	KindAggregate   Kind = "aggregate"
	KindRework      Kind = "rework"
)

// EdgeKind says why one step comes after another.
type EdgeKind string

// The kinds of edges. Only a Dependency must not be part of a cycle: the others
// may lead back on purpose.
const (
	Dependency EdgeKind = "dependency"
	Arm        EdgeKind = "arm"    // one way out of a branch, a gate or a condition
	Rework     EdgeKind = "rework" // to the step that repairs a failed one
	Back       EdgeKind = "loop"   // to the step where a repetition starts
)

// Node is one step of a definition.
type Node struct {
	ID     string
	Label  string // empty: the ID
	Kind   Kind
	Detail string // second line: a persona, the pipeline that is run
}

// Edge leads from one step to a step that comes after it, both named by ID.
type Edge struct {
	From, To string
	Kind     EdgeKind // empty: Dependency
	Label    string   // a branch's value, a condition
}

// ProblemKind names what is wrong with a definition.
type ProblemKind string

// The problems of a definition.
const (
	UnknownStep   ProblemKind = "unknown-step"
	Cycle         ProblemKind = "cycle"
	DuplicateStep ProblemKind = "duplicate-step"
	NamelessStep  ProblemKind = "nameless-step"
	TooLarge      ProblemKind = "too-large"
)

// Problem is something wrong with a definition; all that is sound is drawn anyway.
type Problem struct {
	Kind  ProblemKind
	Step  string   // the step it is about; empty when it is about several
	Other []string // the steps it names beside that one
	Text  string
}

// Layout is a drawn definition. Coordinates are whole pixels from the top left.
// It is not changed after Lay and may be shared.
type Layout struct {
	Width, Height int
	Boxes         []Box
	Lines         []Line
	Steps         []Node // in the order of the definition, each ID once
	Edges         []Edge // between Steps, each pair once
	Problems      []Problem
	Crossings     int // of edges between neighbouring columns

	step    map[string]int // ID to index in Steps
	box     []int          // index in Steps to index in Boxes
	missing []Edge         // to a step, from what is none
}

// Box stands for one step, or for many alike that were folded.
type Box struct {
	X, Y, W, H int
	Kind       Kind
	Label      string // clipped to the box
	Steps      []int  // indices in Layout.Steps; more than one: folded
	Loops      bool   // an edge leads from it to itself
	Next, Prev []int  // boxes along its edges, at most eight each
}

// Line is one drawn edge, from a box to a box.
type Line struct {
	From, To       int // indices in Layout.Boxes
	Kind           EdgeKind
	Back           bool   // against the reading direction
	D              string // SVG path data, arrowhead included
	Label          string
	LabelX, LabelY int
	LabelEnd       bool // the label ends at LabelX; otherwise it is centred there
}

// What is larger is not drawn: the picture would be of no use, and a hostile
// definition must not hold a core.
const (
	maxBoxes    = 2500
	maxLines    = 12000
	maxWaypoint = 40000
)

// XY is the top left corner of a step's box; false when the step is not drawn.
func (l *Layout) XY(id string) (x, y int, drawn bool) {
	i, ok := l.step[id]
	if !ok || len(l.Boxes) == 0 {
		return 0, 0, false
	}
	b := &l.Boxes[l.box[i]]
	return b.X, b.Y, true
}

// Lay draws a definition. It never fails: what is wrong becomes a Problem.
func Lay(nodes []Node, edges []Edge) *Layout {
	l := &Layout{}
	links := l.take(nodes, edges)
	g := l.fold(links)
	if len(g.boxes) > maxBoxes || len(g.links) > maxLines {
		l.tooLarge(len(g.boxes), len(g.links))
		return l
	}
	l.Problems = append(l.Problems, g.breakCycles(l)...)

	parts := g.components()
	laid := make([]*layers, 0, len(parts))
	waypoints := 0
	for _, p := range parts {
		p.assign()
		if waypoints += p.waypoints(); waypoints > maxWaypoint {
			l.tooLarge(len(g.boxes), len(g.links))
			return l
		}
		laid = append(laid, p.layers())
	}
	l.Boxes = g.boxes
	for _, s := range laid {
		l.Crossings += s.order()
		s.place()
	}
	l.draw(g, laid)
	return l
}

func (l *Layout) tooLarge(boxes, links int) {
	l.Problems = append(l.Problems, Problem{
		Kind: TooLarge,
		Text: fmt.Sprintf("too large to draw: %d steps and %d edges; the table lists them all", boxes, links),
	})
	l.Crossings = 0
}
