package store

import (
	"testing"
	"time"
)

func TestTellRun(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	const soak = `step "soak" failed: `
	running := func(change func(*runFacts)) runFacts {
		f := runFacts{Status: "running", HasEvents: true, StartedAt: ago(time.Hour), LastEvent: ago(time.Hour), Heartbeat: ago(time.Hour)}
		change(&f)
		return f
	}
	failed := func(text string, change func(*runFacts)) runFacts {
		f := runFacts{Status: "failed", Error: text, HasEvents: true, StartedAt: ago(time.Hour), CompletedAt: ago(time.Minute), LastEvent: ago(time.Minute)}
		if change != nil {
			change(&f)
		}
		return f
	}
	asked := func(f *runFacts) { f.Cancel = ago(2 * time.Minute) }
	const alivePID = 7

	for _, tt := range []struct {
		name   string
		facts  runFacts
		want   State
		reason string
	}{
		{"a completed run succeeded", runFacts{Status: "completed"}, Succeeded, ""},
		{"a run completed with nothing to do is empty", runFacts{Status: "completed_empty"}, Empty, ""},
		{"a run interrupted in its terminal is cancelled", runFacts{Status: "cancelled"}, Cancelled, ""},
		{"a queued run is queued", runFacts{Status: "queued"}, Queued, ""},
		{"an unknown status is unknown", runFacts{Status: "hibernating"}, Unknown, `recorded as "hibernating"`},
		{"no status is unknown", runFacts{}, Unknown, "no status is recorded"},
		{"a failed run failed", failed(soak+"exit status 2", nil), Failed, ""},

		{"a run stopped by an operator is cancelled", failed(soak+"signal: killed", asked), Cancelled, "stopped by an operator"},
		{"a persona stopped by an operator is cancelled", failed(soak+"adapter: context canceled", asked), Cancelled, "stopped by an operator"},
		{"a failed run with its cancellation noted is cancelled", failed("", func(f *runFacts) { f.CancelledAt = ago(time.Minute) }), Cancelled, "stopped by an operator"},
		{"a kill that nobody asked for is a failure", failed(soak+"signal: killed", nil), Failed, ""},
		{"a kill before the request is a failure", failed(soak+"signal: killed", func(f *runFacts) { f.Cancel = now }), Failed, ""},
		{"a run that failed on its own keeps its end", failed(soak+"exit status 2", asked), Failed, "cancellation was requested"},
		{"a run that completed although asked to stop keeps its end", runFacts{Status: "completed", Cancel: ago(time.Hour)}, Succeeded, "cancellation was requested"},
		{"a request after the end says nothing", runFacts{Status: "completed", Cancel: now, CompletedAt: ago(time.Minute)}, Succeeded, ""},
		{"the child of a stopped run is cancelled", failed("context canceled", func(f *runFacts) { f.Parent = Cancelled }), Cancelled, "the run that started it was stopped"},

		{"a rejected run stuck at running is rejected", running(func(f *runFacts) {
			f.Rejected, f.PipelineState, f.PipelineStateAt = true, "rejected", ago(time.Hour)
		}), Rejected, "a contract rejected its work"},
		{"a rejected step alone rejects a run", running(func(f *runFacts) { f.Rejected = true }), Rejected, "a contract rejected its work"},
		{"a rejected run is rejected although its heart beat a moment ago", running(func(f *runFacts) {
			f.Rejected, f.PipelineState, f.PipelineStateAt, f.Heartbeat = true, "rejected", ago(time.Second), ago(time.Second)
		}), Rejected, "a contract rejected its work"},
		{"a run goes on while other branches of it work after a rejection", running(func(f *runFacts) {
			f.Rejected, f.PipelineState, f.PipelineStateAt, f.Heartbeat = true, "running", ago(time.Hour), ago(time.Second)
		}), Running, ""},
		{"a rejected run that was reaped is rejected", failed(orphaned, func(f *runFacts) { f.Rejected = true }), Rejected, "a contract rejected its work"},
		{"a reaped run whose pipeline was rejected is rejected", failed(orphaned, func(f *runFacts) { f.PipelineState = "rejected" }), Rejected, "a contract rejected its work"},
		{"a run that failed by itself after a rejected step failed", failed(soak+"exit status 2", func(f *runFacts) { f.Rejected = true }), Failed, ""},

		{"a reaped run is lost", failed(orphaned, nil), Lost, "process gone, no end recorded"},
		{"a reaped run that was asked to stop is lost", failed(orphaned, asked), Lost, "process gone, no end recorded"},
		{"a reaped run whose end was recorded elsewhere has that end", failed(orphaned, func(f *runFacts) {
			f.PipelineState, f.PipelineStateAt = "completed", ago(time.Minute)
		}), Succeeded, "end recorded in pipeline_state only"},
		{"a reaped run whose failure was recorded before failed", failed(orphaned, func(f *runFacts) {
			f.PipelineState, f.PipelineStateAt, f.CompletedAt = "failed", ago(time.Minute), ago(time.Second)
		}), Failed, "end recorded in pipeline_state only"},
		{"a reaped run that was closed as a whole is lost", failed(orphaned, func(f *runFacts) {
			f.PipelineState, f.PipelineStateAt, f.CompletedAt = "failed", ago(time.Second), ago(time.Second)
		}), Lost, "process gone, no end recorded"},
		{"a running run whose failure was recorded elsewhere failed", running(func(f *runFacts) {
			f.PipelineState, f.PipelineStateAt = "failed", ago(time.Minute)
		}), Failed, "end recorded in pipeline_state only"},
		{"the old end of a run that was taken up again says nothing", running(func(f *runFacts) {
			f.PipelineState, f.PipelineStateAt, f.Heartbeat = "completed", ago(time.Hour), ago(time.Second)
		}), Running, ""},

		{"a run whose heart beats is running", running(func(f *runFacts) { f.Heartbeat, f.PID = ago(beatLimit), 99 }), Running, ""},
		{"a beating heart outweighs a pid that is gone", running(func(f *runFacts) { f.Heartbeat, f.PID = ago(time.Minute), 99 }), Running, ""},
		{"one sign alone does not lose a run: the pid lives", running(func(f *runFacts) { f.PID = alivePID }), Running, ""},
		{"a run without heartbeat and without process is lost", running(func(f *runFacts) { f.PID, f.Heartbeat = 99, ago(91*time.Second) }), Lost, "its process is gone and recorded no end"},
		{"a run without pid is given five minutes", running(func(f *runFacts) { f.Heartbeat = ago(silenceLimit) }), Running, ""},
		{"a run without pid that writes events is running", running(func(f *runFacts) { f.LastEvent = ago(time.Minute) }), Running, ""},
		{"a run without pid that is silent for longer is lost", running(func(f *runFacts) { f.Heartbeat = ago(silenceLimit + time.Second) }), Lost, "no heartbeat and no event for more than 5 minutes"},
		{"a run that began and wrote nothing is lost in time", running(func(f *runFacts) {
			f.HasEvents, f.LastEvent, f.Heartbeat = false, time.Time{}, time.Time{}
		}), Lost, "it was recorded as running but wrote nothing"},
		{"a run that has just begun and wrote nothing is running", running(func(f *runFacts) {
			f.HasEvents, f.LastEvent, f.Heartbeat, f.StartedAt = false, time.Time{}, time.Time{}, ago(time.Second)
		}), Running, ""},
		{"a run that never beats and has lost its process is lost", running(func(f *runFacts) {
			f.Heartbeat, f.PID = time.Time{}, 99
		}), Lost, "its process is gone and recorded no end"},
		{"a run that never beats is not lost while it writes", running(func(f *runFacts) {
			f.Heartbeat, f.PID, f.LastEvent = time.Time{}, 99, ago(time.Second)
		}), Running, ""},

		{"a child follows a running parent however silent", running(func(f *runFacts) { f.Heartbeat, f.Parent = time.Time{}, Running }), Running, ""},
		{"a child follows a lost parent however fresh", running(func(f *runFacts) { f.LastEvent, f.Parent = now, Lost }), Lost, "the run that started it is lost"},
		{"a child follows a stopped parent", running(func(f *runFacts) { f.Parent, f.Kind = Cancelled, "iterate_child" }), Cancelled, "the run that started it was stopped"},
		{"a child that its ended parent left behind is lost", running(func(f *runFacts) { f.Parent, f.Kind = Failed, "iterate_child" }), Lost, "the run that started it has ended"},
		{"a child may end a moment after its parent", running(func(f *runFacts) { f.Parent, f.LastEvent = Failed, ago(time.Second) }), Running, ""},
		{"a child of a composition goes by its own signs", running(func(f *runFacts) { f.Parent, f.LastEvent = Unknown, ago(time.Second) }), Running, ""},
		{"a resumed run does not follow its original", running(func(f *runFacts) {
			f.Parent, f.Kind, f.Heartbeat, f.LastEvent = Cancelled, "resume", time.Time{}, ago(time.Minute)
		}), Running, ""},
		{"a resumed run of an old schema is known by its start", running(func(f *runFacts) {
			f.Parent, f.ParentEnded, f.LastEvent = Lost, ago(2*time.Hour), ago(time.Minute)
		}), Running, ""},

		{"a run at a gate waits", running(func(f *runFacts) { f.AtGate, f.Heartbeat = true, now }), Waiting, "a gate waits for a decision"},
		{"a run that died at a gate is lost", running(func(f *runFacts) { f.AtGate = true }), Lost, "no heartbeat and no event for more than 5 minutes"},
		{"a gate of a run that never beats cannot be told from a dead one", running(func(f *runFacts) {
			f.AtGate, f.Heartbeat = true, time.Time{}
		}), Unknown, "it waits at a gate and nothing tells whether its process lives"},
		{"a child waits at a gate while its parent runs", running(func(f *runFacts) { f.AtGate, f.Parent = true, Running }), Waiting, "a gate waits for a decision"},

		{"a fresh pending run is pending", runFacts{Status: "pending", StartedAt: ago(time.Minute)}, Pending, ""},
		{"a pending run whose process lives is pending", runFacts{Status: "pending", StartedAt: ago(time.Hour), PID: alivePID}, Pending, ""},
		{"a composition that is pending for ever is unknown", runFacts{Status: "pending", StartedAt: ago(time.Hour)}, Unknown, "recorded as pending and nothing tells that it began"},
		{"a pending run that writes events is running", runFacts{Status: "pending", StartedAt: ago(time.Hour), HasEvents: true, LastEvent: now}, Running, ""},

		{"a heartbeat a little ahead of this clock counts as now", running(func(f *runFacts) { f.Heartbeat = now.Add(10 * time.Minute) }), Running, ""},
		{"times far ahead of this clock tell nothing", runFacts{
			Status: "running", HasEvents: true, StartedAt: now.AddDate(1, 0, 0), LastEvent: now.AddDate(1, 0, 0), Heartbeat: now.AddDate(1, 0, 0),
		}, Unknown, "its times lie in the future of this clock"},
		{"a process that is gone is lost whatever the clocks say", running(func(f *runFacts) { f.Heartbeat, f.PID = now.AddDate(1, 0, 0), 99 }), Lost, "its process is gone and recorded no end"},
		{"a pending run from the far future is unknown", runFacts{Status: "pending", StartedAt: now.AddDate(1, 0, 0)}, Unknown, "its times lie in the future of this clock"},
		{"a recorded end is final though signs of life follow", runFacts{Status: "completed", Heartbeat: now, LastEvent: now, PID: alivePID}, Succeeded, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, reason := deriveRun(tt.facts, now, func(pid int) bool { return pid == alivePID })
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
		run   State
		want  State
		note  string
	}{
		{"a running step of a running run is running", stepFacts{Word: "running"}, Running, Running, ""},
		{"a step between two attempts is running", stepFacts{Word: "retrying"}, Running, Running, ""},
		{"the gate of a waiting run waits", stepFacts{Word: "running", Gate: true}, Waiting, Waiting, ""},
		{"another step of a waiting run is running", stepFacts{Word: "running"}, Waiting, Running, ""},
		{"a step not reached yet is pending", stepFacts{}, Running, Pending, ""},
		{"a step behind a failure is pending and blocked", stepFacts{Blocker: "a"}, Running, Pending, "blocked by a"},

		{"no step of a succeeded run is running", stepFacts{Word: "running"}, Succeeded, Succeeded, ""},
		{"a reworked step of a completed run succeeded", stepFacts{Word: "reworking", Note: "reworked by fix"}, Succeeded, Succeeded, "reworked by fix"},
		{"a step that completed without running succeeded", stepFacts{Word: "completed"}, Succeeded, Succeeded, ""},
		{"a step with nothing to do is empty", stepFacts{Word: "completed_empty"}, Succeeded, Empty, ""},
		{"a step skipped by a branch is skipped", stepFacts{Word: "skipped", Note: "skipped by branch"}, Succeeded, Skipped, "skipped by branch"},
		{"a step that a succeeded run never reached is skipped", stepFacts{Recorded: true}, Succeeded, Skipped, "not run"},
		{"a step of a run whose records are gone is unknown", stepFacts{}, Succeeded, Unknown, ""},

		{"the step that an error names failed with its run", stepFacts{Word: "running", Blamed: true}, Failed, Failed, ""},
		{"a step cut short by another's failure is cancelled", stepFacts{Word: "running"}, Failed, Cancelled, "stopped when the run failed"},
		{"a step cut short by a rejection is cancelled", stepFacts{Word: "running"}, Rejected, Cancelled, "stopped when the run was rejected"},
		{"a rejected step is rejected", stepFacts{Word: "rejected"}, Rejected, Rejected, ""},
		{"a step behind a failed one did not run", stepFacts{Blocker: "a", Recorded: true}, Failed, Skipped, "blocked by a"},
		{"a step Wave skipped for a failed dependency names it", stepFacts{Word: "skipped", Note: "dependency failed", Blocker: "a"}, Failed, Skipped, "blocked by a"},

		{"a killed step of a cancelled run is cancelled", stepFacts{Word: "failed", Error: "signal: killed"}, Cancelled, Cancelled, ""},
		{"a step that failed before its run was cancelled failed", stepFacts{Word: "failed", Error: "exit status 1"}, Cancelled, Failed, ""},
		{"a running step of a cancelled run is cancelled", stepFacts{Word: "running"}, Cancelled, Cancelled, ""},
		{"a running step of a lost run is lost", stepFacts{Word: "running"}, Lost, Lost, ""},
		{"a running step of a run that cannot be told is unknown", stepFacts{Word: "running"}, Unknown, Unknown, ""},
		{"an unknown word is unknown", stepFacts{Word: "meditating"}, Running, Unknown, ""},

		{"a fan-out goes on after its first child completed", stepFacts{Word: "completed", Children: stepChildren{All: 2, Ended: 1, Total: 4}}, Running, Running, ""},
		{"a fan-out goes on between two children", stepFacts{Word: "completed", Children: stepChildren{All: 2, Ended: 2, Total: 4}}, Running, Running, ""},
		{"a fan-out goes on after a child failed while others run", stepFacts{Word: "failed", Children: stepChildren{All: 2, Ended: 1, Failed: 1, Total: 4}}, Running, Running, ""},
		{"a fan-out that is done succeeded", stepFacts{Word: "completed", Children: stepChildren{All: 4, Ended: 4, Total: 4}}, Running, Succeeded, ""},
		{"a fan-out recorded as completed failed with its item", stepFacts{Word: "completed", Children: stepChildren{All: 4, Ended: 4, Failed: 1, Total: 4}}, Succeeded, Failed, "1 of 4 children failed"},
		{"a fan-out of a lost run is lost", stepFacts{Word: "completed", Children: stepChildren{All: 2, Ended: 1, Total: 4}}, Lost, Lost, ""},
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
	for _, run := range States {
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
