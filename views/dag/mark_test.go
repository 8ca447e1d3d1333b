package dag_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"wavedeck/views/dag"
)

func TestMark(t *testing.T) {
	s := sample{name: "marked"}
	s.node(dag.KindCommand, "a", "")
	s.node(dag.KindCommand, "b", "", "a")
	s.node(dag.KindCommand, "c", "", "b")
	s.node(dag.KindCommand, "d", "", "c", "side")
	s.node(dag.KindCommand, "side", "", "a")
	s.node(dag.KindRework, "repair", "")
	s.edge(dag.Rework, "b", "repair", "")
	l := dag.Lay(s.nodes, s.edges)

	for _, c := range []struct {
		name    string
		failed  []string
		ran     string // each step is one letter, its first
		blocked []string
		ofD     []string
	}{
		{"nothing failed, nothing is blocked", nil, "a", nil, nil},
		{"all that waits downstream is blocked, by the step right before it", []string{"b"}, "as", []string{"c", "d"}, []string{"c"}},
		{"a step that ran all the same holds nothing up", []string{"b"}, "acs", nil, nil},
		{"two failures that meet are both named", []string{"b", "side"}, "a", []string{"c", "d"}, []string{"side", "c"}},
		{"a failed step that is not defined blocks nothing", []string{"gone"}, "a", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := l.Mark(c.failed, func(id string) bool {
				for _, r := range c.ran {
					if id[0] == byte(r) {
						return true
					}
				}
				return false
			})
			if diff := cmp.Diff(c.blocked, m.Blocked()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.ofD, m.BlockedBy("d")); diff != "" {
				t.Error(diff)
			}
			if len(c.failed) > 0 && c.failed[0] == "b" && (!m.Failed("b") || m.Failed("c")) {
				t.Error("b failed, c did not")
			}
		})
	}

	t.Run("a cycle behind a failed step ends", func(t *testing.T) {
		s := cyclic()
		m := dag.Lay(s.nodes, s.edges).Mark([]string{"start"}, func(string) bool { return false })
		want := []string{"draft", "review", "revise", "publish", "again"}
		if diff := cmp.Diff(want, m.Blocked()); diff != "" {
			t.Error(diff)
		}
	})
}
