package handlers_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
)

// recordedAnywhere is a run with a text in each column that holds what people and
// programs wrote, and a manifest with it in each field that is read.
func recordedAnywhere(t *testing.T, text string) (s *site, run string) {
	t.Helper()
	root := emptyProject(t)
	line := fmt.Sprintf("%q", text)
	tags, err := json.Marshal([]string{text})
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string]string{
		"wave.yaml": "apiVersion: v1\nkind: WaveManifest\nmetadata:\n  name: " + line + "\n  description: " + line + "\nruntime:\n  workspace_root: .agents/workspaces\nadapters:\n  claude:\n    binary: claude\n    mode: headless\n    default_model: " + line +
			"\npersonas:\n  nav:\n    adapter: claude\n    description: " + line + "\n    model: " + line + "\n    system_prompt_file: nav.md\n",
		".agents/pipelines/build.yaml": "kind: WavePipeline\nmetadata:\n  name: build\n  description: " + line + "\ninput:\n  source: cli\n  example: " + line + "\n  schema:\n    type: string\n    description: " + line +
			"\nsteps:\n  - id: build\n    persona: nav\n    model: " + line + "\n    exec:\n      type: prompt\n      source: " + line + "\n",
		"nav.md": "You are " + text + "\n",
	} {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	state := newState(t, root)
	run = state.Run(storetest.Run{Pipeline: "build", Status: "failed"})
	state.Step(run, storetest.Step{ID: "build", State: "failed", Error: text})
	state.Attempt(run, storetest.Attempt{Step: "build", State: "failed"})
	state.Event(run, storetest.Event{Step: "build", State: "started", Message: text, Persona: "nav", Model: text, Adapter: text, ConfiguredModel: text})
	state.Event(run, storetest.Event{Step: "build", State: "failed", Message: text, Persona: "nav", Model: text, Adapter: text})
	state.Event(run, storetest.Event{Step: "build", State: text, Message: text, Persona: text})
	state.Outcome(run, storetest.Outcome{Extra: statedb.Row{"label": text, "value": text, "description": text}})
	state.Update("pipeline_run", statedb.Row{"run_id": run, "input": text, "error_message": text, "branch_name": text, "tags_json": string(tags)})
	return openSite(t, root).ready(), run
}

func formsOfARun(run string) []string {
	at := "/runs/" + run
	return []string{
		"/runs", "/runs.json", "/runs.ndjson", "/runs.csv", "/runs.txt", "/runs.md", "/attention", "/api/runs", "/api/attention", at, at + "/log", at + "/timeline", at + "/graph", at + "/artifacts", at + ".json", at + ".txt", at + ".md", at + ".log",
		at + ".log?color=1", at + "/log.txt", at + "/export", "/api/runs/" + run, "/pipelines", "/pipelines/build", "/pipelines/build.json", "/pipelines/build.txt", "/pipelines/build.md", "/api/pipelines", "/api/personas", "/personas", "/personas/nav",
		"/pipelines/build/start", "/compare?left=" + run + "&right=" + run, "/api/compare?left=" + run + "&right=" + run, "/health", "/keys", "/settings", "/search?q=build", "/api/complete?kind=filter&text=tag:",
	}
}

// TestASecretInAnyFieldIsShownNowhere: wherever it was recorded, no form has it.
func TestASecretInAnyFieldIsShownNowhere(t *testing.T) {
	secret := "gh" + "p_" + "aB3" + strings.Repeat("x9Kd", 8) + "Q"
	s, run := recordedAnywhere(t, secret)
	seen := 0
	for _, path := range formsOfARun(run) {
		reply := s.get(path)
		if at := strings.Index(reply.body, secret); at >= 0 {
			t.Errorf("%s (%d) shows it: …%s", path, reply.status, reply.body[max(0, at-120):min(len(reply.body), at+60)])
		}
		seen += strings.Count(reply.body, "[redacted: GitHub token]")
	}
	for _, e := range s.listen("/api/runs/" + run + "/events").rest() {
		if strings.Contains(e.Type+e.Data, secret) {
			t.Errorf("the stream shows it: %s %s", e.Type, e.Data)
		}
	}
	if seen < 50 {
		t.Errorf("it was hidden %d times only", seen)
	}
}

// TestNoFieldActsOnATerminal: what is read in a terminal holds no control character
// but the ends of lines, and none that turns text around.
func TestNoFieldActsOnATerminal(t *testing.T) {
	s, run := recordedAnywhere(t, "a\x1b]52;c;aGVsbG8=\x07\u009b31mb\u0085\x7f\u202ec\u2066d")
	for _, path := range formsOfARun(run) {
		reply := s.get(path)
		if kind := reply.header.Get("Content-Type"); strings.HasPrefix(kind, "text/html") {
			continue
		}
		for at, r := range reply.body {
			colors := strings.Contains(path, "color=1") && r == 0x1b && at+1 < len(reply.body) && reply.body[at+1] == '['
			if (r < ' ' && r != '\n' && r != '\r' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069) && !colors {
				t.Errorf("%s holds %U: %q", path, r, reply.body[max(0, at-60):min(len(reply.body), at+20)])
				break
			}
		}
	}
}

// TestAStreamedMessageIsBounded: the stream carries the beginning of a long message and
// says how long it is.
func TestAStreamedMessageIsBounded(t *testing.T) {
	const long = 400 << 10
	s, run := recordedAnywhere(t, strings.Repeat("word ", long/5))
	sent := 0
	for _, e := range s.listen("/api/runs/" + run + "/events").rest() {
		var event struct {
			Message string `json:"message"`
			Bytes   int    `json:"message_bytes"`
		}
		if err := json.Unmarshal([]byte(e.Data), &event); err != nil {
			t.Fatal(err)
		}
		if e.Type == "end" || event.Message == "" {
			continue
		}
		sent++
		if len(e.Data) > 100<<10 || event.Bytes != long || len(e.Type) > 1<<10 {
			t.Errorf("an event of %d bytes, of a message of %d", len(e.Data), event.Bytes)
		}
	}
	if sent != 3 {
		t.Errorf("%d events with a message", sent)
	}
}
