package timeline

import (
	"cmp"
	"math/bits"
	"slices"
)

// Full is the width of a track, in thousandths of a percent.
const Full = 100_000

const (
	foldWidth = 5_000  // of a folded gap: fixed, as it stands for any length
	maxFolds  = 6      // more would leave less than the half for what happened
	tickGap   = 12_500 // between two labels: no more than eight fit
	wideGap   = 42_000 // the same on a narrow screen
)

// piece is a part of the axis in which places and widths are proportional.
type piece struct {
	from, to int64
	x0, x1   int
	folded   bool
}

// axis maps places to widths. Its pieces touch, and cover the window.
type axis struct {
	pieces []piece
	window Window
}

// newAxis lays window over width; idle time of more than a fifth of what is
// left of it is folded, the longest first. busy is when something happens, in
// any order.
func newAxis(window Window, busy []Window, width int) axis {
	a := axis{window: window}
	folds := longIdle(window, busy)
	shown := window.To - window.From
	for _, f := range folds {
		shown -= f.To - f.From
	}
	room := width - len(folds)*foldWidth
	at, passed, x := window.From, int64(0), 0
	plain := func(to int64, folded int) {
		if to > at {
			passed += to - at
			end := scale(passed, int64(room), shown) + folded*foldWidth
			a.pieces = append(a.pieces, piece{from: at, to: to, x0: x, x1: end})
			x = end
		}
	}
	for i, f := range folds {
		plain(f.From, i)
		a.pieces = append(a.pieces, piece{from: f.From, to: f.To, x0: x, x1: x + foldWidth, folded: true})
		at, x = f.To, x+foldWidth
	}
	plain(window.To, len(folds))
	return a
}

// scale is n·width/whole for 0 <= n <= whole, without overflow.
func scale(n, width, whole int64) int {
	if n <= 0 || width <= 0 || whole <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(min(n, whole)), uint64(width))
	q, _ := bits.Div64(hi, lo, uint64(whole))
	return int(q) //nolint:gosec // at most width
}

// x is where t lies; places outside the window lie on its ends.
func (a axis) x(t int64) int {
	i, _ := slices.BinarySearchFunc(a.pieces, t, func(p piece, t int64) int { return cmp.Compare(p.to, t) })
	if i == len(a.pieces) {
		return a.end()
	}
	p := a.pieces[i]
	return p.x0 + scale(t-p.from, int64(p.x1-p.x0), p.to-p.from)
}

func (a axis) end() int {
	if len(a.pieces) == 0 {
		return 0
	}
	return a.pieces[len(a.pieces)-1].x1
}

// shown is how much of the axis is not folded, and how wide that is.
func (a axis) shown() (length int64, width int) {
	for _, p := range a.pieces {
		if !p.folded {
			length += p.to - p.from
			width += p.x1 - p.x0
		}
	}
	return length, width
}

// longIdle is the gaps to fold, in order. What remains is never nothing.
func longIdle(window Window, busy []Window) []Window {
	gaps := idle(window, busy)
	slices.SortStableFunc(gaps, func(a, b Window) int { return cmp.Compare(b.To-b.From, a.To-a.From) })
	left := window.To - window.From
	var folds []Window
	for _, g := range gaps {
		length := g.To - g.From
		if len(folds) == maxFolds || length <= left/5 || length >= left {
			break
		}
		folds = append(folds, g)
		left -= length
	}
	slices.SortFunc(folds, func(a, b Window) int { return cmp.Compare(a.From, b.From) })
	return folds
}

// idle is what busy leaves of window. A moment is busy for one place.
func idle(window Window, busy []Window) []Window {
	busy = slices.Clone(busy)
	slices.SortFunc(busy, func(a, b Window) int { return cmp.Compare(a.From, b.From) })
	var gaps []Window
	at := window.From
	for _, b := range busy {
		if b.From >= window.To {
			break
		}
		if b.From > at {
			gaps = append(gaps, Window{at, b.From})
		}
		at = max(at, b.To, min(b.From+1, window.To))
	}
	if at < window.To {
		gaps = append(gaps, Window{at, window.To})
	}
	return gaps
}

// Tick is a round place on the axis.
type Tick struct {
	X     int
	Label string // empty: there is no room for it
	Roomy bool   // a narrow screen has no room for the label
}

// Break is idle time that was folded.
type Break struct {
	X, Width int
	Label    string
	From, To int64
}

func (a axis) breaks(label func(int64) string) []Break {
	var breaks []Break
	for _, p := range a.pieces {
		if p.folded {
			breaks = append(breaks, Break{X: p.x0, Width: p.x1 - p.x0, Label: "⋯ " + label(p.to-p.from), From: p.from, To: p.to})
		}
	}
	return breaks
}

// ticks gives round places, four to eight when nothing is folded. finest is the
// smallest step that the data can bear.
func (a axis) ticks(steps func(int) int64, finest int64, label func(int64) string) []Tick {
	shown, width := a.shown()
	most := int64(max(width/tickGap, 3))
	step := steps(0)
	for i := 1; step < finest || shown/step >= most; i++ {
		step = steps(i)
	}
	var ticks []Tick
	var taken, narrow []int // where labels of breaks and ticks are
	for _, p := range a.pieces {
		if p.folded {
			taken = append(taken, (p.x0+p.x1)/2)
		}
	}
	narrow = slices.Clone(taken)
	for i, p := range a.pieces {
		if p.folded {
			continue
		}
		first := (p.from + step - 1) / step * step
		for t := first; t <= p.to; t += step {
			if i > 0 && t == p.from {
				continue // the end of a fold is labelled by its length
			}
			x := a.x(t)
			tick := Tick{X: x, Roomy: near(narrow, x, wideGap)}
			if !near(taken, x, tickGap*9/10) {
				tick.Label = label(t)
				taken = append(taken, x)
				if !tick.Roomy {
					narrow = append(narrow, x)
				}
			}
			ticks = append(ticks, tick)
		}
	}
	return ticks
}

func near(taken []int, x, gap int) bool {
	return slices.ContainsFunc(taken, func(t int) bool { return max(t-x, x-t) < gap })
}

// timeStep is the i-th round length of time, in milliseconds: each is at most
// two and a half times the one before it.
func timeStep(i int) int64 {
	const second, minute, hour, day = 1000, 60_000, 3_600_000, 86_400_000
	fixed := [...]int64{
		1, 2, 5, 10, 20, 50, 100, 200, 500,
		second, 2 * second, 5 * second, 10 * second, 15 * second, 30 * second,
		minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute,
		hour, 2 * hour, 4 * hour, 6 * hour, 12 * hour,
	}
	if i < len(fixed) {
		return fixed[i]
	}
	return day * tokenStep(i-len(fixed))
}

// tokenStep is the i-th of 1, 2, 5, 10, 20, 50 and so on.
func tokenStep(i int) int64 {
	step := [...]int64{1, 2, 5}[i%3]
	for range min(i/3, 15) {
		step *= 10
	}
	return step
}
