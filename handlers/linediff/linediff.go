// Package linediff compares texts line by line: lines that occur once on both
// sides anchor the rest (patience), and what lies between them is Myers' shortest
// script, up to a bound. What the bound leaves no room for is reported as
// replaced, which is true and quick.
package linediff

import (
	"slices"
	"strconv"
	"strings"
)

// Op is what became of a line from left to right.
type Op byte

// The marks of a unified diff.
const (
	Same    Op = ' '
	Removed Op = '-' // on the left only
	Added   Op = '+' // on the right only
)

// Line is one line of a hunk, without its end.
type Line struct {
	Op   Op
	Text string
}

// Hunk is a stretch of lines that differ, with what stands around them.
// Starts count from 1.
type Hunk struct {
	LeftStart, LeftLines   int
	RightStart, RightLines int
	Lines                  []Line
}

// Bounds of the work: how many edits one stretch without anchors may need, and
// how deep anchors may lie within anchors.
const (
	maxEdits = 512
	maxDepth = 64
)

// Lines cuts a text into lines without their newline. A last line that has
// none is a line like the others.
func Lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// Hunks lists where the two differ, with so many lines of context around. There
// is none when they are the same.
func Hunks(left, right []string, context int) []Hunk {
	return hunks(left, right, edits(left, right), context)
}

// edit is a stretch of lines on the left that a stretch on the right stands for.
type edit struct{ a0, a1, b0, b1 int }

func edits(left, right []string) []edit {
	numbers := make(map[string]int, len(left))
	d := differ{a: number(left, numbers), b: number(right, numbers)}
	d.compare(0, len(left), 0, len(right), 0)
	return d.edits
}

func number(lines []string, numbers map[string]int) []int {
	out := make([]int, len(lines))
	for i, line := range lines {
		n, ok := numbers[line]
		if !ok {
			n = len(numbers)
			numbers[line] = n
		}
		out[i] = n
	}
	return out
}

type differ struct {
	a, b  []int
	edits []edit // in order, never touching each other
}

func (d *differ) compare(a0, a1, b0, b1, depth int) {
	for a0 < a1 && b0 < b1 && d.a[a0] == d.b[b0] {
		a0, b0 = a0+1, b0+1
	}
	for a0 < a1 && b0 < b1 && d.a[a1-1] == d.b[b1-1] {
		a1, b1 = a1-1, b1-1
	}
	if a0 == a1 || b0 == b1 {
		d.replace(a0, a1, b0, b1)
		return
	}
	anchors := d.anchors(a0, a1, b0, b1)
	if len(anchors) == 0 || depth == maxDepth {
		d.shortest(a0, a1, b0, b1)
		return
	}
	for _, at := range append(anchors, pair{a1, b1}) {
		d.compare(a0, at.a, b0, at.b, depth+1)
		a0, b0 = at.a, at.b // the anchor itself is the prefix of what follows
	}
}

// replace notes an edit and joins it with one that it touches.
func (d *differ) replace(a0, a1, b0, b1 int) {
	if a0 == a1 && b0 == b1 {
		return
	}
	if n := len(d.edits); n > 0 {
		if last := &d.edits[n-1]; last.a1 == a0 && last.b1 == b0 {
			last.a1, last.b1 = a1, b1
			return
		}
	}
	d.edits = append(d.edits, edit{a0, a1, b0, b1})
}

type pair struct{ a, b int }

// anchors are the lines that occur once in both stretches, as many of them as
// stand in the same order.
func (d *differ) anchors(a0, a1, b0, b1 int) []pair {
	type seen struct{ inA, inB, a, b int }
	lines := map[int]*seen{}
	for i := a0; i < a1; i++ {
		s := lines[d.a[i]]
		if s == nil {
			s = &seen{}
			lines[d.a[i]] = s
		}
		s.inA, s.a = s.inA+1, i
	}
	for i := b0; i < b1; i++ {
		if s := lines[d.b[i]]; s != nil {
			s.inB, s.b = s.inB+1, i
		}
	}
	var unique []pair
	for i := a0; i < a1; i++ {
		if s := lines[d.a[i]]; s.inA == 1 && s.inB == 1 {
			unique = append(unique, pair{s.a, s.b})
		}
	}
	return longestRising(unique)
}

// longestRising is a longest subsequence whose b rises; a rises already.
func longestRising(pairs []pair) []pair {
	var piles []int // index of the pair on top of each pile
	before := make([]int, len(pairs))
	for i, p := range pairs {
		at, _ := slices.BinarySearchFunc(piles, p.b, func(top, b int) int { return pairs[top].b - b })
		before[i] = -1
		if at > 0 {
			before[i] = piles[at-1]
		}
		if at == len(piles) {
			piles = append(piles, i)
		} else {
			piles[at] = i
		}
	}
	if len(piles) == 0 {
		return nil
	}
	rising := make([]pair, 0, len(piles))
	for i := piles[len(piles)-1]; i >= 0; i = before[i] {
		rising = append(rising, pairs[i])
	}
	slices.Reverse(rising)
	return rising
}

// shortest is Myers' greedy algorithm (An O(ND) Difference Algorithm, 1986). It
// keeps each round's furthest points to walk back along them.
func (d *differ) shortest(a0, a1, b0, b1 int) {
	a, b := d.a[a0:a1], d.b[b0:b1]
	limit := min(len(a)+len(b), maxEdits)
	furthest := make([]int, 2*limit+3) // by diagonal + limit + 1
	var rounds [][]int
	for round := 0; round <= limit; round++ {
		for k := -round; k <= round; k += 2 {
			at := k + limit + 1
			x := furthest[at-1] + 1
			if k == -round || k != round && furthest[at-1] < furthest[at+1] {
				x = furthest[at+1]
			}
			y := x - k
			for x < len(a) && y < len(b) && a[x] == b[y] {
				x, y = x+1, y+1
			}
			furthest[at] = x
			if x >= len(a) && y >= len(b) {
				d.walk(rounds, a0, b0, pair{len(a), len(b)})
				return
			}
		}
		rounds = append(rounds, slices.Clone(furthest[limit+1-round:limit+2+round]))
	}
	d.replace(a0, a1, b0, b1)
}

// walk follows the rounds back from the end and notes the edits in order.
func (d *differ) walk(rounds [][]int, a0, b0 int, end pair) {
	var steps []edit
	x, y := end.a, end.b
	for round := len(rounds); round > 0; round-- {
		before := rounds[round-1] // diagonals -(round-1) … round-1
		point := func(k int) int {
			if i := k + round - 1; i >= 0 && i < len(before) {
				return before[i]
			}
			return -1
		}
		k := x - y
		down := k == -round || k != round && point(k-1) < point(k+1)
		from := k - 1
		if down {
			from = k + 1
		}
		px := point(from)
		py := px - from
		if down {
			steps = append(steps, edit{a0 + px, a0 + px, b0 + py, b0 + py + 1})
		} else {
			steps = append(steps, edit{a0 + px, a0 + px + 1, b0 + py, b0 + py})
		}
		x, y = px, py
	}
	for _, s := range slices.Backward(steps) {
		d.replace(s.a0, s.a1, s.b0, s.b1)
	}
}

func hunks(left, right []string, edits []edit, context int) []Hunk {
	var out []Hunk
	for i := 0; i < len(edits); {
		last := i
		for last+1 < len(edits) && edits[last+1].a0-edits[last].a1 <= 2*context {
			last++
		}
		before := min(context, edits[i].a0)
		after := min(context, len(left)-edits[last].a1)
		h := Hunk{LeftStart: edits[i].a0 - before + 1, RightStart: edits[i].b0 - before + 1}
		at := edits[i].a0 - before
		for _, e := range edits[i : last+1] {
			h.add(Same, left[at:e.a0])
			h.add(Removed, left[e.a0:e.a1])
			h.add(Added, right[e.b0:e.b1])
			at = e.a1
		}
		h.add(Same, left[at:at+after])
		out = append(out, h)
		i = last + 1
	}
	return out
}

func (h *Hunk) add(op Op, lines []string) {
	for _, line := range lines {
		h.Lines = append(h.Lines, Line{op, line})
	}
	if op != Added {
		h.LeftLines += len(lines)
	}
	if op != Removed {
		h.RightLines += len(lines)
	}
}

// Unified writes hunks as a unified diff without the names of files, at most so
// many lines, and says how many are left out. A carriage return at the end of a
// line is shown as ␍: two lines may differ in nothing else.
func Unified(hunks []Hunk, most int) (text string, left int) {
	var b strings.Builder
	written := 0
	for _, h := range hunks {
		if written < most {
			b.WriteString("@@ -" + span(h.LeftStart, h.LeftLines) + " +" + span(h.RightStart, h.RightLines) + " @@\n")
		}
		for _, line := range h.Lines {
			if written++; written > most {
				left++
				continue
			}
			b.WriteByte(byte(line.Op))
			if text, ok := strings.CutSuffix(line.Text, "\r"); ok {
				b.WriteString(text + "␍\n")
			} else {
				b.WriteString(text + "\n")
			}
		}
	}
	return b.String(), left
}

// span is a hunk's place on one side; of an empty one, the line before it.
func span(start, lines int) string {
	if lines == 0 {
		start--
	}
	if lines == 1 {
		return strconv.Itoa(start)
	}
	return strconv.Itoa(start) + "," + strconv.Itoa(lines)
}

// Count is how many lines were removed and added.
func Count(hunks []Hunk) (removed, added int) {
	for _, h := range hunks {
		for _, line := range h.Lines {
			switch line.Op {
			case Removed:
				removed++
			case Added:
				added++
			}
		}
	}
	return removed, added
}
