package diagnose

import (
	"strings"
	"time"

	"wavedeck/store/wave"
)

// What makes a runaway of repetition. Work repeats itself: a test is run after
// each edit, files are read one after the other, a build is polled. None of
// these does one and the same thing over and over within minutes:
//
//   - reads and edits differ in their target, and targets are compared whole
//   - a test between edits of different files is no cycle
//   - what waits for something does so for longer than a moment: 12 looks at a
//     build within 10 minutes are one in 50 s
//
// A step that did the like in a past run that ended well is let alone.
const (
	LoopWindow = 50               // actions looked back at
	loopWithin = 10 * time.Minute // before the latest of them
	loopSame   = 12               // one action so often in a row
	loopCycle  = 10               // two, three or four actions in turn, so many rounds
	loopShare  = 40               // of a window: one action with few others in between
	loopPeriod = 4                // the longest cycle
)

// What makes a runaway of tokens: a rate that is a multiple of the highest that
// ever was, over enough time and tokens to have a rate.
const (
	surgeTimes  = 5
	surgeTokens = 20_000
	surgeTime   = 2 * time.Minute
)

// Runaway is what a step does that it should not go on with.
type Runaway struct {
	Step  string
	Since time.Time

	// The same again and again: Times of the last Of actions are Actions in turn.
	Actions []string
	Times   int // how often each
	Of      int

	// Tokens: per minute, against the most in any of Past runs.
	Rate, Highest int64
	Past          int
}

// Loops reports whether the runaway is one of repetition; else of tokens.
func (r Runaway) Loops() bool { return len(r.Actions) > 0 }

// ToolCall is an action of a step: a tool and its target.
type ToolCall struct {
	At   time.Time
	Text string // normalized
}

// Normalize makes texts of the same action equal: they differ in white space
// and the case of the tool. Everything else may be the point of the action.
func Normalize(message string) string {
	fields := strings.Fields(message)
	if len(fields) == 0 {
		return ""
	}
	fields[0] = strings.ToLower(fields[0])
	return strings.Join(fields, " ")
}

// Repetition is how much a step repeats itself: rounds[p] is the most rounds of a
// cycle of p actions in a row, share the most of one action in a window.
type Repetition struct {
	rounds [loopPeriod + 1]int
	share  int
}

// Exceeds reports whether h repeats more than other ever did, in what is a
// runaway of h.
func (h Repetition) Exceeds(other Repetition) bool {
	for p := 1; p <= loopPeriod; p++ {
		if h.rounds[p] >= leastRounds(p) && h.rounds[p] > other.rounds[p] {
			return true
		}
	}
	return h.share >= loopShare && h.share > other.share
}

// With is the most of two repetitions.
func (h Repetition) With(other Repetition) Repetition {
	for p := range h.rounds {
		h.rounds[p] = max(h.rounds[p], other.rounds[p])
	}
	h.share = max(h.share, other.share)
	return h
}

func leastRounds(period int) int {
	if period == 1 {
		return loopSame
	}
	return loopCycle
}

// recent cuts actions to the window before the latest.
func recent(deeds []ToolCall) []ToolCall {
	deeds = deeds[max(0, len(deeds)-LoopWindow):]
	for len(deeds) > 0 && deeds[len(deeds)-1].At.Sub(deeds[0].At) > loopWithin {
		deeds = deeds[1:]
	}
	return deeds
}

// Repeats measures what a step does at the end of its actions, oldest first, and
// describes the repetition that counts most, if any does.
func Repeats(deeds []ToolCall) (Repetition, *Runaway) {
	deeds = recent(deeds)
	var h Repetition
	var found *Runaway
	n := len(deeds)
	for p := loopPeriod; p >= 1; p-- { // what is said last is the shortest cycle
		alike := 0
		for i := n - 1; i >= p && deeds[i].Text == deeds[i-p].Text; i-- {
			alike++
		}
		if alike == 0 {
			continue
		}
		h.rounds[p] = alike/p + 1
		if h.rounds[p] >= leastRounds(p) {
			found = &Runaway{Times: h.rounds[p], Of: h.rounds[p] * p, Since: deeds[n-h.rounds[p]*p].At}
			for _, d := range deeds[n-p:] {
				found.Actions = append(found.Actions, wave.Clip(d.Text, 200))
			}
		}
	}
	counts := map[string]int{}
	for _, d := range deeds {
		counts[d.Text]++
		h.share = max(h.share, counts[d.Text])
	}
	if found == nil && h.share >= loopShare {
		for _, d := range deeds {
			if counts[d.Text] == h.share {
				found = &Runaway{Actions: []string{wave.Clip(d.Text, 200)}, Times: h.share, Of: n, Since: d.At}
				break
			}
		}
	}
	return h, found
}

// RepetitionOf is the most that a step repeated itself anywhere in its actions.
func RepetitionOf(deeds []ToolCall) Repetition {
	var h Repetition
	for i := range deeds {
		now, _ := Repeats(deeds[max(0, i+1-LoopWindow) : i+1])
		h = h.With(now)
	}
	return h
}

// Surge compares the tokens per minute of a step with those of past runs.
func Surge(step string, s *stepHistory, past []*PastRun, now time.Time) *Runaway {
	if s == nil || s.startedAt.IsZero() || s.Tokens < surgeTokens {
		return nil
	}
	took := now.Sub(s.startedAt)
	if took < surgeTime {
		return nil
	}
	r := &Runaway{Step: step, Since: s.startedAt, Rate: perMinute(s.Tokens, int64(took/time.Second))}
	for _, run := range past {
		if p := run.Steps[step]; p.tokens > 0 && !p.Skipped {
			r.Highest, r.Past = max(r.Highest, perMinute(p.tokens, p.End-p.Start)), r.Past+1
		}
	}
	if r.Past < minPast || r.Rate < surgeTimes*r.Highest {
		return nil
	}
	return r
}

// perMinute is at least one second's rate: shorter is not measured.
func perMinute(tokens, seconds int64) int64 {
	const minute = 60
	return tokens * minute / max(seconds, 1)
}
