package views

import (
	"fmt"

	"wavedeck/static"
)

// BadgeView is a name and how it stands.
type BadgeView struct {
	Label, State, Word string
}

// BadgeColour is the colour of a state behind white text: that of the console on
// white, whose contrast is tested.
func BadgeColour(state string) string {
	switch knownState(state) {
	case "running":
		return "#0043d1"
	case "succeeded", "empty":
		return "#00814f"
	case "failed", "rejected", "lost":
		return "#7b120b"
	case "waiting":
		return "#9d6403"
	case "cancelled":
		return "#6a2578"
	default:
		return "#414349"
	}
}

func (v BadgeView) colour() string { return BadgeColour(v.State) }

// split is where the state begins.
func (v BadgeView) split() int { return textWidth(v.Label) + 14 }

func (v BadgeView) width() int { return v.split() + textWidth(v.Word) + 29 }

// field is the right part, round at its right corners.
func (v BadgeView) field() string {
	return fmt.Sprintf("M%d 0H%da3 3 0 0 1 3 3V17a3 3 0 0 1-3 3H%dz", v.split(), v.width()-3, v.split())
}

func (v BadgeView) mark() []byte {
	svg, _ := static.Symbol(knownState(v.State))
	return []byte(svg)
}

// textWidth is about how wide text is in 11 px of Verdana; the picture makes it
// exactly that.
func textWidth(text string) int {
	tenths := 0
	for _, r := range text {
		switch {
		case r == 'i' || r == 'j' || r == 'l' || r == '.' || r == ',' || r == ':' || r == '|' || r == '\'' || r == ' ':
			tenths += 36
		case r == 'f' || r == 't' || r == 'r' || r == '-' || r == '(' || r == ')':
			tenths += 46
		case r == 'm' || r == 'w' || r == 'M' || r == 'W' || r == '@':
			tenths += 102
		case r >= 'A' && r <= 'Z':
			tenths += 78
		case r > 0x2e80: // as wide as high
			tenths += 110
		default:
			tenths += 66
		}
	}
	return max((tenths+9)/10, 1)
}
