package dag

import "fmt"

// shaped reports whether a kind has a shape of its own, and so a class.
func shaped(k Kind) bool {
	switch k {
	case KindPrompt, KindCommand, KindPipeline, KindIterate, KindMatrix, KindBranch,
		KindConditional, KindGate, KindLoop, KindAggregate, KindRework:
		return true
	default:
		return false
	}
}

// stacked reports whether a box is drawn with others behind it.
func (b *Box) stacked() bool {
	return len(b.Steps) > 1 || b.Kind == KindIterate || b.Kind == KindMatrix
}

// loops reports whether a box has an arrow back to itself.
func (b *Box) loops() bool { return b.Loops || b.Kind == KindLoop }

// outline is the path of a box's border, a silhouette for each kind.
func (b *Box) outline() string {
	x, y, w, h := b.X, b.Y, b.W, b.H
	switch b.Kind {
	case KindBranch, KindConditional: // pointed to the right, where the ways part
		return fmt.Sprintf("M%d %dH%dL%d %dL%d %dH%dZ", x, y, x+w-12, x+w, y+h/2, x+w-12, y+h, x)
	case KindAggregate: // narrows to the right, where many become one
		return fmt.Sprintf("M%d %dH%dL%d %dV%dL%d %dH%dZ", x, y, x+w-14, x+w, y+9, y+h-9, x+w-14, y+h, x)
	case KindGate: // a ticket: notched where it is torn
		n := x + iconWidth - 6
		return fmt.Sprintf("M%d %dH%da4 4 0 0 0 8 0H%dV%dH%da4 4 0 0 0 -8 0H%dZ", x, y, n-4, x+w, y+h, n+4, x)
	case KindRework: // a corner turned down
		return fmt.Sprintf("M%d %dH%dL%d %dV%dH%dZ", x, y, x+w-9, x+w, y+9, y+h, x)
	default:
		r := 6
		if b.Kind == KindCommand {
			r = 1
		}
		return roundRect(x, y, w, h, r)
	}
}

// inner is the second border of a pipeline within a pipeline.
func (b *Box) inner() string { return roundRect(b.X+2, b.Y+2, b.W-4, b.H-4, 4) }

// behind is what shows of the n-th box behind a stacked one.
func (b *Box) behind(n int) string {
	x, y := b.X+b.W, b.Y+b.H
	d := 3 * n
	return fmt.Sprintf("M%d %dV%dq0 4 -4 4H%d", x+d, b.Y+d+2, y+d-4, b.X+d+2)
}

// loop is the arrow back to the box itself, over its upper right corner.
func (b *Box) loop() string {
	x := b.X + b.W - 30
	return fmt.Sprintf("M%d %dc4 -11 -18 -11 -16 -1M%d %dl-1 -5M%d %dl5 -2", x+18, b.Y, x+2, b.Y-1, x+2, b.Y-1)
}

func roundRect(x, y, w, h, r int) string {
	return fmt.Sprintf("M%d %dH%da%d %d 0 0 1 %d %dV%da%d %d 0 0 1 %d %dH%da%d %d 0 0 1 %d %dV%da%d %d 0 0 1 %d %dZ",
		x+r, y, x+w-r, r, r, r, r, y+h-r, r, r, -r, r, x+r, r, r, -r, -r, y+r, r, r, r, -r)
}
