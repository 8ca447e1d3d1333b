package dag_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"wavedeck/views/dag"
)

func TestLayIsDeterministic(t *testing.T) {
	for name, s := range samples() {
		t.Run("the same definition of "+name+" gives the same layout", func(t *testing.T) {
			first, second := dag.Lay(s.nodes, s.edges), dag.Lay(s.nodes, s.edges)
			if diff := cmp.Diff(first, second, cmpopts.IgnoreUnexported(dag.Layout{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCrossings(t *testing.T) {
	for _, c := range []struct {
		name string
		s    sample
		most int
	}{
		{"a chain crosses nothing", chain(40), 0},
		{"three parallel steps cross nothing", releaseCheck(), 0},
		{"all kinds of composition in twelve steps cross nothing", composed(), 0},
		{"a tree with its leaves mixed up crosses nothing", tree(), 0},
		{"the smallest graph that must cross, crosses once", crossed(), 1},
		{"60 steps and 81 edges", layered(60, 81, 8, 1), 55},
		{"60 steps and 81 edges in deeper columns", layered(60, 81, 6, 1), 26},
		{"900 steps and 1187 edges", layered(900, 1187, 12, 3), 1000},
	} {
		t.Run(c.name, func(t *testing.T) {
			if l := dag.Lay(c.s.nodes, c.s.edges); l.Crossings > c.most {
				t.Errorf("%d crossings, want at most %d", l.Crossings, c.most)
			}
		})
	}
}

// tree is a tree of three levels whose leaves are defined out of order.
func tree() sample {
	s := sample{name: "tree"}
	s.node(dag.KindCommand, "root", "")
	for i := range 4 {
		s.node(dag.KindCommand, fmt.Sprintf("branch-%d", i), "", "root")
	}
	for i := range 16 {
		s.node(dag.KindCommand, fmt.Sprintf("leaf-%d", i), "", fmt.Sprintf("branch-%d", i*7%4))
	}
	return s
}

// crossed has two steps that both follow the same two.
func crossed() sample {
	s := sample{name: "crossed"}
	s.node(dag.KindCommand, "a", "")
	s.node(dag.KindCommand, "b", "")
	s.node(dag.KindCommand, "c", "", "a", "b")
	s.node(dag.KindCommand, "d", "", "a", "b")
	return s
}

func TestFold(t *testing.T) {
	count := func(s sample) int { l := dag.Lay(s.nodes, s.edges); return len(l.Boxes) }
	t.Run("128 alike siblings are one box, named by what their names share", func(t *testing.T) {
		s := fan(128)
		l := dag.Lay(s.nodes, s.edges)
		i := slices.IndexFunc(l.Boxes, func(b dag.Box) bool { return len(b.Steps) == 128 })
		if i < 0 || l.Boxes[i].Label != "shard" || len(l.Boxes) != 4 {
			t.Errorf("boxes: %+v", l.Boxes)
		}
	})
	t.Run("20 alike siblings are drawn one by one", func(t *testing.T) {
		if n := count(fan(20)); n != 23 {
			t.Errorf("%d boxes, want 23", n)
		}
	})
	t.Run("21 alike siblings fold", func(t *testing.T) {
		if n := count(fan(21)); n != 4 {
			t.Errorf("%d boxes, want 4", n)
		}
	})
	t.Run("a sibling of another kind, or with an edge of its own, stays out", func(t *testing.T) {
		s := fan(30)
		s.nodes[5].Kind = dag.KindCommand
		s.node(dag.KindCommand, "extra", "", "shard-007")
		if n := count(s); n != 7 {
			t.Errorf("%d boxes, want split, fold, two shards, extra, merge, publish", n)
		}
	})
	t.Run("a name made to look like another edge does not fold", func(t *testing.T) {
		s := sample{}
		s.node(dag.KindCommand, "root", "")
		for i := range 30 {
			id := fmt.Sprintf("s%d", i)
			s.node(dag.KindCommand, id, "")
			s.edge(dag.Arm, "root", id, strings.Repeat("\x00>", i))
		}
		if n := count(s); n != 31 {
			t.Errorf("%d boxes, want 31", n)
		}
	})
}

func TestWrap(t *testing.T) {
	t.Run("299 siblings that are not alike go on in further columns", func(t *testing.T) {
		s := fan(299)
		for i := range s.nodes {
			s.nodes[i].Kind = dag.Kind(fmt.Sprintf("kind-%d", i%15))
		}
		l := dag.Lay(s.nodes, s.edges)
		checkGeometry(t, l)
		if len(l.Boxes) != 302 || l.Height > 2600 {
			t.Errorf("%d boxes, %d pixels high", len(l.Boxes), l.Height)
		}
	})
	t.Run("299 parallel pairs stay side by side: apart, each would have a long edge", func(t *testing.T) {
		s := fan(299)
		for i := range 299 {
			s.node(dag.KindCommand, fmt.Sprintf("own-%d", i), "", fmt.Sprintf("shard-%03d", i))
		}
		l := dag.Lay(s.nodes, s.edges)
		checkGeometry(t, l)
		if l.Width > 2000 {
			t.Errorf("%d pixels wide", l.Width)
		}
	})
	t.Run("steps without any edge stand in rows of five", func(t *testing.T) {
		s := sample{}
		for i := range 12 {
			s.node(dag.KindCommand, fmt.Sprintf("alone-%d", i), "")
		}
		l := dag.Lay(s.nodes, s.edges)
		if a, b := l.Boxes[0], l.Boxes[5]; a.X != b.X || a.Y >= b.Y || l.Boxes[4].Y != a.Y {
			t.Errorf("boxes 0, 4, 5: %+v %+v %+v", a, l.Boxes[4], b)
		}
	})
}

func TestProblems(t *testing.T) {
	for _, c := range []struct {
		name string
		s    sample
		want []dag.Problem
	}{
		{"a sound pipeline has none", releaseCheck(), nil},
		{"a loop back on purpose is none", composed(), nil},
		{"a cycle, an unknown and an own dependency are three", cyclic(), []dag.Problem{
			{Kind: dag.UnknownStep, Step: "publish", Other: []string{"aprove"}, Text: `step "publish" depends on "aprove", which is not a step`},
			{Kind: dag.Cycle, Step: "again", Text: `step "again" depends on itself`},
			{Kind: dag.Cycle, Other: []string{"draft", "review", "revise"}, Text: `steps depend on each other in a circle: "draft", "review", "revise"`},
		}},
		{
			"a step defined twice and one without id are two",
			sample{nodes: []dag.Node{{ID: "a"}, {ID: ""}, {ID: "a", Label: "other"}}},
			[]dag.Problem{
				{Kind: dag.NamelessStep, Text: "a step has no id"},
				{Kind: dag.DuplicateStep, Step: "a", Text: `step "a" is defined more than once; the first is drawn`},
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, dag.Lay(c.s.nodes, c.s.edges).Problems); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("the rest of a pipeline with problems is drawn, the cycle with one line back", func(t *testing.T) {
		s := cyclic()
		l := dag.Lay(s.nodes, s.edges)
		var back []string
		for _, line := range l.Lines {
			if line.Back {
				back = append(back, l.Boxes[line.From].Label+" to "+l.Boxes[line.To].Label)
			}
		}
		if len(l.Boxes) != 7 || !slices.Equal(back, []string{"revise to draft"}) {
			t.Errorf("%d boxes, back %q", len(l.Boxes), back)
		}
	})
	t.Run("what is too large is not drawn, and says so", func(t *testing.T) {
		s := chain(5000)
		l := dag.Lay(s.nodes, s.edges)
		if _, _, drawn := l.XY("step-1"); drawn || len(l.Boxes) != 0 || len(l.Steps) != 5000 || l.Problems[0].Kind != dag.TooLarge {
			t.Errorf("%d boxes, problems %v", len(l.Boxes), l.Problems)
		}
	})
	t.Run("a dense graph of few steps is refused before it costs anything", func(t *testing.T) {
		s := sample{}
		for i := range 400 {
			s.node(dag.KindCommand, fmt.Sprintf("n%d", i), "")
			for j := range i {
				s.edge(dag.Dependency, fmt.Sprintf("n%d", j), fmt.Sprintf("n%d", i), "")
			}
		}
		if l := dag.Lay(s.nodes, s.edges); len(l.Boxes) != 0 || l.Problems[0].Kind != dag.TooLarge {
			t.Errorf("%d boxes, problems %v", len(l.Boxes), l.Problems)
		}
	})
}

func TestXY(t *testing.T) {
	s := fan(128)
	l := dag.Lay(s.nodes, s.edges)
	t.Run("every step of a fold is at the fold", func(t *testing.T) {
		x1, y1, ok1 := l.XY("shard-000")
		x2, y2, ok2 := l.XY("shard-127")
		if !ok1 || !ok2 || x1 != x2 || y1 != y2 {
			t.Errorf("%d,%d %v and %d,%d %v", x1, y1, ok1, x2, y2, ok2)
		}
	})
	t.Run("an unknown step has no place", func(t *testing.T) {
		if _, _, ok := l.XY("nobody"); ok {
			t.Error("it has one")
		}
	})
}

func FuzzLay(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{3, 0, 1, 0, 1, 2, 0, 2, 0, 3})
	f.Add([]byte{0, 0, 0, 5, 5, 1, 5, 4, 2, 4, 5, 2, 200, 3, 0})
	f.Fuzz(func(t *testing.T, adjacency []byte) {
		if len(adjacency) > 600 {
			return
		}
		ways := []dag.EdgeKind{dag.Dependency, dag.Arm, dag.Rework, dag.Back}
		s := sample{}
		n := 1
		if len(adjacency) > 0 {
			n += int(adjacency[0]) % 80
		}
		for i := range n {
			s.node(dag.KindCommand, strconv.Itoa(i), "")
		}
		for i := 1; i+2 < len(adjacency); i += 3 {
			kind, label := ways[adjacency[i+2]%4], ""
			if adjacency[i+2]&4 != 0 {
				label = string(adjacency[i : i+3])
			}
			s.edge(kind, strconv.Itoa(int(adjacency[i])%(n+1)), strconv.Itoa(int(adjacency[i+1])%(n+1)), label)
		}
		checkGeometry(t, dag.Lay(s.nodes, s.edges))
	})
}
