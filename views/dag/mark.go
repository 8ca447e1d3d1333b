package dag

// Marks says what failed steps hold up.
type Marks struct {
	failed  []bool  // by index in Layout.Steps
	blocked [][]int // the steps right before it because of which it did not run
	layout  *Layout
}

// Mark finds what the failed steps block: every step downstream of them that
// did not run. A step that ran all the same, say because the failed one was
// optional, holds nothing up. Steps that are not defined are ignored.
func (l *Layout) Mark(failed []string, ran func(id string) bool) Marks {
	m := Marks{failed: make([]bool, len(l.Steps)), blocked: make([][]int, len(l.Steps)), layout: l}
	out := make([][]int, len(l.Steps))
	for _, e := range l.Edges {
		if e.Kind == Dependency || e.Kind == Arm {
			from := l.step[e.From]
			out[from] = append(out[from], l.step[e.To])
		}
	}
	var front []int
	for _, id := range failed {
		if i, ok := l.step[id]; ok && !m.failed[i] {
			m.failed[i] = true
			front = append(front, i)
		}
	}
	idle := make([]bool, len(l.Steps))
	for i, n := range l.Steps {
		idle[i] = !m.failed[i] && !ran(n.ID)
	}
	for len(front) > 0 {
		i := front[0]
		front = front[1:]
		for _, j := range out[i] {
			if !idle[j] || i == j {
				continue
			}
			if len(m.blocked[j]) == 0 {
				front = append(front, j)
			}
			m.blocked[j] = append(m.blocked[j], i)
		}
	}
	return m
}

// Failed reports whether a step is one of the failed ones.
func (m Marks) Failed(id string) bool {
	i, ok := m.layout.step[id]
	return ok && m.failed[i]
}

// BlockedBy names the steps right before a step because of which it did not
// run: each failed, or is itself blocked. None when it is not blocked.
func (m Marks) BlockedBy(id string) []string {
	i, ok := m.layout.step[id]
	if !ok {
		return nil
	}
	return m.layout.ids(m.blocked[i])
}

// Blocked names all blocked steps, in the order of the definition.
func (m Marks) Blocked() []string {
	var at []int
	for i, by := range m.blocked {
		if len(by) > 0 {
			at = append(at, i)
		}
	}
	return m.layout.ids(at)
}

func (l *Layout) ids(steps []int) []string {
	var ids []string
	for _, i := range steps {
		ids = append(ids, l.Steps[i].ID)
	}
	return ids
}

// holds reports whether the failure goes along a line: to a blocked step of
// its target from a failed or blocked one of its source.
func (m Marks) holds(line *Line) bool {
	if line.Kind != Dependency && line.Kind != Arm {
		return false
	}
	l := m.layout
	for _, j := range l.Boxes[line.To].Steps {
		for _, i := range m.blocked[j] {
			if l.box[i] == line.From {
				return true
			}
		}
	}
	return false
}
