package manifest

import (
	"maps"
	"strings"
)

// scope is a list of steps whose names are seen from each other: those of a
// pipeline, or those of a loop together with what is around it.
type scope struct {
	r     *reader
	outer map[string]bool
	ids   map[string]bool
	refs  []reference
}

// add takes the id of a step, which no other step of the scope may have.
func (s *scope) add(f fields, id string, index int) {
	switch {
	case id == "":
		s.r.problemf(f.line, "step %d has no id", index+1)
	case s.ids[id]:
		s.r.problemf(f.line, "there are two steps %s", quote(id))
	default:
		s.ids[id] = true
	}
}

// refer notes that a step names another; no name is no reference.
func (s *scope) refer(step int, what, name string, line int) {
	if name != "" && !isTemplate(name) {
		s.refs = append(s.refs, reference{step: step, what: what, name: name, line: line})
	}
}

func (s *scope) visible() map[string]bool {
	ids := make(map[string]bool, len(s.outer)+len(s.ids))
	maps.Copy(ids, s.outer)
	maps.Copy(ids, s.ids)
	return ids
}

// check tells the names that no step has, and dependencies that go in a circle.
func (s *scope) check(steps []Step) {
	for _, ref := range s.refs {
		if !s.ids[ref.name] && !s.outer[ref.name] {
			s.r.problemf(ref.line, "step %s %s %s, which is not a step", quote(steps[ref.step].ID), ref.what, quote(ref.name))
		}
	}
	// In a pipeline that is walked along its edges a circle is a way to go back.
	for _, step := range steps {
		if len(step.Edges) > 0 || step.Type == "conditional" {
			return
		}
	}
	s.checkCycles(steps)
}

func (s *scope) checkCycles(steps []Step) {
	const (
		unseen = iota
		open
		done
	)
	index := make(map[string]int, len(steps))
	for i, step := range steps {
		if _, twice := index[step.ID]; !twice {
			index[step.ID] = i
		}
	}
	line := make(map[[2]string]int, len(s.refs))
	for _, ref := range s.refs {
		line[[2]string{steps[ref.step].ID, ref.name}] = ref.line
	}
	state := make([]int, len(steps))
	var path []string
	var visit func(i int)
	visit = func(i int) {
		state[i] = open
		path = append(path, steps[i].ID)
		for _, name := range steps[i].Dependencies {
			next, known := index[name]
			switch {
			case !known:
			case state[next] == unseen:
				visit(next)
			case state[next] == open:
				s.r.problemf(line[[2]string{steps[i].ID, name}], "steps wait for each other: %s", circle(path, name))
			}
		}
		path = path[:len(path)-1]
		state[i] = done
	}
	for i := range steps {
		if state[i] == unseen {
			visit(i)
		}
	}
}

// circle words the end of path, from the step named, as "a" → "b" → "a".
func circle(path []string, name string) string {
	const limit = 10
	start := len(path) - 1
	for path[start] != name {
		start--
	}
	var names []string
	for _, id := range path[start:] {
		if len(names) == limit {
			names = append(names, "…")
			break
		}
		names = append(names, quote(id))
	}
	return strings.Join(append(names, quote(name)), " → ")
}
