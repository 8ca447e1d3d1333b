package dag_test

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"wavedeck/views/dag"
)

// random is a graph of up to 60 steps with edges of every kind, cycles,
// repeated and unknown steps included.
func random(seed uint64) sample {
	r := rand.New(rand.NewPCG(seed, 11))
	s := sample{name: "random"}
	kinds := []dag.Kind{dag.KindPrompt, dag.KindCommand, dag.KindIterate, dag.KindLoop, dag.KindBranch, "made-up", ""}
	ways := []dag.EdgeKind{dag.Dependency, dag.Dependency, dag.Dependency, dag.Arm, dag.Rework, dag.Back, ""}
	labels := []string{"", "", "", "yes", "a rather long condition of an arm"}
	n := 1 + r.IntN(60)
	for range n {
		s.node(kinds[r.IntN(len(kinds))], "n"+strconv.Itoa(r.IntN(n+2)), strings.Repeat("x", r.IntN(40)))
	}
	for range r.IntN(3 * n) {
		from, to := r.IntN(n+3), r.IntN(n+3)
		if r.IntN(6) > 0 && from > to {
			from, to = to, from
		}
		s.edge(ways[r.IntN(len(ways))], "n"+strconv.Itoa(from), "n"+strconv.Itoa(to), labels[r.IntN(len(labels))])
	}
	return s
}

func TestRandomGraphs(t *testing.T) {
	for seed := range uint64(400) {
		s := random(seed)
		checkGeometry(t, dag.Lay(s.nodes, s.edges))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func TestSampleGeometry(t *testing.T) {
	for name, s := range samples() {
		t.Run("every box and line of "+name+" has its own room", func(t *testing.T) {
			checkGeometry(t, dag.Lay(s.nodes, s.edges))
		})
	}
}

// checkGeometry holds what is true of every layout.
func checkGeometry(t *testing.T, l *dag.Layout) {
	t.Helper()
	for i, a := range l.Boxes {
		if a.X < 0 || a.Y < 0 || a.X+a.W > l.Width || a.Y+a.H > l.Height || a.W < 40 || a.H < 20 {
			t.Errorf("box %q at %d,%d is outside of %dx%d or too small", a.Label, a.X, a.Y, l.Width, l.Height)
		}
		for _, b := range l.Boxes[i+1:] {
			if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
				t.Errorf("boxes %q and %q overlap", a.Label, b.Label)
			}
		}
	}
	for _, line := range l.Lines {
		from, to := l.Boxes[line.From], l.Boxes[line.To]
		if !line.Back && from.X+from.W >= to.X {
			t.Errorf("the line from %q to %q does not lead to the right", from.Label, to.Label)
		}
		checkClear(t, l, line)
	}
}

// checkClear follows a line and finds the boxes it runs through.
func checkClear(t *testing.T, l *dag.Layout, line dag.Line) {
	t.Helper()
	points := follow(t, line.D)
	from, to := l.Boxes[line.From], l.Boxes[line.To]
	if first := points[0]; first.x != float64(from.X+from.W) || first.y < float64(from.Y) || first.y > float64(from.Y+from.H) {
		t.Errorf("the line from %q does not start at its right side", from.Label)
	}
	if last := points[len(points)-1]; last.x != float64(to.X) || last.y < float64(to.Y) || last.y > float64(to.Y+to.H) {
		t.Errorf("the line to %q does not end at its left side", to.Label)
	}
	for _, p := range points {
		if p.x < 0 || p.y < 0 || p.x > float64(l.Width) || p.y > float64(l.Height) {
			t.Errorf("the line from %q to %q leaves the picture at %v", from.Label, to.Label, p)
		}
		for _, b := range l.Boxes {
			if p.x > float64(b.X) && p.x < float64(b.X+b.W) && p.y > float64(b.Y) && p.y < float64(b.Y+b.H) {
				t.Errorf("the line from %q to %q runs through %q at %v", from.Label, to.Label, b.Label, p)
				return
			}
		}
	}
}

type point struct{ x, y float64 }

// follow gives points along path data, up to its arrowhead.
func follow(t *testing.T, d string) []point {
	t.Helper()
	body, _, ok := strings.Cut(d[1:], "M")
	if !ok || d[0] != 'M' {
		t.Fatalf("path %q has no arrowhead", d)
	}
	var points []point
	for _, c := range commands("M" + body) {
		at := point{}
		if len(points) > 0 {
			at = points[len(points)-1]
		}
		n := numbers(t, c[1:])
		switch c[0] {
		case 'M':
			points = append(points, point{n[0], n[1]})
		case 'H':
			points = curve(points, at, point{(at.x + n[0]) / 2, at.y}, point{(at.x + n[0]) / 2, at.y}, point{n[0], at.y})
		case 'L':
			middle := point{(at.x + n[0]) / 2, (at.y + n[1]) / 2}
			points = curve(points, at, middle, middle, point{n[0], n[1]})
		case 'Q':
			points = curve(points, at, point{n[0], n[1]}, point{n[0], n[1]}, point{n[2], n[3]})
		case 'C':
			points = curve(points, at, point{n[0], n[1]}, point{n[2], n[3]}, point{n[4], n[5]})
		default:
			t.Fatalf("path %q has a command of another kind", d)
		}
	}
	return points
}

func commands(d string) []string {
	var all []string
	for i := range len(d) {
		if d[i] >= 'A' && d[i] <= 'Z' {
			all = append(all, "")
		}
		all[len(all)-1] += d[i : i+1]
	}
	return all
}

func numbers(t *testing.T, text string) []float64 {
	t.Helper()
	var all []float64
	for field := range strings.FieldsSeq(text) {
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatalf("coordinate %q is no integer", field)
		}
		all = append(all, float64(n))
	}
	return all
}

func curve(points []point, a, b, c, d point) []point {
	const steps = 16
	for i := 1; i <= steps; i++ {
		u := float64(i) / steps
		v := 1 - u
		points = append(points, point{
			v*v*v*a.x + 3*v*v*u*b.x + 3*v*u*u*c.x + u*u*u*d.x,
			v*v*v*a.y + 3*v*v*u*b.y + 3*v*u*u*c.y + u*u*u*d.y,
		})
	}
	return points
}
