package runview

import (
	"cmp"
	"strings"

	"github.com/a-h/templ"

	"wavedeck/handlers/present"
	"wavedeck/static"
	"wavedeck/store/diagnose"
	"wavedeck/store/manifest"
	"wavedeck/store/wave"
	"wavedeck/views"
	"wavedeck/views/dag"
	"wavedeck/views/legible"
)

// TableFirst is from how many steps the table says more than the picture.
const TableFirst = 300

// RunGraph draws what a run did over its pipeline's definition. Without one it
// is drawn from what ran: then nobody knows what depended on what.
func (ps *pictures) RunGraph(d wave.RunDetail) templ.Component {
	return ps.drawn(ps.RunPicture(d))
}

// RunPicture is the graph of a run and how each step stands.
func (ps *pictures) RunPicture(d wave.RunDetail) (*dag.Layout, dag.Options) {
	layout := ps.layoutOf(d)
	status := map[string]dag.Status{}
	for _, step := range d.Steps {
		node := dag.Status{
			State: string(step.State), Word: present.StateWord(step.State), Note: step.Note,
			Href: ps.Paths.Run(d.Run.ID) + "#" + views.StepAnchor(step.ID),
		}
		if strings.HasPrefix(step.Note, diagnose.BlockedBy) {
			node.Note = "" // the picture shows what blocks it
		}
		if step.Visits > 1 {
			node.Note = joinNotes(node.Note, views.Plural(step.Visits, "visit", "visits"))
		}
		status[present.BoundedName(step.ID)] = present.Bounded(node)
	}
	return layout, dag.Options{
		ID: "graph", Title: "Steps of " + legible.Name(present.BoundedName(d.Run.Pipeline)),
		Status: func(id string) dag.Status { return status[id] },
	}
}

// PipelinePicture draws a definition. Its steps stand beside it in a table of their own.
func (ps *pictures) PipelinePicture(p manifest.Pipeline) templ.Component {
	layout := dag.Lay(graphOf(p))
	return dag.Graph(layout, dag.Options{ID: "graph", Title: "Steps of " + legible.Name(present.BoundedName(p.Name)), Sprite: ps.Sprite()})
}

func (ps *pictures) Sprite() string { return static.URL(string(ps.Paths), "sprite.svg") }

// drawn is the picture and its table; of many steps the table says more.
func (ps *pictures) drawn(layout *dag.Layout, o dag.Options) templ.Component {
	o.Sprite = ps.Sprite()
	parts := []templ.Component{dag.Problems(layout), dag.Graph(layout, o), dag.Table(layout, o)}
	if len(layout.Steps) > TableFirst {
		parts[1], parts[2] = parts[2], parts[1]
	}
	return templ.Join(parts...)
}

// layoutOf lays out the graph of a run's steps.
func (ps *pictures) layoutOf(d wave.RunDetail) *dag.Layout {
	if p, ok := ps.Manifest.Current().Pipeline(d.Run.Pipeline); ok && len(p.Steps) > 0 {
		nodes, edges := graphOf(p)
		defined := map[string]bool{}
		for _, n := range nodes {
			defined[n.ID] = true
		}
		for _, step := range d.Steps {
			if !defined[present.BoundedName(step.ID)] {
				nodes = append(nodes, present.Bounded(dag.Node{ID: step.ID, Detail: present.Opening(step.Persona)}))
			}
		}
		return dag.Lay(nodes, edges)
	}
	nodes := make([]dag.Node, 0, len(d.Steps))
	for _, step := range d.Steps {
		nodes = append(nodes, present.Bounded(dag.Node{ID: step.ID, Detail: present.Opening(step.Persona)}))
	}
	return dag.Lay(nodes, nil)
}

// graphOf names the steps of a definition and what leads from one to another.
func graphOf(p manifest.Pipeline) (nodes []dag.Node, edges []dag.Edge) {
	for _, step := range p.Steps {
		kind := dag.Kind(step.Kind)
		if step.ReworkOnly {
			kind = dag.KindRework
		}
		nodes = append(nodes, present.Bounded(dag.Node{ID: step.ID, Kind: kind, Detail: cmp.Or(present.Opening(step.Persona), step.Pipeline, string(step.Kind))}))
		edges = append(edges, present.Bounded(edgesOf(step))...)
	}
	return nodes, edges
}

func edgesOf(step manifest.Step) []dag.Edge {
	var edges []dag.Edge
	for _, before := range step.Dependencies {
		edges = append(edges, dag.Edge{From: before, To: step.ID, Kind: dag.Dependency})
	}
	for _, e := range step.Edges {
		edges = append(edges, dag.Edge{From: step.ID, To: e.Target, Kind: dag.Arm, Label: e.Condition})
	}
	if step.Gate != nil {
		for _, choice := range step.Gate.Choices {
			if choice.Target != "" && choice.Target != endsRun {
				edges = append(edges, dag.Edge{From: step.ID, To: choice.Target, Kind: dag.Arm, Label: choice.Label})
			}
		}
	}
	rework := []string{step.Retry.ReworkStep}
	for _, c := range step.Contracts {
		rework = append(rework, c.ReworkStep)
	}
	for _, to := range rework {
		if to != "" {
			edges = append(edges, dag.Edge{From: step.ID, To: to, Kind: dag.Rework})
		}
	}
	return edges
}

// endsRun is the target of a gate's choice that is no step: it fails the run.
const endsRun = "_fail"

// dagOf is nil for a run of which no step is known.
func (ps *pictures) dagOf(d wave.RunDetail) *present.DagData {
	if len(d.Steps) == 0 {
		return nil
	}
	layout := ps.layoutOf(d)
	steps := map[string]wave.Step{}
	for _, step := range d.Steps {
		steps[present.BoundedName(step.ID)] = step
	}
	data := &present.DagData{Nodes: []present.DagNode{}, Edges: []present.DagEdge{}}
	for _, node := range layout.Steps {
		step := steps[node.ID]
		x, y, _ := layout.XY(node.ID)
		data.Nodes = append(data.Nodes, present.Bounded(present.DagNode{
			ID: node.ID, Label: cmp.Or(node.Label, node.ID), Persona: present.Opening(step.Persona),
			Status: cmp.Or(string(step.State), string(wave.Unknown)), Progress: present.ValueOr0(step.Progress), X: x, Y: y,
		}))
	}
	for _, edge := range layout.Edges {
		data.Edges = append(data.Edges, present.DagEdge{From: edge.From, To: edge.To})
	}
	return data
}
