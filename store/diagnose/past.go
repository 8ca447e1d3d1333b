package diagnose

import (
	"time"

	"wavedeck/store/wave"
)

// PastRun is one run that ended well, cut to what the next one is measured by.
// Times are seconds since it started, which is how exact Wave is.
type PastRun struct {
	ID       string
	Duration int64
	Planned  int // steps it began with; 0: unknown
	Steps    map[string]PastStep
}

// PastStep is what became of one step of a past run.
type PastStep struct {
	Start, End int64
	Skipped    bool  // passed over: it took no time
	Heard      bool  // its silences were measured
	Silence    int64 // the longest between two of its events
	tokens     int64 // 0: not recorded
}

// AddHistory takes from the events of a run, which started at that second, how
// its steps went.
func (p *PastRun) AddHistory(h *History, start int64) {
	p.Planned = h.total
	for id, s := range h.Steps {
		if s.startedAt.IsZero() || s.endedAt.IsZero() || s.endedAt.Before(s.startedAt) || s.startedAt.Unix() < start {
			continue
		}
		step := PastStep{Start: s.startedAt.Unix() - start, End: s.endedAt.Unix() - start, tokens: s.Tokens}
		p.Steps[id] = step
	}
}

// UsualSilence is the longest silence of a step in any past run, and how many
// of them tell it.
func UsualSilence(past []*PastRun, step string) (longest time.Duration, n int) {
	for _, run := range past {
		if s, ok := run.Steps[step]; ok && s.Heard {
			longest = max(longest, wave.Seconds(s.Silence))
			n++
		}
	}
	return longest, n
}
