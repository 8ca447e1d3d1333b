package sample

import (
	"fmt"
	"net/url"
	"time"

	"wavedeck/views"
	"wavedeck/views/ansi"
)

func logs() []Case {
	failed, live := logView(), logView()
	live.RunView = runningRun()
	live.Log.Block.Later, live.Log.Target, live.Log.AtEnd = views.LogMore{}, 0, true
	live.Log.End.Text = "37 events so far. The run is still active: running."
	live.Log.Clock, live.Log.Wrap = "since", false
	live.Log.Hits = views.LogHits{}
	missing := logView()
	missing.Log = views.Log{Missing: "No events were recorded for this run."}
	return []Case{
		{"log", "a log opened at its failure, with hits", true, views.LogPage(failed)},
		{"log-live", "a log that goes on", true, views.LogPage(live)},
		{"log-missing", "a run without events", true, views.LogPage(missing)},
		{"log-hostile", "lines that try to be something else", true, views.LogPage(hostileLog())},
		{"log-block", "the fragment alone", false, views.LogBlockPart(failed)},
		{"log-end", "the fragment alone", false, views.LogEndPart(failed.Log.End)},
	}
}

func params(key, value string) url.Values { return url.Values{key: {value}} }

// terminal is what a terminal shows of a line.
func terminal(text string) []ansi.Line {
	line, _ := ansi.Parse(text, ansi.State{})
	return []ansi.Line{line}
}

func logView() views.LogView {
	v := views.LogView{RunView: failedRun()}
	p, id := v.Paths, v.RunID
	page := p.Log(id, "", nil)
	line := func(no int64, state, tone, text string) views.LogLine {
		return views.LogLine{
			No: no, Href: fmt.Sprintf("?L=%d#L%d", no, no), At: ago(18*time.Minute - time.Duration(no-18170)*time.Second),
			Since: time.Duration(no-18170) * time.Second, State: state, Tone: tone, Text: terminal(text),
		}
	}
	failure := line(18200, "contract_failed", "failed", "")
	failure.Text = append(terminal("contract validation failed:"), terminal("  - at '': missing property 'suite_passed'")...)
	failure.Mark = true
	hit := line(18191, "stream_activity", "", "Bash \x1b[32mgo test ./...\x1b[0m")
	hit.Hit, hit.Facts = true, "3.4k tokens · 4.8s · claude-opus-4"
	long := line(18196, "failed", "failed", "stderr: …")
	long.Left, long.Whole = "… all 2 412 lines", p.LogText(id, params("L", "18196"))
	v.Log = views.Log{
		Of: "Log of " + id, Target: 18200, Clock: "clock", Wrap: true, Fragment: p.Log(id, "block", nil),
		Form: views.LogForm{
			Action: page, Text: "test", All: true, Narrow: true, Steps: []string{"provision", "integration"}, Clear: page,
			Keep: params("times", "clock"), States: []views.Option{{Label: "any failure", Value: "error"}, {Label: "running", Value: "running", On: true}},
		},
		Hits: views.LogHits{Known: true, Text: "hit 2 of 123", Prev: page + "?L=18180#L18180", Next: page + "?L=18230#L18230"},
		Block: views.LogBlock{
			First: 18190, Last: 18204, Count: 7,
			Earlier: views.LogMore{URL: p.Log(id, "block", params("before", "18190")), Page: page + "?before=18190"},
			Later:   views.LogMore{URL: p.Log(id, "block", params("after", "18204")), Page: page + "?after=18204"},
			Groups: []views.LogGroup{
				{Label: "integration ▸ attempt 2", More: true, Lines: []views.LogLine{line(18190, "running", "running", "Starting craftsman persona"), hit, long}},
				{Label: "integration ▸ attempt 3", Lines: []views.LogLine{line(18198, "retrying", "waiting", "attempt 3/3"), failure}},
				{Label: "run", Lines: []views.LogLine{line(18204, "no_such_word", "", "")}},
			},
		},
		End:      views.LogEnd{URL: p.Log(id, "end", nil), Text: "The run has ended: failed. 37 events.", Last: 18206, Total: 37, Page: page + "?at=end#logend"},
		Places:   []views.Option{{Label: "the failure", Href: page + "?L=18200#L18200"}, {Label: "end", Href: page + "?at=end#logend"}},
		Steps:    []views.Option{{Label: "integration ▸ attempt 3", Href: page + "?L=18198#L18198"}},
		Clocks:   []views.Option{{Label: "none", Href: page + "?times=none", Value: "times"}, {Label: "clock", Href: page, On: true, Value: "times"}},
		Wraps:    []views.Option{{Label: "wrapped", Href: page, On: true, Value: "wrap"}},
		Download: []views.Option{{Label: "all", Href: p.LogText(id, nil)}},
	}
	return v
}

func hostileLog() views.LogView {
	v := logView()
	v.RunView = hostileRun()
	v.Log.Of, v.Log.Form.Step, v.Log.Form.Text, v.Log.End.Text, v.Log.Hits.Text = Hostile()[0].Title, Hostile()[0].Title, Hostile()[0].Title, Hostile()[0].Title, Hostile()[0].Title
	v.Log.Block.Groups = nil
	for i, h := range Hostile() {
		t := h.Title
		v.Log.Form.Steps = append(v.Log.Form.Steps, t)
		v.Log.Steps = append(v.Log.Steps, views.Option{Label: t, Href: "javascript:alert(1)"})
		no := int64(i + 1)
		v.Log.Block.Groups = append(v.Log.Block.Groups, views.LogGroup{Label: t, Lines: []views.LogLine{
			{No: no, Href: fmt.Sprintf("?L=%d", no), Step: t, State: t, Tone: t, Text: terminal(t), Facts: t, Left: t, Whole: "javascript:alert(1)"},
		}})
	}
	return v
}
