package diagnose

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"wavedeck/store/wave"
)

// MaxAncestors bounds how far the states of nested runs follow their parents;
// rows that name each other as parents would have no end.
const MaxAncestors = 8

// Urgency is why a run needs a human.
type Urgency string

// The urgencies, the most urgent first: what costs while it goes on, what waits
// for an answer, what will not get better by itself, and what is over.
const (
	UrgentRunaway  Urgency = "runaway"
	UrgentUnheeded Urgency = "not stopping"
	UrgentGate     Urgency = "waiting"
	UrgentStuck    Urgency = "not moving"
	UrgentFailed   Urgency = "failed"
)

func (u Urgency) order() int {
	return slices.Index([]Urgency{UrgentRunaway, UrgentUnheeded, UrgentGate, UrgentStuck, UrgentFailed}, u)
}

// Attention is a run that needs a human, and why.
type Attention struct {
	Run       string
	In        string // the run below it that the reason lies in; empty: itself
	Urgency   Urgency
	Since     time.Time // for how long, as far as that is known
	Diagnosis Diagnosis // of In or Run, when it goes on

	Inner bool // another run tells of this one, if it can be found
}

// urgencyOf is why a run that goes on needs a human, empty: it does not.
func urgencyOf(o Diagnosis) Urgency {
	switch {
	case o.Runaway != nil:
		return UrgentRunaway
	case o.Stall.Verdict == Unheeded:
		return UrgentUnheeded
	case o.Stall.Verdict == ForHuman:
		return UrgentGate
	case o.Stall.Verdict == Stuck:
		return UrgentStuck
	default:
		return ""
	}
}

// since is when the reason began.
func (a Attention) since() time.Time {
	switch o := a.Diagnosis; a.Urgency {
	case UrgentRunaway:
		return o.Runaway.Since
	case UrgentUnheeded:
		return o.At.Add(-o.Signals.Asked.Age)
	default:
		return o.At.Add(-o.Signals.Silence().Age)
	}
}

// Urgent tells the runs that go on and need a human, each by the topmost run
// above it that is known here, and each of those once by what is most urgent.
func Urgent(outlooks map[string]Diagnosis) []Attention {
	byTop := map[string]Attention{}
	for id, o := range outlooks {
		a := Attention{Run: id, Urgency: urgencyOf(o), Diagnosis: o}
		if a.Urgency == "" {
			continue
		}
		a.Since = a.since()
		for top, hops := o.Above, 0; top != "" && top != id && hops < MaxAncestors; top, hops = outlooks[top].Above, hops+1 {
			a.Run, a.In = top, id
		}
		was, told := byTop[a.Run]
		if !told || a.Urgency.order() < was.Urgency.order() || a.Urgency == was.Urgency && a.isThere() {
			byTop[a.Run] = a
		}
	}
	list := make([]Attention, 0, len(byTop))
	for _, a := range byTop {
		list = append(list, a)
	}
	return list
}

// isThere reports whether the reason lies in the very run that shows it: a gate
// below shows above as well, and a run above is silent when the one below is.
func (a Attention) isThere() bool {
	if a.Urgency == UrgentGate {
		return a.Diagnosis.Signals.State == wave.Waiting
	}
	return a.In == ""
}

// SortAttention puts the most urgent first, and of these the newest.
func SortAttention(list []Attention) {
	slices.SortFunc(list, func(a, b Attention) int {
		return cmp.Or(cmp.Compare(a.Urgency.order(), b.Urgency.order()), b.Since.Compare(a.Since), cmp.Compare(a.Run, b.Run))
	})
}

// Differ names the runs that need a human now and did not before, or the other
// way about, or for another reason.
func Differ(before, now []Attention) []string {
	why := make(map[string]Urgency, len(before))
	for _, a := range before {
		why[a.Run] = a.Urgency
	}
	var moved []string
	for _, a := range now {
		if why[a.Run] != a.Urgency {
			moved = append(moved, a.Run)
		}
		delete(why, a.Run)
	}
	return slices.AppendSeq(moved, maps.Keys(why))
}

// Latest is the last of the times that are known, zero when none is.
func Latest(times ...time.Time) time.Time {
	var last time.Time
	for _, t := range times {
		if t.After(last) {
			last = t
		}
	}
	return last
}
