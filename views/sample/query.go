package sample

import "wavedeck/views"

func queries() []Case {
	command := views.CommandView{Chrome: Chrome("Command", "", ""), Complete: "/complete?for=command", Verbs: []views.CommandVerb{
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
	hostile.Wrong = &views.WrongWord{Word: text, Position: 1, Problem: "is no command", Hint: "It should be one of runs, run."}
	hostile.Choices = []views.Option{{Label: text, Href: "/cmd?q=x"}}
	return []Case{
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
