package keys

// Table lists every binding in the order in which help shows them and the hint
// bar prefers them. A key is bound only to what exists.
func Table() []Binding {
	var all []Binding
	for _, part := range [][]Binding{everywhere(), ofRun(), ofList(), ofPicked(), ofLog(), ofGraph()} {
		all = append(all, part...)
	}
	return all
}

// widget is the part of the page that a reader works in.
const widget = `[data-keys="list"], [data-keys="log"], [data-keys="graph"], table.steps`

func everywhere() []Binding {
	return []Binding{
		{"help", []string{"?"}, Everywhere, "Show and search all keys", "keys", Command("open", "help", "#dialog")},
		{"palette", []string{"Mod+k"}, Everywhere, "Find a command, a page, a pipeline or a run", "find", Command("open", "palette", "#dialog")},
		{"widget", []string{"f"}, Everywhere, "Go into the list, the steps, the log or the graph", "into the list", Command("enter", widget, widget)},
		{"command", []string{":"}, Everywhere, "Type a command", "command", Command("command", `[data-nav="command"]`, `[data-nav="command"]`)},
		{"confirm", []string{"Mod+Enter"}, Everywhere, "Confirm: send the form of this page, or of the dialog", "confirm", Click(`main :is(form.form :is(.danger, .go), .go[form])`)},
		{"filter", []string{"/"}, Everywhere, "Filter", "filter", Focus(`main search input[type="search"]`)},
		{"out", []string{"Escape"}, Everywhere, "One level out: close, leave a field, clear the selection, leave the list, go up", "", Command("out", "", "")},
		{"go-runs", []string{"g r"}, Everywhere, "Go to the runs", "", Click(`.top [data-nav="runs"]`)},
		{"go-pipelines", []string{"g p"}, Everywhere, "Go to the pipelines", "", Click(`.top [data-nav="pipelines"]`)},
		{"go-personas", []string{"g s"}, Everywhere, "Go to the personas", "", Click(`.top [data-nav="personas"]`)},
		{"go-artifacts", []string{"g a"}, Everywhere, "Go to the artifacts of this run", "", Click(`.parts a[href$="/artifacts"]`)},
		{"go-attention", []string{"g n"}, Everywhere, "Go to what needs attention", "", Click("#attention-link")},
		{"go-health", []string{"g h"}, Everywhere, "Go to health", "", Click(`[data-nav="health"]`)},
		{"view", []string{"g 1", "g 2", "g 3", "g 4", "g 5", "g 6", "g 7", "g 8", "g 9"}, Everywhere, "Open the saved view of this number", "", Command("view", "", "")},
		{"save", []string{"s"}, Everywhere, "Save this list as a view", "save view", Focus(`#save-view [name="name"]`)},
		{"back", []string{"["}, Everywhere, "Back to the view before", "", Command("history", "-1", "")},
		{"forward", []string{"]"}, Everywhere, "Forward again", "", Command("history", "1", "")},
		{"apply", []string{"."}, Everywhere, "Apply the updates that wait", "apply updates", Command("apply", "", `[data-release], html[data-live="off"]`)},
		{"theme", []string{"t t"}, Everywhere, "Change the theme: auto, light, dark", "", Command("choose", "theme", `[data-choice="theme"]`)},
		{"zone", []string{"t z"}, Everywhere, "Change how times are shown: relative, local, UTC", "", Command("choose", "times", `[data-choice="times"]`)},
		{"density", []string{"t d"}, Everywhere, "Change the row density", "", Command("choose", "density", `[data-choice="density"]`)},
		{"live", []string{"t l"}, Everywhere, "Pause or resume live updates", "", Command("choose", "live", `[data-choice="live"]`)},
		{"copy", []string{"y"}, Everywhere, "Copy the link to this view, or to the run in focus", "", Command("copy", "", "")},
		{"curl", []string{"Y"}, Everywhere, "Copy the curl command for the same", "", Command("copy", "curl", "")},
		{"settings", []string{","}, Everywhere, "Settings", "", Click(`[data-nav="settings"]`)},
	}
}

func ofRun() []Binding {
	return []Binding{
		{"tab", []string{"1", "2", "3", "4", "5"}, Run, "Summary, timeline, graph, log, artifacts", "tabs", ClickNth(".parts a")},
		{"step-next", []string{"j"}, Run, "Next step", "next step", Command("move", "1", "table.steps")},
		{"step-previous", []string{"k"}, Run, "Previous step", "", Command("move", "-1", "table.steps")},
		{"attempt-next", []string{"}"}, Run, "Next attempt", "", Command("jump", "1", attempts)},
		{"attempt-previous", []string{"{"}, Run, "Previous attempt", "", Command("jump", "-1", attempts)},
		{"error-next", []string{"e"}, Run, "Next error", "next error", Command("jump", "1", errors)},
		{"error-previous", []string{"E"}, Run, "Previous error", "", Command("jump", "-1", errors)},
		{"input", []string{"i"}, Run, "Open or close the run's input", "input", Click("#input > summary")},
		{"answer", []string{"a"}, Run, "Answer the gate that the run waits at", "answer", Focus(`#gates :is(textarea, button:enabled, .gate[tabindex])`)},
		{"why", []string{"w"}, Run, "Why it is not moving", "why", Focus("#why > summary, section#why")},
		{"compare-run", []string{"v"}, Run, "Compare with the last green run", "compare", Click(`.meta a[href*="/compare?"]`)},
		{"retry-run", []string{"r"}, Run, "Retry, with changes first", "retry", Click(`#acts [data-act="retry"]`)},
		{"resume-run", []string{"R"}, Run, "Resume at a step", "", Click(`#acts [data-act="resume"]`)},
		{"cancel-run", []string{"c"}, Run, "Stop, with a confirmation", "stop", Click(`#acts [data-act="cancel"]`)},
		{"run-next", []string{"J"}, Run, "Next run of the list", "next run", Command("sibling", "1", "")},
		{"run-previous", []string{"K"}, Run, "Previous run of the list", "", Command("sibling", "-1", "")},
	}
}

// What { } and e E stop at.
const (
	attempts = "ol.attempts > li"
	errors   = "#failure, tr.step.failed, tr.step.rejected, ol.attempts > li:has(> .attempt .failed), .l.bad"
)

func ofList() []Binding {
	return []Binding{
		{"down", []string{"j", "ArrowDown"}, List, "Next row", "down", Command("move", "1", "")},
		{"up", []string{"k", "ArrowUp"}, List, "Previous row", "up", Command("move", "-1", "")},
		{"first", []string{"g g"}, List, "First row", "", Command("move", "-1e9", "")},
		{"last", []string{"G"}, List, "Last row", "", Command("move", "1e9", "")},
		{"open-run", []string{"Enter"}, List, "Open the run", "open", ClickIn("a.open")},
		{"unfold", []string{"ArrowRight"}, List, "Unfold the children, then go to the first", "", Command("fold", "1", "")},
		{"fold", []string{"ArrowLeft"}, List, "Fold the children, or go to the parent", "", Command("fold", "", "")},
		{"row-log", []string{"l"}, List, "Open the log", "log", Command("rowgo", "log", "[data-id]")},
		{"row-artifacts", []string{"g a"}, List, "Go to the artifacts of the run", "", Command("rowgo", "artifacts", "[data-id]")},
		{"row-details", []string{"d"}, List, "Show the details without leaving the list", "details", Command("rowpeek", "peek", "[data-id]")},
		{"compare", []string{"v"}, List, "Compare with the last green run", "compare", Command("rowgo", "compare", "[data-id]")},
		{"retry", []string{"r"}, List, "Retry, with changes first", "retry", ClickIn(`[data-act="retry"]`)},
		{"resume", []string{"R"}, List, "Resume at a step", "", ClickIn(`[data-act="resume"]`)},
		{"cancel", []string{"c"}, List, "Stop, with a confirmation; Ctrl+Enter confirms", "stop", ClickIn(`[data-act="cancel"]`)},
		{"pick", []string{"Space"}, List, "Select the run, or not", "select", ClickIn(`[name="run"]`)},
		{"extend-down", []string{"J"}, List, "Select this row and the next", "", Command("extend", "1", `#runs [name="run"]`)},
		{"extend-up", []string{"K"}, List, "Select this row and the one before", "", Command("extend", "-1", `#runs [name="run"]`)},
		{"pick-all", []string{"*"}, List, "Select all runs that match, the newest 1,000 at most, or not", "", Click(`#bulk [name="all"]`)},
		{"state", []string{"1", "2", "3", "4", "5", "6", "7", "8"}, List, "Filter by the state at this position", "", Action{"staynth", "#states a.chip", "#states a.chip"}},
	}
}

func ofPicked() []Binding {
	return []Binding{
		{"retry-picked", []string{"r"}, Picked, "Retry the selected runs, with a preview and a confirmation", "retry selected", Click(`#bulk [value="retry"]`)},
		{"cancel-picked", []string{"c"}, Picked, "Stop the selected runs, with a preview and a confirmation", "stop selected", Click(`#bulk [value="cancel"]`)},
	}
}

func ofLog() []Binding {
	return []Binding{
		{"line-next", []string{"j", "ArrowDown"}, Log, "Next line", "down", Command("move", "1", "")},
		{"line-previous", []string{"k", "ArrowUp"}, Log, "Previous line", "up", Command("move", "-1", "")},
		{"half-down", []string{"d"}, Log, "Half a page down", "", Command("half", "1", "")},
		{"half-up", []string{"u"}, Log, "Half a page up", "", Command("half", "-1", "")},
		{"log-end", []string{"G"}, Log, "Go to the end and follow", "end", Command("log", "end", "")},
		{"follow", []string{"F"}, Log, "Follow, or stop following", "follow", Command("log", "follow", "")},
		{"hit-next", []string{"n"}, Log, "Next hit", "next hit", Stay("#hit-next")},
		{"hit-previous", []string{"N"}, Log, "Previous hit", "", Stay("#hit-prev")},
		{"mark", []string{"m"}, Log, "Mark this line; again: all up to here", "mark", Command("mark", "", "")},
		{"wrap", []string{"W"}, Log, "Wrap long lines, or not", "wrap", Stay(`[data-keep="wrap"]:not([aria-current])`)},
		{"clock", []string{"T"}, Log, "Change how times are shown", "", Command("stay", `[data-keep="times"][aria-current] + a, [data-keep="times"]`, `[data-keep="times"]`)},
		{"fold-group", []string{"z"}, Log, "Fold or unfold this group of lines", "fold", Command("group", "", ".lines details")},
		{"fold-all", []string{"Z"}, Log, "Fold or unfold all groups", "", Command("group", "all", ".lines details")},
	}
}

func ofGraph() []Binding {
	return []Binding{
		{"edge-out", []string{"ArrowRight"}, Graph, "Along an edge to the next step", "along", Command("edge", "next", "")},
		{"edge-in", []string{"ArrowLeft"}, Graph, "Back along an edge", "", Command("edge", "prev", "")},
		{"beside-down", []string{"ArrowDown"}, Graph, "The step below", "", Command("beside", "1", "")},
		{"beside-up", []string{"ArrowUp"}, Graph, "The step above", "", Command("beside", "-1", "")},
		{"failed-next", []string{"f"}, Graph, "Next failed step", "next failed", Command("jump", "1", ".dag-node:is(.failed, .rejected, .lost) > *")},
		{"zoom-in", []string{"+"}, Graph, "Larger", "larger", Command("zoom", "0.8", "")},
		{"zoom-out", []string{"-"}, Graph, "Smaller", "smaller", Command("zoom", "1.25", "")},
		{"zoom-none", []string{"0"}, Graph, "All of it", "all", Command("zoom", "", "")},
		{"twin", []string{"b"}, Graph, "Go to the same as a table", "table", Focus(".dag-table-region")},
	}
}
