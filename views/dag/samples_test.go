package dag_test

import (
	"fmt"
	"math/rand/v2"

	"wavedeck/views/dag"
)

// sample is a definition with what a run of it tells.
type sample struct {
	name   string
	nodes  []dag.Node
	edges  []dag.Edge
	status map[string]dag.Status
}

func (s *sample) node(kind dag.Kind, id, detail string, after ...string) {
	s.nodes = append(s.nodes, dag.Node{ID: id, Kind: kind, Detail: detail})
	for _, from := range after {
		s.edges = append(s.edges, dag.Edge{From: from, To: id})
	}
}

func (s *sample) edge(kind dag.EdgeKind, from, to, label string) {
	s.edges = append(s.edges, dag.Edge{From: from, To: to, Kind: kind, Label: label})
}

func (s *sample) set(state string, ids ...string) {
	if s.status == nil {
		s.status = make(map[string]dag.Status)
	}
	for _, id := range ids {
		s.status[id] = dag.Status{State: state, Href: "/runs/r/steps/" + id}
	}
}

func (s *sample) options() dag.Options {
	o := dag.Options{ID: "graph", Title: "Step graph of " + s.name, Sprite: "sprite.svg"}
	if s.status != nil {
		o.Status = func(id string) dag.Status { return s.status[id] }
	}
	return o
}

// releaseCheck is a pipeline with three steps in parallel.
func releaseCheck() sample {
	s := sample{name: "release-check"}
	s.node(dag.KindCommand, "checkout", "command")
	s.node(dag.KindCommand, "lint", "command", "checkout")
	s.node(dag.KindCommand, "unit-tests", "command", "checkout")
	s.node(dag.KindCommand, "build", "command", "checkout")
	s.node(dag.KindCommand, "package", "command", "lint", "unit-tests", "build")
	s.node(dag.KindCommand, "report", "command", "package")
	s.set("succeeded", "checkout", "lint", "unit-tests", "build", "package", "report")
	return s
}

// flaky is a pipeline whose second step failed with two steps behind it.
func flaky() sample {
	s := sample{name: "flaky-integration"}
	s.node(dag.KindCommand, "provision", "command")
	s.node(dag.KindPrompt, "integration", "craftsman", "provision")
	s.node(dag.KindCommand, "deploy", "command", "integration")
	s.node(dag.KindCommand, "smoke", "command", "deploy")
	s.node(dag.KindCommand, "docs", "command", "provision")
	s.set("succeeded", "provision", "docs")
	s.set("failed", "integration")
	s.set("pending", "deploy", "smoke")
	return s
}

// composed has twelve steps, every kind and every edge.
func composed() sample {
	s := sample{name: "composed"}
	s.node(dag.KindCommand, "checkout", "command")
	s.node(dag.KindPrompt, "assess", "navigator", "checkout")
	s.node(dag.KindIterate, "audit-areas", "audit-part", "checkout")
	s.node(dag.KindPipeline, "build", "build-all", "assess")
	s.node(dag.KindAggregate, "merge-findings", "aggregate", "audit-areas")
	s.node(dag.KindPrompt, "implement", "craftsman", "assess", "merge-findings")
	s.node(dag.KindLoop, "polish", "until clean", "implement")
	s.node(dag.KindCommand, "tests", "command", "implement", "build")
	s.node(dag.KindRework, "repair", "craftsman")
	s.node(dag.KindBranch, "verdict", "on review", "tests", "polish")
	s.node(dag.KindGate, "approve", "approval")
	s.node(dag.KindCommand, "ship", "command", "approve")
	s.edge(dag.Rework, "tests", "repair", "on failure")
	s.edge(dag.Arm, "verdict", "approve", "accepted")
	s.edge(dag.Arm, "verdict", "implement", "changes wanted")
	s.edge(dag.Back, "polish", "implement", "")
	s.set("succeeded", "checkout", "assess", "audit-areas", "build", "implement", "polish", "tests")
	s.set("empty", "merge-findings")
	s.set("running", "verdict")
	s.set("waiting", "approve")
	s.set("pending", "ship")
	s.set("skipped", "repair")
	return s
}

// fan is n alike steps between two.
func fan(n int) sample {
	s := sample{name: fmt.Sprintf("fan of %d", n)}
	s.node(dag.KindCommand, "split", "command")
	s.set("succeeded", "split")
	s.set("pending", "merge", "publish")
	all := make([]string, n)
	for i := range n {
		all[i] = fmt.Sprintf("shard-%03d", i)
		s.node(dag.KindPrompt, all[i], "worker", "split")
		s.set("succeeded", all[i])
	}
	s.set("failed", all[3], all[40%n], all[n-1])
	s.node(dag.KindAggregate, "merge", "aggregate", all...)
	s.node(dag.KindGate, "publish", "approval", "merge")
	return s
}

// cyclic has a cycle of dependencies, an unknown one, and a step that depends on itself.
func cyclic() sample {
	s := sample{name: "cyclic"}
	s.node(dag.KindCommand, "start", "command")
	s.node(dag.KindPrompt, "draft", "author", "start", "revise")
	s.node(dag.KindPrompt, "review", "reviewer", "draft")
	s.node(dag.KindPrompt, "revise", "author", "review")
	s.node(dag.KindCommand, "publish", "command", "review", "aprove")
	s.node(dag.KindCommand, "again", "command", "again", "publish")
	s.node(dag.KindCommand, "lonely", "command")
	return s
}

// chain is n steps one after the other.
func chain(n int) sample {
	s := sample{name: fmt.Sprintf("%d deep", n)}
	s.node(dag.KindCommand, "step-0", "command")
	for i := 1; i < n; i++ {
		s.node(dag.KindCommand, fmt.Sprintf("step-%d", i), "command", fmt.Sprintf("step-%d", i-1))
	}
	return s
}

// layered is a random graph of columns of about perColumn steps: edges go one
// column on, some go further.
func layered(nodes, edges, perColumn int, seed uint64) sample {
	r := rand.New(rand.NewPCG(seed, 7))
	s := sample{name: fmt.Sprintf("%d steps, %d edges", nodes, edges)}
	kinds := []dag.Kind{dag.KindPrompt, dag.KindCommand, dag.KindCommand, dag.KindPipeline, dag.KindGate}
	for i := range nodes {
		s.node(kinds[r.IntN(len(kinds))], fmt.Sprintf("step-%d", i), "command")
	}
	seen := make(map[[2]int]bool)
	add := func(from, to int) {
		if from >= 0 && from/perColumn < to/perColumn && !seen[[2]int{from, to}] {
			seen[[2]int{from, to}] = true
			s.edge(dag.Dependency, fmt.Sprintf("step-%d", from), fmt.Sprintf("step-%d", to), "")
		}
	}
	for i := perColumn; i < nodes; i++ { // each has one edge from the column before, near its own place
		add((i/perColumn-1)*perColumn+min(perColumn-1, max(0, i%perColumn+r.IntN(5)-2)), i)
	}
	for tries := 0; len(seen) < edges && tries < 20*edges; tries++ {
		to := r.IntN(nodes)
		from := to - perColumn - r.IntN(2*perColumn)
		add(from, to)
	}
	return s
}
