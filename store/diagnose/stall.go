package diagnose

import (
	"time"

	"wavedeck/store/wave"
)

// This file answers why a run is not moving, from what can be seen of it.

// How long a run may be silent before anything is said about it.
const (
	recentEvent  = time.Minute      // a run that wrote this lately is moving
	leastUnusual = 2 * time.Minute  // no silence is unusual before, whatever the past says
	longSilence  = 10 * time.Minute // beyond it, silence without a past to compare with is worth a word
	stopWithin   = time.Minute      // Wave looks for a request every 2 s; a step may take some time to end
	startWithin  = time.Minute      // from the reservation of a run to its first sign
	minPast      = 5                // fewer past runs tell nothing of what is usual
)

// unusualTimes is how often the longest silence that ever was makes one that is
// unusual. Of n alike past runs the next one exceeds the longest of them in one
// of n+1 cases, so the longest alone would be wrong too often.
const unusualTimes = 2

// Verdict is what the signals of a run come to.
type Verdict string

// The verdicts. A run that has ended has none, except that a lost one is gone.
const (
	Moving   Verdict = "moving"       // it wrote something within the last minute
	Quiet    Verdict = "quiet"        // silent, no longer than is usual for its step or for any
	ForHuman Verdict = "waiting"      // a gate of it, or of a run below it, waits for a decision
	InQueue  Verdict = "queued"       // it has not begun yet, and need not have
	Stopping Verdict = "stopping"     // it was asked to stop a moment ago
	Unheeded Verdict = "not stopping" // it was asked to stop and goes on
	Stuck    Verdict = "not moving"   // its process lives and is silent for longer than ever
	Gone     Verdict = "gone"         // its process is gone and recorded no end
	Unclear  Verdict = "unclear"      // the signals disagree, or are too few
)

// StallAction is the one thing to do about a run that does no harm.
type StallAction string

// The actions, from nothing yet to the ones that change something.
const (
	ActNothing StallAction = ""
	ActLog     StallAction = "log"
	ActAnswer  StallAction = "answer"
	ActStop    StallAction = "stop"
	ActResume  StallAction = "resume"
)

// Sign is when something was last seen of a run, as an age.
type Sign struct {
	Known bool
	Age   time.Duration
}

// Within reports whether the sign is known and not older than limit.
func (s Sign) Within(limit time.Duration) bool { return s.Known && s.Age <= limit }

// Process is what the kernel of this host says of a run's pid.
type Process string

// The processes. A pid says nothing of a run on another host.
const (
	NoPID        Process = ""       // none was recorded, as for runs in the foreground
	ProcessLives Process = "alive"  // here
	ProcessGone  Process = "gone"   // from here
	ProcessOther Process = "reused" // the pid is that of a process which began after the run's last sign
)

// Signals is everything that reports whether a run moves. Zero values are unknown.
type Signals struct {
	State   wave.State
	Start   Sign
	Beat    Sign    // the heartbeat; of a run below another, that of the one whose process it shares
	Process Process // likewise
	Event   Sign    // the latest event of the run or of one below it
	Gate    bool    // a gate of a run below it is open; its own shows in State
	Forked  bool    // it starts only when somebody resumes it
	Asked   Sign    // when it was asked to stop
	Slots   Slots   // for a run that has not begun

	Step    string        // the step that is measured against its past
	Longest time.Duration // the longest silence of that step in each of Past runs
	Past    int           // how many past runs tell that; fewer than 5 tell nothing
}

// Slots is how many runs may begin at a time and how many did.
type Slots struct{ Taken, Limit int } // Limit 0: unknown

// Stall is the verdict with its one sentence and the one safe action.
type Stall struct {
	Verdict Verdict // empty for a run that has ended
	Why     string
	Action  StallAction
}

// Judge says why a run is or is not moving. It is total: any combination of
// signals has an answer, and Unclear is one.
func Judge(s Signals) Stall {
	switch {
	case s.State == wave.Lost:
		return Stall{Gone, "Its process is gone and it recorded no end.", ActResume}
	case s.State.Ended():
		return Stall{}
	case s.Asked.Known:
		return s.judgeStopping()
	case s.State == wave.Pending || s.State == wave.Queued:
		return s.judgeStart()
	case s.State != wave.Running && s.State != wave.Waiting:
		return Stall{Unclear, "Whether it is running is unknown.", ActLog}
	case s.State == wave.Waiting || s.Gate:
		return s.judgeGate()
	default:
		return s.judgeRunning()
	}
}

func (s Signals) judgeStopping() Stall {
	if s.Asked.Age <= stopWithin {
		return Stall{Stopping, "A stop was just requested.", ActNothing}
	}
	switch s.life() {
	case lives, livesElsewhere, beatsNoMore:
		return Stall{Unheeded, "A stop was requested, and its process is still running.", ActStop}
	case noSignOfLife:
		if s.silence() == silenceRecent {
			return Stall{Unheeded, "A stop was requested, and it is still writing.", ActStop}
		}
	}
	return Stall{Unclear, "A stop was requested; its process was not found, and its end is not recorded.", ActLog}
}

func (s Signals) judgeStart() Stall {
	switch {
	case s.Forked:
		return Stall{InQueue, "It is a fork and starts when it is resumed.", ActNothing}
	case s.life() == dead:
		return Stall{Unclear, "It has not started, and its process is gone.", ActLog}
	case s.Slots.Limit > 0 && s.Slots.Taken >= s.Slots.Limit:
		return Stall{InQueue, "It is queued until another run ends.", ActNothing}
	case s.State == wave.Queued:
		return Stall{InQueue, "It is queued.", ActNothing}
	case s.Start.Within(startWithin):
		return Stall{InQueue, "It was reserved a moment ago.", ActNothing}
	default:
		return Stall{Unclear, "It was reserved, and there is no sign that it began.", ActLog}
	}
}

func (s Signals) judgeGate() Stall {
	switch s.life() {
	case lives, livesElsewhere, noSignOfLife:
		if s.State != wave.Waiting {
			return Stall{ForHuman, "A gate of a run that it started waits for a decision.", ActAnswer}
		}
		return Stall{ForHuman, "A gate waits for a decision.", ActAnswer}
	default:
		return Stall{Unclear, "A gate waits for a decision, but its process was not found.", ActLog}
	}
}

func (s Signals) judgeRunning() Stall {
	life, silence := s.life(), s.silence()
	switch {
	case life == dead:
		return Stall{Unclear, "Its process is gone, but not for long enough to call the run lost.", ActLog}
	case silence == silenceRecent:
		return Stall{Moving, "It wrote something within the last minute.", ActNothing}
	case silence == silenceUnusual && (life == lives || life == beatsNoMore):
		return Stall{Stuck, "Its process is alive, and it is silent for longer than ever before.", ActLog}
	case life == beatsNoMore:
		return Stall{Unclear, "Its process is alive, but its heartbeat has stopped.", ActLog}
	case life == faded:
		return Stall{Unclear, "Its heartbeat has stopped, and no process was recorded to ask for.", ActLog}
	case silence == silenceUnknown:
		return Stall{Unclear, "Its times are not usable.", ActLog}
	case silence == silenceUsual:
		return Stall{Quiet, "It is silent, as this step often is.", ActNothing}
	case silence == silenceShort:
		return Stall{Quiet, "It is silent, with too few past runs to know what is usual.", ActNothing}
	case silence == silenceLong && life == lives:
		return Stall{Unclear, "Its process is alive; too few past runs to know whether so long a silence is usual.", ActLog}
	case life == livesElsewhere:
		return Stall{Unclear, "It has been silent for a long time; it has a heartbeat, but its process is not on this host.", ActLog}
	default:
		return Stall{Unclear, "It has been silent for a long time, and whether its process is alive is unknown.", ActLog}
	}
}

// life is what heartbeat and process come to.
type life int

const (
	noSignOfLife   life = iota // neither was ever recorded
	lives                      // one says yes, the other does not say no
	livesElsewhere             // the heart beats, the pid is gone from here
	beatsNoMore                // the pid is here, the heartbeat has stopped
	faded                      // the heartbeat has stopped, there is no pid
	dead                       // the pid is gone, and no heartbeat says otherwise
)

func (s Signals) life() life {
	beats := s.Beat.Within(beatLimit)
	switch s.Process {
	case ProcessLives:
		if s.Beat.Known && !beats {
			return beatsNoMore
		}
		return lives
	case ProcessGone, ProcessOther:
		if beats {
			return livesElsewhere
		}
		return dead
	default:
		switch {
		case beats:
			return lives
		case s.Beat.Known:
			return faded
		default:
			return noSignOfLife
		}
	}
}

// silence is how the time since the last event compares.
type silence int

const (
	silenceUnknown silence = iota // no time that can be used
	silenceRecent                 // hardly any
	silenceUsual                  // within what the step's past shows
	silenceUnusual                // far beyond that
	silenceShort                  // no past to compare with, not long
	silenceLong                   // no past to compare with, long
)

// Silence is the time since the latest sign of work: an event, or the start.
func (s Signals) Silence() Sign {
	if s.Event.Known && (!s.Start.Known || s.Event.Age <= s.Start.Age) {
		return s.Event
	}
	return s.Start
}

// Unusual is the silence beyond which this step is silent for longer than ever;
// zero when its past tells nothing.
func (s Signals) Unusual() time.Duration {
	if s.Past < minPast {
		return 0
	}
	return max(unusualTimes*s.Longest, leastUnusual)
}

func (s Signals) silence() silence {
	last, unusual := s.Silence(), s.Unusual()
	switch {
	case !last.Known:
		return silenceUnknown
	case last.Age <= recentEvent:
		return silenceRecent
	case unusual > 0 && last.Age <= unusual:
		return silenceUsual
	case unusual > 0:
		return silenceUnusual
	case last.Age <= longSilence:
		return silenceShort
	default:
		return silenceLong
	}
}
