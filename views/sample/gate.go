package sample

import (
	"strings"
	"time"

	"wavedeck/views"
)

// waitingRun waits at a gate that can be answered, and at two that cannot.
func waitingRun() views.RunView {
	row := runRows()[2]
	v := runView(row)
	v.Refresh.Gates = v.Paths.RunPart(row.ID, "gates")
	v.FirstID, v.LastID = 18210, 18231
	asked := gate(row.ID)
	there := gate("ship-gate-1")
	there.Answerable, there.Freeform, there.Action, there.Expires, there.Without = false, false, "", time.Time{}, "waits"
	there.Why = "It waits in a terminal that this console does not hold. Answer it there, or stop the run."
	there.Place = &views.GatePlace{Host: "build-2", PID: 4711, Terminal: "/dev/pts/3", User: "ada", Command: "wave run ship-gate --input v1.4.1"}
	answered := gate(row.ID)
	answered.Answerable, answered.Action, answered.Why = false, "", "It was answered by ada."
	answered.Prompt += "\n\nThe notes are in notes.md.\nThe smoke test took 41 s."
	answered.Answered = &views.GateAnswer{Choice: "s", Label: "Ship it", Text: "looks good", Who: "ada", At: ago(2 * time.Second)}
	v.Gates = []views.Gate{asked, there, answered}
	return v
}

func gate(run string) views.Gate {
	return views.Gate{
		Run: run, Pipeline: "ship-gate", Step: "approve", Event: 18230, Type: "approval", Prompt: "Bring v1.4.1 to the real shop?", Default: "s", Freeform: true,
		Choices: []views.GateChoice{
			{Key: "s", Label: "Ship it", Target: "publish", Usable: true},
			{Key: "h", Label: "Hold back", Target: "report", Usable: true},
			{Key: "a", Label: "Abort the run", Target: "_fail", Aborts: true, Usable: true},
		},
		Since: ago(130 * time.Second), Without: "default", Expires: ago(-28 * time.Minute),
		Answerable: true, By: "Anyone who is signed in here may answer", Action: views.Paths("").GateAnswer(run, "approve"),
	}
}

// hostileGate has texts that try to be something else.
func hostileGate(run, text string) views.Gate {
	g := gate(run)
	g.Step, g.Prompt, g.By, g.More = text, text+"\n"+text, text, 480
	for i := range g.Choices {
		g.Choices[i].Key, g.Choices[i].Label, g.Choices[i].Target = text, text, strings.Repeat(text, 2)
	}
	g.Choices[1].Usable = false
	return g
}
