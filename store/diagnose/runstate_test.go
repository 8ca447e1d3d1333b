package diagnose

import (
	"testing"
	"time"

	"wavedeck/store/wave"
)

func TestTellRun(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	const soak = `step "soak" failed: `
	running := func(change func(*RunFacts)) RunFacts {
		f := RunFacts{Status: "running", HasEvents: true, StartedAt: ago(time.Hour), LastEvent: ago(time.Hour), Heartbeat: ago(time.Hour)}
		change(&f)
		return f
	}
	failed := func(text string, change func(*RunFacts)) RunFacts {
		f := RunFacts{Status: "failed", Error: text, HasEvents: true, StartedAt: ago(time.Hour), CompletedAt: ago(time.Minute), LastEvent: ago(time.Minute)}
		if change != nil {
			change(&f)
		}
		return f
	}
	asked := func(f *RunFacts) { f.Cancel = ago(2 * time.Minute) }
	const alivePID = 7

	for _, tt := range []struct {
		name   string
		facts  RunFacts
		want   wave.State
		reason string
	}{
		{"a completed run succeeded", RunFacts{Status: "completed"}, wave.Succeeded, ""},
		{"a run completed with nothing to do is empty", RunFacts{Status: "completed_empty"}, wave.Empty, ""},
		{"a run interrupted in its terminal is cancelled", RunFacts{Status: "cancelled"}, wave.Cancelled, ""},
		{"a queued run is queued", RunFacts{Status: "queued"}, wave.Queued, ""},
		{"an unknown status is unknown", RunFacts{Status: "hibernating"}, wave.Unknown, `recorded as "hibernating"`},
		{"no status is unknown", RunFacts{}, wave.Unknown, "no status is recorded"},
		{"a failed run failed", failed(soak+"exit status 2", nil), wave.Failed, ""},

		{"a run stopped by an operator is cancelled", failed(soak+"signal: killed", asked), wave.Cancelled, "stopped by an operator"},
		{"a persona stopped by an operator is cancelled", failed(soak+"adapter: context canceled", asked), wave.Cancelled, "stopped by an operator"},
		{"a failed run with its cancellation noted is cancelled", failed("", func(f *RunFacts) { f.CancelledAt = ago(time.Minute) }), wave.Cancelled, "stopped by an operator"},
		{"a kill that nobody asked for is a failure", failed(soak+"signal: killed", nil), wave.Failed, ""},
		{"a kill before the request is a failure", failed(soak+"signal: killed", func(f *RunFacts) { f.Cancel = now }), wave.Failed, ""},
		{"a run that failed on its own keeps its end", failed(soak+"exit status 2", asked), wave.Failed, "cancellation was requested"},
		{"a run that completed although asked to stop keeps its end", RunFacts{Status: "completed", Cancel: ago(time.Hour)}, wave.Succeeded, "cancellation was requested"},
		{"a request after the end says nothing", RunFacts{Status: "completed", Cancel: now, CompletedAt: ago(time.Minute)}, wave.Succeeded, ""},
		{"the child of a stopped run is cancelled", failed("context canceled", func(f *RunFacts) { f.Parent = wave.Cancelled }), wave.Cancelled, "the run that started it was stopped"},

		{"a rejected run stuck at running is rejected", running(func(f *RunFacts) {
			f.Rejected, f.PipelineState, f.PipelineStateAt = true, "rejected", ago(time.Hour)
		}), wave.Rejected, "a contract rejected its work"},
		{"a rejected step alone rejects a run", running(func(f *RunFacts) { f.Rejected = true }), wave.Rejected, "a contract rejected its work"},
		{"a rejected run is rejected although its heart beat a moment ago", running(func(f *RunFacts) {
			f.Rejected, f.PipelineState, f.PipelineStateAt, f.Heartbeat = true, "rejected", ago(time.Second), ago(time.Second)
		}), wave.Rejected, "a contract rejected its work"},
		{"a run goes on while other branches of it work after a rejection", running(func(f *RunFacts) {
			f.Rejected, f.PipelineState, f.PipelineStateAt, f.Heartbeat = true, "running", ago(time.Hour), ago(time.Second)
		}), wave.Running, ""},
		{"a rejected run that was reaped is rejected", failed(wave.ReasonGone, func(f *RunFacts) { f.Rejected = true }), wave.Rejected, "a contract rejected its work"},
		{"a reaped run whose pipeline was rejected is rejected", failed(wave.ReasonGone, func(f *RunFacts) { f.PipelineState = "rejected" }), wave.Rejected, "a contract rejected its work"},
		{"a run that failed by itself after a rejected step failed", failed(soak+"exit status 2", func(f *RunFacts) { f.Rejected = true }), wave.Failed, ""},

		{"a reaped run is lost", failed(wave.ReasonGone, nil), wave.Lost, "process gone, no end recorded"},
		{"a reaped run that was asked to stop is lost", failed(wave.ReasonGone, asked), wave.Lost, "process gone, no end recorded"},
		{"a reaped run whose end was recorded elsewhere has that end", failed(wave.ReasonGone, func(f *RunFacts) {
			f.PipelineState, f.PipelineStateAt = "completed", ago(time.Minute)
		}), wave.Succeeded, "end recorded in pipeline_state only"},
		{"a reaped run whose failure was recorded before failed", failed(wave.ReasonGone, func(f *RunFacts) {
			f.PipelineState, f.PipelineStateAt, f.CompletedAt = "failed", ago(time.Minute), ago(time.Second)
		}), wave.Failed, "end recorded in pipeline_state only"},
		{"a reaped run that was closed as a whole is lost", failed(wave.ReasonGone, func(f *RunFacts) {
			f.PipelineState, f.PipelineStateAt, f.CompletedAt = "failed", ago(time.Second), ago(time.Second)
		}), wave.Lost, "process gone, no end recorded"},
		{"a running run whose failure was recorded elsewhere failed", running(func(f *RunFacts) {
			f.PipelineState, f.PipelineStateAt = "failed", ago(time.Minute)
		}), wave.Failed, "end recorded in pipeline_state only"},
		{"the old end of a run that was taken up again says nothing", running(func(f *RunFacts) {
			f.PipelineState, f.PipelineStateAt, f.Heartbeat = "completed", ago(time.Hour), ago(time.Second)
		}), wave.Running, ""},

		{"a run whose heart beats is running", running(func(f *RunFacts) { f.Heartbeat, f.PID = ago(beatLimit), 99 }), wave.Running, ""},
		{"a beating heart outweighs a pid that is gone", running(func(f *RunFacts) { f.Heartbeat, f.PID = ago(time.Minute), 99 }), wave.Running, ""},
		{"one sign alone does not lose a run: the pid lives", running(func(f *RunFacts) { f.PID = alivePID }), wave.Running, ""},
		{"a run without heartbeat and without process is lost", running(func(f *RunFacts) { f.PID, f.Heartbeat = 99, ago(91*time.Second) }), wave.Lost, "its process is gone and recorded no end"},
		{"a run without pid is given five minutes", running(func(f *RunFacts) { f.Heartbeat = ago(SilenceLimit) }), wave.Running, ""},
		{"a run without pid that writes events is running", running(func(f *RunFacts) { f.LastEvent = ago(time.Minute) }), wave.Running, ""},
		{"a run without pid that is silent for longer is lost", running(func(f *RunFacts) { f.Heartbeat = ago(SilenceLimit + time.Second) }), wave.Lost, "no heartbeat and no event for more than 5 minutes"},
		{"a run that began and wrote nothing is lost in time", running(func(f *RunFacts) {
			f.HasEvents, f.LastEvent, f.Heartbeat = false, time.Time{}, time.Time{}
		}), wave.Lost, "it was recorded as running but wrote nothing"},
		{"a run that has just begun and wrote nothing is running", running(func(f *RunFacts) {
			f.HasEvents, f.LastEvent, f.Heartbeat, f.StartedAt = false, time.Time{}, time.Time{}, ago(time.Second)
		}), wave.Running, ""},
		{"a run that never beats and has lost its process is lost", running(func(f *RunFacts) {
			f.Heartbeat, f.PID = time.Time{}, 99
		}), wave.Lost, "its process is gone and recorded no end"},
		{"a run that never beats is not lost while it writes", running(func(f *RunFacts) {
			f.Heartbeat, f.PID, f.LastEvent = time.Time{}, 99, ago(time.Second)
		}), wave.Running, ""},

		{"a child follows a running parent however silent", running(func(f *RunFacts) { f.Heartbeat, f.Parent = time.Time{}, wave.Running }), wave.Running, ""},
		{"a child follows a lost parent however fresh", running(func(f *RunFacts) { f.LastEvent, f.Parent = now, wave.Lost }), wave.Lost, "the run that started it is lost"},
		{"a child follows a stopped parent", running(func(f *RunFacts) { f.Parent, f.Kind = wave.Cancelled, "iterate_child" }), wave.Cancelled, "the run that started it was stopped"},
		{"a child that its ended parent left behind is lost", running(func(f *RunFacts) { f.Parent, f.Kind = wave.Failed, "iterate_child" }), wave.Lost, "the run that started it has ended"},
		{"a child may end a moment after its parent", running(func(f *RunFacts) { f.Parent, f.LastEvent = wave.Failed, ago(time.Second) }), wave.Running, ""},
		{"a child of a composition goes by its own signs", running(func(f *RunFacts) { f.Parent, f.LastEvent = wave.Unknown, ago(time.Second) }), wave.Running, ""},
		{"a resumed run does not follow its original", running(func(f *RunFacts) {
			f.Parent, f.Kind, f.Heartbeat, f.LastEvent = wave.Cancelled, "resume", time.Time{}, ago(time.Minute)
		}), wave.Running, ""},
		{"a resumed run of an old schema is known by its start", running(func(f *RunFacts) {
			f.Parent, f.ParentEnded, f.LastEvent = wave.Lost, ago(2*time.Hour), ago(time.Minute)
		}), wave.Running, ""},

		{"a run at a gate waits", running(func(f *RunFacts) { f.AtGate, f.Heartbeat = true, now }), wave.Waiting, "a gate waits for a decision"},
		{"a run that died at a gate is lost", running(func(f *RunFacts) { f.AtGate = true }), wave.Lost, "no heartbeat and no event for more than 5 minutes"},
		{"a gate of a run that never beats cannot be told from a dead one", running(func(f *RunFacts) {
			f.AtGate, f.Heartbeat = true, time.Time{}
		}), wave.Unknown, "it waits at a gate, and whether its process is alive is unknown"},
		{"a child waits at a gate while its parent runs", running(func(f *RunFacts) { f.AtGate, f.Parent = true, wave.Running }), wave.Waiting, "a gate waits for a decision"},

		{"a fresh pending run is pending", RunFacts{Status: "pending", StartedAt: ago(time.Minute)}, wave.Pending, ""},
		{"a pending run whose process lives is pending", RunFacts{Status: "pending", StartedAt: ago(time.Hour), PID: alivePID}, wave.Pending, ""},
		{"a composition that is pending for ever is unknown", RunFacts{Status: "pending", StartedAt: ago(time.Hour)}, wave.Unknown, "recorded as pending, and nothing shows that it began"},
		{"a pending run that writes events is running", RunFacts{Status: "pending", StartedAt: ago(time.Hour), HasEvents: true, LastEvent: now}, wave.Running, ""},

		{"a heartbeat a little ahead of this clock counts as now", running(func(f *RunFacts) { f.Heartbeat = now.Add(10 * time.Minute) }), wave.Running, ""},
		{"times far ahead of this clock tell nothing", RunFacts{
			Status: "running", HasEvents: true, StartedAt: now.AddDate(1, 0, 0), LastEvent: now.AddDate(1, 0, 0), Heartbeat: now.AddDate(1, 0, 0),
		}, wave.Unknown, "its times are in the future"},
		{"a process that is gone is lost whatever the clocks say", running(func(f *RunFacts) { f.Heartbeat, f.PID = now.AddDate(1, 0, 0), 99 }), wave.Lost, "its process is gone and recorded no end"},
		{"a pending run from the far future is unknown", RunFacts{Status: "pending", StartedAt: now.AddDate(1, 0, 0)}, wave.Unknown, "its times are in the future"},
		{"a recorded end is final though signs of life follow", RunFacts{Status: "completed", Heartbeat: now, LastEvent: now, PID: alivePID}, wave.Succeeded, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, reason := Derive(tt.facts, now, func(pid int) bool { return pid == alivePID })
			if got != tt.want || reason != tt.reason {
				t.Errorf("told %s (%q), want %s (%q)", got, reason, tt.want, tt.reason)
			}
		})
	}
}

func TestTellStep(t *testing.T) {
	for _, tt := range []struct {
		name  string
		facts stepFacts
		run   wave.State
		want  wave.State
		note  string
	}{
		{"a running step of a running run is running", stepFacts{Word: "running"}, wave.Running, wave.Running, ""},
		{"a step between two attempts is running", stepFacts{Word: "retrying"}, wave.Running, wave.Running, ""},
		{"the gate of a waiting run waits", stepFacts{Word: "running", Gate: true}, wave.Waiting, wave.Waiting, ""},
		{"another step of a waiting run is running", stepFacts{Word: "running"}, wave.Waiting, wave.Running, ""},
		{"a step not reached yet is pending", stepFacts{}, wave.Running, wave.Pending, ""},
		{"a step behind a failure is pending and blocked", stepFacts{Blocker: "a"}, wave.Running, wave.Pending, "blocked by a"},

		{"no step of a succeeded run is running", stepFacts{Word: "running"}, wave.Succeeded, wave.Succeeded, ""},
		{"a reworked step of a completed run succeeded", stepFacts{Word: "reworking", Note: "reworked by fix"}, wave.Succeeded, wave.Succeeded, "reworked by fix"},
		{"a step that completed without running succeeded", stepFacts{Word: "completed"}, wave.Succeeded, wave.Succeeded, ""},
		{"a step with nothing to do is empty", stepFacts{Word: "completed_empty"}, wave.Succeeded, wave.Empty, ""},
		{"a step skipped by a branch is skipped", stepFacts{Word: "skipped", Note: "skipped by branch"}, wave.Succeeded, wave.Skipped, "skipped by branch"},
		{"a step that a succeeded run never reached is skipped", stepFacts{Recorded: true}, wave.Succeeded, wave.Skipped, "not run"},
		{"a step of a run whose records are gone is unknown", stepFacts{}, wave.Succeeded, wave.Unknown, ""},

		{"the step that an error names failed with its run", stepFacts{Word: "running", Blamed: true}, wave.Failed, wave.Failed, ""},
		{"a step cut short by another's failure is cancelled", stepFacts{Word: "running"}, wave.Failed, wave.Cancelled, "stopped when the run failed"},
		{"a step cut short by a rejection is cancelled", stepFacts{Word: "running"}, wave.Rejected, wave.Cancelled, "stopped when the run was rejected"},
		{"a rejected step is rejected", stepFacts{Word: "rejected"}, wave.Rejected, wave.Rejected, ""},
		{"a step behind a failed one did not run", stepFacts{Blocker: "a", Recorded: true}, wave.Failed, wave.Skipped, "blocked by a"},
		{"a step Wave skipped for a failed dependency names it", stepFacts{Word: "skipped", Note: "dependency failed", Blocker: "a"}, wave.Failed, wave.Skipped, "blocked by a"},

		{"a killed step of a cancelled run is cancelled", stepFacts{Word: "failed", Error: "signal: killed"}, wave.Cancelled, wave.Cancelled, ""},
		{"a step that failed before its run was cancelled failed", stepFacts{Word: "failed", Error: "exit status 1"}, wave.Cancelled, wave.Failed, ""},
		{"a running step of a cancelled run is cancelled", stepFacts{Word: "running"}, wave.Cancelled, wave.Cancelled, ""},
		{"a running step of a lost run is lost", stepFacts{Word: "running"}, wave.Lost, wave.Lost, ""},
		{"a running step of a run that cannot be told is unknown", stepFacts{Word: "running"}, wave.Unknown, wave.Unknown, ""},
		{"an unknown word is unknown", stepFacts{Word: "meditating"}, wave.Running, wave.Unknown, ""},

		{"a fan-out goes on after its first child completed", stepFacts{Word: "completed", Children: stepChildren{All: 2, Ended: 1, Total: 4}}, wave.Running, wave.Running, ""},
		{"a fan-out goes on between two children", stepFacts{Word: "completed", Children: stepChildren{All: 2, Ended: 2, Total: 4}}, wave.Running, wave.Running, ""},
		{"a fan-out goes on after a child failed while others run", stepFacts{Word: "failed", Children: stepChildren{All: 2, Ended: 1, Failed: 1, Total: 4}}, wave.Running, wave.Running, ""},
		{"a fan-out that is done succeeded", stepFacts{Word: "completed", Children: stepChildren{All: 4, Ended: 4, Total: 4}}, wave.Running, wave.Succeeded, ""},
		{"a fan-out recorded as completed failed with its item", stepFacts{Word: "completed", Children: stepChildren{All: 4, Ended: 4, Failed: 1, Total: 4}}, wave.Succeeded, wave.Failed, "1 of 4 children failed"},
		{"a fan-out of a lost run is lost", stepFacts{Word: "completed", Children: stepChildren{All: 2, Ended: 1, Total: 4}}, wave.Lost, wave.Lost, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, note := deriveStep(tt.facts, tt.run)
			if got != tt.want || note != tt.note {
				t.Errorf("told %s (%q), want %s (%q)", got, note, tt.want, tt.note)
			}
		})
	}
}

func TestNoStepOfAnEndedRunIsActive(t *testing.T) {
	words := []string{"", "pending", "running", "started", "retrying", "reworking", "completed", "completed_empty", "failed", "skipped", "rejected", "cancelled", "odd"}
	for _, run := range wave.States {
		if !run.Ended() {
			continue
		}
		for _, word := range words {
			for _, c := range []stepChildren{{}, {All: 2, Ended: 1, Total: 4}, {All: 2, Ended: 1, Failed: 1}} {
				if got, _ := deriveStep(stepFacts{Word: word, Children: c, Recorded: true}, run); got.Active() {
					t.Errorf("%q in a run told %s is told %s", word, run, got)
				}
			}
		}
	}
}
