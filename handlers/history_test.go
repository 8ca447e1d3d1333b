package handlers_test

import (
	"encoding/csv"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"wavedeck/store/storetest"
)

// stateOf is the state of a run in a document: Wave's word, or beside it ours.
func stateOf(run object) string {
	if s, ok := run["state"].(string); ok {
		return s
	}
	if run["status"] == "completed" {
		return "succeeded"
	}
	return run["status"].(string)
}

func TestEveryFormShowsTheTrueEnd(t *testing.T) {
	s := openHistory(t)
	listed, rows, matched := map[string]object{}, map[string]string{}, map[string]string{}
	for line := range strings.Lines(s.get("/runs.ndjson").body) {
		var run object
		if err := json.Unmarshal([]byte(line), &run); err != nil {
			t.Fatal(err)
		}
		listed[run["run_id"].(string)] = run
	}
	table, err := csv.NewReader(strings.NewReader(s.get("/runs.csv").body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range table[1:] {
		run := object{"status": row[2]}
		if row[3] != "" {
			run["state"] = row[3]
		}
		rows[row[0]] = stateOf(run)
	}
	for _, state := range []string{"pending", "running", "succeeded", "failed", "cancelled", "rejected", "lost", "unknown"} {
		for line := range strings.Lines(s.get("/runs.ndjson?q=" + url.QueryEscape("status:"+state)).body) {
			var run object
			if err := json.Unmarshal([]byte(line), &run); err != nil {
				t.Fatal(err)
			}
			matched[run["run_id"].(string)] += state
		}
	}
	for _, end := range storetest.Ends(t) {
		t.Run(end.Run, func(t *testing.T) {
			s := s.as(t)
			path := "/runs/" + end.Run
			if end.Run != "t-inject-20261130-232812-9e56" { // a resumption is in the list of its original
				if run := listed[end.Run]; run == nil || stateOf(run) != end.State {
					t.Errorf("NDJSON: %v", run)
				}
				if rows[end.Run] != end.State {
					t.Errorf("CSV: %s", rows[end.Run])
				}
			}
			if matched[end.Run] != end.State {
				t.Errorf("found by status:%s", matched[end.Run])
			}
			run := s.get("/api" + path).object()["run"].(object)
			if reason, _ := run["reason"].(string); stateOf(run) != end.State || !strings.Contains(reason, end.Reason) {
				t.Errorf("JSON: %s (%q)", stateOf(run), reason)
			}
			if got := s.get(path).doc().Find("#summary, .meta").Find("li > b").First().Text(); got != end.State {
				t.Errorf("page: %q", got)
			}
			if got := s.get("/embed/v1" + path + "/card").doc().Find(".wd-title > ." + end.State); got.Length() != 1 {
				t.Error("card: another state")
			}
			if text := strings.Join(strings.Fields(s.get(path+".txt").body), " "); !strings.Contains(text, " "+end.State+" Run ") {
				t.Errorf("text: %.300s", text)
			}
			if text := s.get(path + ".md").body; !strings.Contains(text, end.State) {
				t.Errorf("Markdown: %.300s", text)
			}
		})
	}
}

// What was shown wrongly once, in each of the forms that show it.
func TestEveryFormSaysWhatReallyHappened(t *testing.T) {
	s := openHistory(t)
	const (
		warned, gate, parallel, fanOut = "t-conwarn-20261130-231327-583d", "t-gate-20261130-231424-579b", "t-parfail-20261130-231512-d986", "t-iterbad-20261130-231352-b58f"
		graph, loop, nest, retried     = "t-graph-20261130-231427-61b2", "t-loop-20261130-231359-ca58", "t-nest-20261130-231339-8aec", "t-retryok-20261130-232300-e2e1"
		rejected, rewound, forked      = "t-conrej-20261130-231331-40b5", "t-ok-20261130-232253-72da", "t-ok-20261130-232816-5ba7"
		batch                          = "t-loop-20261130-232819-ba87"
	)
	for _, tt := range []struct{ name, path, says, never string }{
		{"a failed contract on the page", "/runs/" + warned, "failed, warned", "Contract passed"},
		{"a failed contract in text", "/runs/" + warned + ".txt", "failed, warned", ""},
		{"a failed contract in JSON", "/api/runs/" + warned, `"contract":"failed_warned"`, `"contract":"passed"`},
		{"an aborted gate on the page", "/runs/" + gate, `href="/runs/` + gate + `#step-ask"`, "Before the first step"},
		{"an aborted gate in a card", "/embed/v1/runs/" + gate + "/card", `#step-ask"`, "Before the first step"},
		{"an aborted gate in text", "/runs/" + gate + ".txt", "✕ failed ask", ""},
		{"a stopped step on the page", "/runs/" + parallel, "stopped when the run failed", ""},
		{"a stopped step in text", "/runs/" + parallel + ".txt", "cancelled r ", ""},
		{"a stopped step in JSON", "/api/runs/" + parallel, `"note":"stopped when the run failed"`, ""},
		{"a stopped step in the graph", "/runs/" + parallel + "/graph", "stopped when the run failed", ""},
		{"a stopped step in the timeline", "/runs/" + parallel + "/timeline", "stopped when the run failed", ""},
		{"a stopped step in another page", "/embed/v1/runs/" + parallel + "/steps", "stopped when the run failed", ""},
		{"a stopped step in the export", "/runs/" + parallel + "/export", "stopped when the run failed", ""},
		{"the culprit on the page", "/runs/" + fanOut, "in t-child, item 2 of 3", "item 1 of 3"},
		{"the culprit in JSON", "/api/runs/" + fanOut, `"caused_by_run_id":"t-child-20261130-231352-f517"`, "t-child-20261130-231352-7396\",\"caused"},
		{"stopped children in text", "/runs/" + fanOut + ".txt", "stopped when the run that started it failed", "3 failed"},
		{"visits on the page", "/runs/" + graph, "3 visits", ""},
		{"visits in the graph", "/runs/" + graph + "/graph", "3 visits", ""},
		{"visits in the timeline", "/runs/" + graph + "/timeline", "3 visits", ""},
		{"visits in JSON", "/api/runs/" + graph, `"visit_count":3`, ""},
		{"turns of a loop on the page", "/runs/" + loop, "3 visits", ""},
		{"tokens of children on the page", "/runs/" + nest, "(45 incl. children)", ""},
		{"tokens of children in a card", "/embed/v1/runs/" + nest + "/card", "(45 incl. children)", ""},
		{"tokens of children in text", "/runs/" + nest + ".txt", "Tokens incl. children 45", ""},
		{"tokens of children in JSON", "/api/runs/" + nest, `"subtree_tokens":45`, ""},
		{"tokens of children beside those of the run", "/runs?pipeline=t-nest", ">(45)<", ""},
		{"a lost run in text", "/runs/t-slow-20261130-232331-c5cb.txt", "Closed 2026", "Ended 2026"},
		{"a lost run on the page", "/runs/t-slow-20261130-232331-c5cb", "<span>closed</span>", "<span>ended</span>"},
		{"tokens of children in the list", "/runs?pipeline=t-nest", "12 tokens, 45 incl. children", ""},
		{"tokens of all attempts in JSON", "/api/runs/" + retried, `"total_tokens":1800`, ""},
		{"tokens of all attempts in a filter", "/runs.ndjson?q=tokens%3E1799", retried, ""},
		{"what a contract said in JSON", "/api/runs/" + warned, `"contract_text":"`, ""},
		{"each attempt in JSON", "/api/runs/" + retried, `"number":2,"state":"failed","failure_class":"`, ""},
		{"a rejected run's length", "/api/runs/" + rejected, `"duration":"1s"`, ""},
		{"a rejected run's length in a filter", "/runs.ndjson?q=status:rejected+dur%3C10s", rejected, ""},
		{"a rewound run", "/runs/" + rewound, "rewound to prep", `class="st failed"`},
		{"a fork", "/runs/" + forked + ".txt", "forked, waits for resume", ""},
		{"the items of a batch", "/runs/" + batch + ".txt", "t-loop-20261130-232820-e19e", ""},
		{"visits in a comparison", "/compare?left=" + graph + "&right=t-graphmax-20261130-231428-593a", "Visits", ""},
		{"a failed contract in a comparison", "/compare?left=" + warned + "&right=" + rejected, "failed, warned", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := strings.Join(strings.Fields(s.as(t).get(tt.path).body), " ")
			if strings.HasPrefix(tt.path, "/api") {
				body = strings.ReplaceAll(body, `": `, `":`)
			}
			if !strings.Contains(body, tt.says) {
				t.Errorf("%s does not say %q", tt.path, tt.says)
			}
			if tt.never != "" && strings.Contains(body, tt.never) {
				t.Errorf("%s says %q", tt.path, tt.never)
			}
		})
	}
}

func TestJSONAndTextHaveTheFamily(t *testing.T) {
	s := openHistory(t)
	const parent, first = "t-aggr-20261130-231403-9751", "t-child-20261130-231403-6d68"
	doc := s.get("/api/runs/" + parent).object()
	children, _ := doc["children"].([]any)
	if len(children) != 2 {
		t.Fatalf("%d children, want 2", len(children))
	}
	for key, want := range map[string]any{
		"run_id": first, "parent_run_id": parent, "parent_step_id": "each", "run_kind": "iterate_child",
		"iterate_index": 0.0, "iterate_total": 2.0, "iterate_mode": "serial", "total_tokens": 33.0,
	} {
		if got := children[0].(object)[key]; got != want {
			t.Errorf("%s of the first child is %v, want %v", key, got, want)
		}
	}
	for i, want := range []string{"iterate", "aggregate", "command"} {
		if got := doc["steps"].([]any)[i].(object)["step_type"]; got != want {
			t.Errorf("step %d is of type %v, want %s", i, got, want)
		}
	}
	text := strings.Join(strings.Fields(s.get("/runs/"+parent+".txt").body), " ")
	child := strings.Join(strings.Fields(s.get("/runs/"+first+".txt").body), " ")
	for what, holds := range map[string]bool{
		"the parent lists its children":  strings.Contains(text, "Children STATE RUN") && strings.Contains(text, first+" each iterate_child 1 of 2 t-child"),
		"the parent counts its children": strings.Contains(text, "2 of 2 ended"),
		"Markdown links the children":    strings.Contains(s.get("/runs/"+parent+".md").body, "["+"`"+first+"`"+"]("),
		"the child names its parent":     strings.Contains(child, "Kind iterate_child Item 1 of 2 Parent "+parent+" Parent step each"),
	} {
		if !holds {
			t.Errorf("it does not hold that %s:\n%s\n%s", what, text, child)
		}
	}
}
