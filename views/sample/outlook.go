package sample

import (
	"time"

	"wavedeck/views"
)

// outlooks are what is made of runs that have not ended.
func outlooks() []Case {
	return []Case{
		{"why-moving", "a run that moves, and when it will be done", false, views.RunWhy(withOutlook(moving()))},
		{"why-stuck", "a run that stands still and is late", false, views.RunWhy(withOutlook(stuck()))},
		{"why-unclear", "a run whose signals disagree, later than ever", false, views.RunWhy(withOutlook(unclear()))},
		{"why-runaway", "a run that repeats itself", false, views.RunWhy(withOutlook(runaway()))},
		{"runs-flags", "runs of which something is noticed", false, views.RunsTable(runsView(flagged()))},
	}
}

func withOutlook(o *views.DiagnosisView) views.RunView {
	v := runningRun()
	v.Diagnosis = o
	return v
}

func signals(event, beat time.Duration, note string) []views.Evidence {
	return []views.Evidence{
		{Signal: "last event", Since: ago(event), Note: note},
		{Signal: "heartbeat", Since: ago(beat)},
		{Signal: "process", Value: "alive on this host", Note: "pid 41233"},
	}
}

func moving() *views.DiagnosisView {
	return &views.DiagnosisView{
		Fine: true, Flag: views.Flag{Symbol: "running", Tone: "running", Word: "moving", Title: "It wrote something within the last minute."},
		Evidence: signals(time.Second, 4*time.Second, "the longest silence of unit-tests in 37 past runs was 40s; unusual beyond 2m 00s"),
		ETA:      &views.ETA{P50: ago(-4 * time.Minute), P90: ago(-9 * time.Minute), N: 37},
	}
}

func stuckFlag() views.Flag {
	return views.Flag{Symbol: "stuck", Tone: "waiting", Word: "not moving", Title: "Its process is alive, and it is silent for longer than ever before."}
}

func unclearFlag() views.Flag {
	return views.Flag{Symbol: "unknown", Tone: "unknown", Word: "unclear", Title: "Its process is alive, but its heartbeat has stopped."}
}

func stuck() *views.DiagnosisView {
	return &views.DiagnosisView{
		Flag:     stuckFlag(),
		Evidence: signals(9*time.Minute, 4*time.Second, "the longest silence of unit-tests in 37 past runs was 40s; unusual beyond 2m 00s"),
		Action:   &views.Action{Label: "Read the log", Href: "/runs/x/log"},
		ETA:      &views.ETA{P50: ago(-40 * time.Second), P90: ago(-95 * time.Second), N: 6, Late: true},
	}
}

func unclear() *views.DiagnosisView {
	return &views.DiagnosisView{
		Flag:     unclearFlag(),
		Evidence: signals(3*time.Minute, 3*time.Minute, "2 past runs of unit-tests: too few to compare with"),
		Action:   &views.Action{Label: "Read the log", Href: "/runs/x/log"},
		ETA:      &views.ETA{Late: true},
	}
}

func runaway() *views.DiagnosisView {
	o := moving()
	o.ETA = nil
	o.Runaway = &views.DiagnosisView{
		Step:     "unit-tests",
		Flag:     views.Flag{Symbol: "runaway", Tone: "waiting", Word: "repeating itself", Title: "unit-tests does the same 2 actions in turn, 14 times now."},
		Evidence: []views.Evidence{{Signal: "action", Value: "edit main.go", Note: "14 times in the last 28"}, {Signal: "action", Value: "bash go test ./...", Note: "14 times in the last 28"}, {Signal: "since", Since: ago(4 * time.Minute)}},
		Action:   &views.Action{Label: "Stop…", Href: "/runs/x/stop"},
	}
	return o
}

func flagged() []views.RunRow {
	rows := runRows()[:4]
	rows[0].Flags = []views.Flag{stuckFlag()}
	rows[1].Flags = []views.Flag{{Symbol: "stuck", Tone: "waiting", Word: "not stopping", Title: "A stop was requested, and its process is still running."}}
	rows[0].ETA = &views.ETA{P50: ago(-4 * time.Minute), P90: ago(-9 * time.Minute), N: 37}
	rows[3].Flags = []views.Flag{unclearFlag()}
	return rows
}
