package sample

import "wavedeck/views"

func queries() []Case {
	command := views.CommandView{Layout: Layout("Command", "", ""), Complete: "/complete?for=command", Verbs: []views.CommandVerb{
		{Usage: "runs [FILTER]", Means: "list runs: runs status:failed since:24h"},
		{Usage: "logs [RUN [STEP [ATTEMPT]]]", Means: "read a log: logs 7f3a implement 2"},
	}}
	unclear := command
	unclear.Text = "logs 9c1e implement"
	unclear.Wrong = &views.WrongWord{Before: "logs ", Word: "9c1e", After: " implement", Position: 6, Problem: "names more than one run", Hint: "It should be more of the id."}
	unclear.Choices = []views.Option{
		{Label: "flaky-integration-20261123-123934-9c1e", State: "failed", Value: "failed", Href: "/cmd?q=logs+flaky-integration-20261123-123934-9c1e+implement"},
		{Label: "ship-gate-20261123-125332-9c1e", State: "waiting", Value: "waiting", Href: "/cmd?q=logs+ship-gate-20261123-125332-9c1e+implement"},
	}
	hostile := command
	text := Hostile()[0].Title
	hostile.Text = text
	hostile.Wrong = &views.WrongWord{Word: text, Position: 1, Problem: "is not a command", Hint: "It should be one of runs, run."}
	hostile.Choices = []views.Option{{Label: text, Href: "/cmd?q=x"}}
	saved := views.SavedViews{Layout: Layout("Views", "runs", ""), Action: "/views", Rows: []views.SavedView{
		savedView("7", "on call", 1, "state: failed", "since: 24h"), savedView("3", "slow ones", 2, "dur>10m", "-status:lost"), savedView("9", "everything", 3),
	}}
	saved.Rows[0].First, saved.Rows[2].Last = true, true
	none := saved
	none.Rows, none.CanAct = nil, false
	taken := saved
	taken.Name, taken.Query, taken.Problem, taken.Next = text, text, "another view has this name", "Choose another name."
	taken.Rows = []views.SavedView{savedView("1", text, 1, text)}
	return []Case{
		{"views", "saved views", true, views.ViewsPage(saved)},
		{"views-none", "none yet, on a console that only reads", true, views.ViewsPage(none)},
		{"views-hostile", "texts that try to be something else", true, views.ViewsPage(taken)},
		{"command", "where commands are typed", true, views.CommandPage(command)},
		{"command-unclear", "a run's name that two runs have", true, views.CommandPage(unclear)},
		{"command-hostile", "texts that try to be something else", true, views.CommandPage(hostile)},
		{"completions", "ways to go on, the options alone", false, views.Completions(views.CompletionsView{ID: "filter-q-list", Items: []views.Completion{
			{Text: "status:failed ", At: 14, Label: "failed", Count: new(37)},
			{Text: "status:active ", At: 14, Label: "active", Hint: "any state that is active"},
			{Text: text, At: 3, Label: text},
		}})},
	}
}

func savedView(id, name string, number int, words ...string) views.SavedView {
	at := "/views/" + id
	return views.SavedView{ID: id, Number: number, Name: name, Words: words, URL: "/runs?q=x", Link: at, Rename: at + "/rename", Webhook: at + "/hook", Move: at + "/move", Remove: at + "/delete"}
}
