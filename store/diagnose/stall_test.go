package diagnose

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"wavedeck/store/wave"
)

// signalClass is a value of one signal that stands for all alike.
type signalClass struct {
	name string
	set  func(*Signals)
}

// signalClasses holds, for each signal, every class that may change a verdict.
func signalClasses() [][]signalClass {
	sign := func(age time.Duration) Sign { return Sign{Known: true, Age: age} }
	var states []signalClass
	for _, state := range wave.States {
		states = append(states, signalClass{"state " + string(state), func(s *Signals) { s.State = state }})
	}
	return [][]signalClass{
		states,
		{
			{"no heartbeat", func(*Signals) {}},
			{"heartbeat", func(s *Signals) { s.Beat = sign(20 * time.Second) }},
			{"heartbeat old", func(s *Signals) { s.Beat = sign(beatLimit + time.Second) }},
		},
		{
			{"no pid", func(*Signals) {}},
			{"pid alive", func(s *Signals) { s.Process = ProcessLives }},
			{"pid gone", func(s *Signals) { s.Process = ProcessGone }},
			{"pid reused", func(s *Signals) { s.Process = ProcessOther }},
		},
		{ // the order is that of a silence that grows
			{"event now", func(s *Signals) { s.Start, s.Event = sign(time.Hour), sign(recentEvent) }},
			{"silence usual", func(s *Signals) {
				s.Start, s.Event, s.Longest, s.Past = sign(time.Hour), sign(3*time.Minute), 2*time.Minute, minPast
			}},
			{"silence unusual", func(s *Signals) {
				s.Start, s.Event, s.Longest, s.Past = sign(time.Hour), sign(5*time.Minute), 2*time.Minute, minPast
			}},
			{"silence short, no past", func(s *Signals) {
				s.Start, s.Event, s.Longest, s.Past = sign(time.Hour), sign(5*time.Minute), 2*time.Minute, minPast-1
			}},
			{"silence long, no past", func(s *Signals) { s.Start, s.Event = sign(time.Hour), sign(longSilence+time.Second) }},
			{"begun now, no event", func(s *Signals) { s.Start = sign(time.Second) }},
			{"begun long ago, no event", func(s *Signals) { s.Start = sign(time.Hour) }},
			{"no times", func(*Signals) {}},
		},
		{
			{"no gate below", func(*Signals) {}},
			{"gate below", func(s *Signals) { s.Gate = true }},
		},
		{
			{"not asked to stop", func(*Signals) {}},
			{"asked to stop now", func(s *Signals) { s.Asked = sign(stopWithin) }},
			{"asked to stop long ago", func(s *Signals) { s.Asked = sign(stopWithin + time.Second) }},
		},
		{
			{"no limit of slots", func(*Signals) {}},
			{"a free slot", func(s *Signals) { s.Slots = Slots{4, 5} }},
			{"no free slot", func(s *Signals) { s.Slots = Slots{5, 5} }},
		},
	}
}

// everyCombination calls look with each combination of the classes.
func everyCombination(look func(name string, s Signals)) {
	classes := signalClasses()
	at := make([]int, len(classes))
	for {
		var s Signals
		names := make([]string, len(classes))
		for i, n := range at {
			classes[i][n].set(&s)
			names[i] = classes[i][n].name
		}
		look(strings.Join(names, ", "), s)
		i := 0
		for ; i < len(at); i++ {
			if at[i]++; at[i] < len(classes[i]) {
				break
			}
			at[i] = 0
		}
		if i == len(at) {
			return
		}
	}
}

// TestJudgeEveryCombination holds what must be true of any verdict.
func TestJudgeEveryCombination(t *testing.T) {
	n, seen := 0, map[Verdict]int{}
	everyCombination(func(name string, s Signals) {
		n++
		got := Judge(s)
		seen[got.Verdict]++
		recent := s.Silence().Within(recentEvent)
		gate := s.State == wave.Waiting || s.State == wave.Running && s.Gate
		beats, here := s.Beat.Within(beatLimit), s.Process == ProcessLives
		rules := []struct {
			rule  string
			holds bool
		}{
			{"an ended run has no verdict, and only it", (got.Verdict == "") == (s.State.Ended() && s.State != wave.Lost)},
			{"a verdict has one sentence, none has none", (got.Verdict == "") == (got.Why == "") && strings.Count(got.Why, ".") <= 1 && (got.Why == "" || strings.HasSuffix(got.Why, "."))},
			{"what is gone is resumed, and nothing else", (got.Verdict == Gone) == (got.Action == ActResume)},
			{"only a lost run is gone", (got.Verdict == Gone) == (s.State == wave.Lost)},
			{"only a run that was asked to stop and did not is offered to be stopped", (got.Action == ActStop) == (got.Verdict == Unheeded) && (got.Verdict != Unheeded || s.Asked.Known)},
			{"what is fine asks for nothing", got.Action == ActNothing || got.Verdict != Moving && got.Verdict != Quiet && got.Verdict != InQueue && got.Verdict != Stopping},
			{"what is doubtful asks at least for a look", got.Action == ActLog || got.Verdict != Stuck && got.Verdict != Unclear},
			{"a run that wrote a moment ago does not stand still", got.Verdict != Stuck || !recent},
			{"only what wrote a moment ago moves", got.Verdict != Moving || recent && s.State == wave.Running},
			{"only a running one stands still, and only against its past", got.Verdict != Stuck || s.State == wave.Running && s.Past >= minPast && s.Silence().Age > leastUnusual},
			{"a run stands still only when something says that it lives", got.Verdict != Stuck || here || beats},
			{"a gate is told as a gate, or as unclear", !gate || s.Asked.Known || got.Verdict == ForHuman || got.Verdict == Unclear},
			{"only a gate waits for a human", got.Verdict != ForHuman || gate},
			{"nobody is waited for when the process is gone and no heart beats", got.Verdict != ForHuman || beats || here || s.Process == NoPID},
			{"only what has not begun is queued", got.Verdict != InQueue || s.State == wave.Pending || s.State == wave.Queued},
			{"a request is heeded or not, or it is unclear", s.State.Ended() || !s.Asked.Known || got.Verdict == Stopping || got.Verdict == Unheeded || got.Verdict == Unclear},
			{"nothing is claimed of a run whose state is unknown", s.State != wave.Unknown || s.Asked.Known || got.Verdict == Unclear},
			{"nothing but doubt follows from a process that is gone without a heartbeat", s.State != wave.Running || s.Asked.Known || beats || s.Process != ProcessGone && s.Process != ProcessOther || got.Verdict == Unclear},
		}
		for _, r := range rules {
			if !r.holds {
				t.Errorf("%s: %+v breaks: %s", name, got, r.rule)
			}
		}
	})
	if want := 12 * 3 * 4 * 8 * 2 * 3 * 3; n != want {
		t.Errorf("%d combinations, want %d", n, want)
	}
	for _, v := range []Verdict{"", Moving, Quiet, ForHuman, InQueue, Stopping, Unheeded, Stuck, Gone, Unclear} {
		if seen[v] == 0 {
			t.Errorf("no combination is %q", v)
		}
	}
}

// TestJudgeGrowsWorse watches one run fall silent: what it is called never gets
// better while nothing is heard of it.
func TestJudgeGrowsWorse(t *testing.T) {
	rank := map[Verdict]int{Moving: 0, Quiet: 1, ForHuman: 1, InQueue: 1, Stopping: 1, Unclear: 2, Unheeded: 3, Stuck: 3}
	everyCombination(func(name string, s Signals) {
		if s.State.Ended() {
			return
		}
		worst, before := -1, Stall{}
		for age := time.Duration(0); age < 30*time.Minute; age += 10 * time.Second {
			s.Event = Sign{Known: true, Age: age}
			s.Start = Sign{Known: true, Age: time.Hour}
			got := Judge(s)
			// From standing still, doubt is no step back: the same is known.
			if r := rank[got.Verdict]; r < worst && got.Verdict != Unclear {
				t.Fatalf("%s: after %v of silence %q follows %q", name, age, got.Verdict, before.Verdict)
			} else if r > worst {
				worst, before = r, got
			}
		}
	})
}

func TestJudge(t *testing.T) {
	sign := func(age time.Duration) Sign { return Sign{Known: true, Age: age} }
	running := func(change func(*Signals)) Signals {
		s := Signals{State: wave.Running, Start: sign(time.Hour), Event: sign(5 * time.Second), Beat: sign(10 * time.Second), Step: "soak"}
		change(&s)
		return s
	}
	usual := func(s *Signals) { s.Longest, s.Past = 4*time.Minute, 12 }
	for _, tt := range []struct {
		name string
		s    Signals
		want Verdict
		act  StallAction
	}{
		{"a run that writes moves", running(func(*Signals) {}), Moving, ActNothing},
		{"a run that writes moves although its heartbeat failed", running(func(s *Signals) { s.Beat = sign(3 * time.Minute) }), Moving, ActNothing},
		{"a run that writes from another host moves", running(func(s *Signals) { s.Process = ProcessGone }), Moving, ActNothing},
		{"a run that wrote but whose process is gone is unclear", running(func(s *Signals) { s.Process, s.Beat = ProcessGone, Sign{} }), Unclear, ActLog},
		{"a run is as quiet as its step often is", running(func(s *Signals) { usual(s); s.Event = sign(7 * time.Minute) }), Quiet, ActNothing},
		{"a run stands still when it is silent for longer than ever", running(func(s *Signals) { usual(s); s.Event = sign(9 * time.Minute) }), Stuck, ActLog},
		{"a resumed run that is silent for longer than ever is unclear: it has neither heartbeat nor pid", running(func(s *Signals) { usual(s); s.Event, s.Beat = sign(9*time.Minute), Sign{} }), Unclear, ActLog},
		{"a silence below two minutes is never unusual", running(func(s *Signals) { s.Longest, s.Past, s.Event = 0, 50, sign(119*time.Second) }), Quiet, ActNothing},
		{"four past runs say nothing", running(func(s *Signals) { s.Past, s.Event = 4, sign(9*time.Minute) }), Quiet, ActNothing},
		{"without a past a long silence is unclear", running(func(s *Signals) { s.Event = sign(11 * time.Minute) }), Unclear, ActLog},
		{"a process that no longer beats stands still when it is silent for longer than ever", running(func(s *Signals) {
			usual(s)
			s.Event, s.Beat, s.Process = sign(9*time.Minute), sign(9*time.Minute), ProcessLives
		}), Stuck, ActLog},
		{"a process that no longer beats and is quiet is unclear", running(func(s *Signals) {
			usual(s)
			s.Event, s.Beat, s.Process = sign(5*time.Minute), sign(5*time.Minute), ProcessLives
		}), Unclear, ActLog},
		{"a pid that another process has says as much as one that is gone", running(func(s *Signals) { s.Process, s.Beat = ProcessOther, sign(5*time.Minute) }), Unclear, ActLog},
		{"a gate waits for a human, however long", running(func(s *Signals) { usual(s); s.State, s.Event = wave.Waiting, sign(9*time.Hour) }), ForHuman, ActAnswer},
		{"a gate below waits for a human", running(func(s *Signals) { s.Gate = true }), ForHuman, ActAnswer},
		{"a gate of a process that does not show is unclear", running(func(s *Signals) { s.State, s.Beat = wave.Waiting, sign(4*time.Minute) }), Unclear, ActLog},
		{"a run just asked to stop is stopping", running(func(s *Signals) { s.Asked = sign(3 * time.Second) }), Stopping, ActNothing},
		{"a run asked to stop long ago that goes on does not heed", running(func(s *Signals) { s.Asked = sign(2 * time.Minute) }), Unheeded, ActStop},
		{"a waiting run asked to stop is stopping", running(func(s *Signals) { s.State, s.Asked = wave.Waiting, sign(time.Second) }), Stopping, ActNothing},
		{"a run asked to stop whose process is gone is unclear", running(func(s *Signals) { s.Asked, s.Process, s.Beat = sign(2*time.Minute), ProcessGone, Sign{} }), Unclear, ActLog},
		{"a run just reserved is queued", Signals{State: wave.Pending, Start: sign(2 * time.Second)}, InQueue, ActNothing},
		{"a run reserved long ago is unclear", Signals{State: wave.Pending, Start: sign(2 * time.Minute)}, Unclear, ActLog},
		{"a run without a slot is queued, however long", Signals{State: wave.Pending, Start: sign(4 * time.Minute), Slots: Slots{5, 5}}, InQueue, ActNothing},
		{"a fork waits for somebody to resume it, however long", Signals{State: wave.Pending, Start: sign(time.Hour), Forked: true, Slots: Slots{0, 5}}, InQueue, ActNothing},
		{"a queued run is queued", Signals{State: wave.Queued, Start: sign(time.Hour)}, InQueue, ActNothing},
		{"a lost run is gone", Signals{State: wave.Lost}, Gone, ActResume},
		{"an outer row that stays pending is unclear", Signals{State: wave.Unknown, Start: sign(time.Hour)}, Unclear, ActLog},
		{"a cancelled run has no verdict", Signals{State: wave.Cancelled, Asked: sign(time.Hour)}, "", ActNothing},
		{"a run whose clock is ahead of ours is unclear", Signals{State: wave.Running, Beat: sign(time.Second)}, Unclear, ActLog},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Judge(tt.s); got.Verdict != tt.want || got.Action != tt.act {
				t.Errorf("got %s, want %s %q", fmt.Sprintf("%+v", got), tt.want, tt.act)
			}
		})
	}
}
