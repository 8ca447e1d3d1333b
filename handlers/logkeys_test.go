package handlers_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"wavedeck/store/storetest"
)

// keyLines are the lines of a private key, made when the test runs.
func keyLines(seed uint64) []string {
	r := rand.New(rand.NewPCG(seed, 1))
	raw := make([]byte, 1190) // as long as an RSA key of 2048 bits
	for i := range raw {
		raw[i] = byte(r.IntN(256))
	}
	lines := []string{"-----BEGIN " + "RSA PRIVATE KEY-----"}
	for text := base64.StdEncoding.EncodeToString(raw); text != ""; text = text[min(64, len(text)):] {
		lines = append(lines, text[:min(64, len(text))])
	}
	return append(lines, "-----END "+"RSA PRIVATE KEY-----")
}

// TestAKeyOfOneEventPerLineIsHidden: a step that prints a key, line by line, beside
// another step, shows it in no form, whole or from its middle on.
func TestAKeyOfOneEventPerLineIsHidden(t *testing.T) {
	root := emptyProject(t)
	state := newState(t, root)
	run := state.Run(storetest.Run{Status: "running", Heartbeat: opened})
	key := keyLines(1)
	state.Event(run, storetest.Event{Step: "show", State: "started"})
	state.Event(run, storetest.Event{Step: "show", State: "stream_activity", Message: "$ cat key.pem"})
	var ids []int64
	for i, line := range key {
		ids = append(ids, state.Event(run, storetest.Event{Step: "show", State: "stream_activity", Message: line}))
		state.Event(run, storetest.Event{Step: "other", State: "stream_activity", Message: fmt.Sprintf("line%dOf9Other", i)})
	}
	middle, last := ids[len(ids)/2], ids[len(ids)-1]
	state.Event(run, storetest.Event{Step: "show", State: "stream_activity", Message: "c2FmZQ"}) // behind the key: no part of it
	s := openSite(t, root, withSearch(t)).ready().indexed()
	body := key[1 : len(key)-1]
	leaks := func(text string) string {
		for _, line := range body {
			if strings.Contains(text, line) || strings.Contains(text, url.QueryEscape(line)) {
				return line
			}
		}
		return ""
	}
	id := func(n int64) string { return strconv.FormatInt(n, 10) }
	from := id(middle)
	for name, path := range map[string]string{
		"the run's page": "/runs/" + run, "the log": "/runs/" + run + "/log", "the log from the middle of the key": "/runs/" + run + "/log?after=" + from,
		"the log up to the middle of the key": "/runs/" + run + "/log?before=" + from, "lines in the middle": "/runs/" + run + "/log?L=" + from + "-" + id(middle+4),
		"one step's log": "/runs/" + run + "/log?step=show&after=" + from, "a part for the page": "/runs/" + run + "/log/block?after=" + from,
		"text to keep": "/runs/" + run + "/log.txt", "text to keep from the middle": "/runs/" + run + "/log.txt?L=" + from + "-" + id(last), "text for a terminal": "/runs/" + run + ".log",
		"colored text of the last line": "/runs/" + run + ".log?color=1&L=" + id(last-2), "the run as text": "/runs/" + run + ".txt", "the run as Markdown": "/runs/" + run + ".md", "the run as JSON": "/runs/" + run + ".json",
		"the API": "/api/runs/" + run, "the API from the middle": "/api/runs/" + run + "?after=" + from, "the exported file": "/runs/" + run + "/export",
	} {
		t.Run(name, func(t *testing.T) {
			reply := s.as(t).get(path)
			if reply.status >= 400 {
				t.Fatalf("%s: %d", path, reply.status)
			}
			if line := leaks(reply.body); line != "" {
				t.Errorf("%s shows %q", path, line)
			}
		})
	}
	t.Run("what is hidden is not found", func(t *testing.T) {
		for _, word := range []string{body[3], body[len(body)/2][:20], body[len(body)-1]} {
			if found := s.as(t).search(word); len(found.Events) > 0 {
				t.Errorf("the search finds %q", word)
			}
			if reply := s.as(t).get("/runs/" + run + "/log?q=" + url.QueryEscape(word)); !strings.Contains(reply.body, "no hits") {
				t.Errorf("the filter of the log finds %q", word)
			}
		}
	})
	t.Run("other lines stay", func(t *testing.T) {
		text := s.as(t).get("/runs/" + run + ".log").body
		if !strings.Contains(text, "line7Of9Other") || !strings.Contains(text, "c2FmZQ") || !strings.Contains(text, "[redacted: private key]") {
			t.Error(text)
		}
	})
	t.Run("a stream from the middle, and what comes live", func(t *testing.T) {
		second := keyLines(2)
		seen := s.as(t).lines(t.Context(), "/runs/"+run+".log?follow=1&after="+from)
		events := s.as(t).listen("/api/runs/"+run+"/events", "Last-Event-ID", from)
		for _, line := range second {
			state.Event(run, storetest.Event{Step: "show", State: "stream_activity", Message: line})
		}
		state.Event(run, storetest.Event{Step: "show", State: "started", Message: "that is all"})
		body = append(body, second[1:len(second)-1]...)
		for {
			text, open := line(t, seen)
			if leak := leaks(text); leak != "" {
				t.Fatalf("shows %q", leak)
			}
			if !open || strings.Contains(text, "that is all") {
				break
			}
		}
		end, before := events.next("started")
		for _, e := range append(before, end) {
			if leak := leaks(e.Data); leak != "" {
				t.Errorf("the stream sends %q", leak)
			}
		}
		if len(before) < len(second) {
			t.Errorf("%d events before the last", len(before))
		}
	})
}

// TestAKeyInFailedEventsIsNoHeadline: a failure that says nothing but a key, a line
// an event, has no line of it as its headline.
func TestAKeyInFailedEventsIsNoHeadline(t *testing.T) {
	root := emptyProject(t)
	state := newState(t, root)
	run := state.Run(storetest.Run{Status: "failed", Error: `step "show" failed: exit status 1`})
	key := keyLines(3)
	for _, line := range key[:len(key)-1] {
		state.Event(run, storetest.Event{Step: "show", State: "failed", Message: "error: " + line})
	}
	s := openSite(t, root).ready()
	for _, path := range []string{"/runs", "/attention", "/runs.ndjson", "/runs.csv", "/api/runs"} {
		body := s.as(t).get(path).body
		for _, line := range key[1 : len(key)-1] {
			if strings.Contains(body, line) {
				t.Errorf("%s shows %q", path, line)
				break
			}
		}
	}
}

// TestASecretInTwoEventsIsHidden: a writer that passes on what it reads in pieces
// breaks a token in two, and an answer follows its question.
func TestASecretInTwoEventsIsHidden(t *testing.T) {
	root := emptyProject(t)
	state := newState(t, root)
	run := state.Run(storetest.Run{Status: "running", Heartbeat: opened})
	first, rest := "gh"+"p_q7Rt2xW9", "bN4mK8vL1cZ6yH3jD5fG0sA2pQx"
	value := "hunter2hunter2"
	var from int64
	for _, message := range []string{"export X=" + first, rest + " is set", "password:", value, "step2 goes on"} {
		id := state.Event(run, storetest.Event{Step: "show", State: "stream_activity", Message: message})
		state.Event(run, storetest.Event{Step: "other", State: "stream_activity", Message: "line1of2"})
		if strings.HasPrefix(message, "export") || message == "password:" {
			from = id
		}
	}
	s := openSite(t, root, withSearch(t)).ready().indexed()
	after := strconv.FormatInt(from, 10)
	for name, path := range map[string]string{
		"the run's page": "/runs/" + run, "the log": "/runs/" + run + "/log", "the log from the value on": "/runs/" + run + "/log?after=" + after, "one step's log": "/runs/" + run + "/log?step=show",
		"text": "/runs/" + run + ".log", "the API": "/api/runs/" + run, "the API from the value on": "/api/runs/" + run + "?after=" + after, "the exported file": "/runs/" + run + "/export",
	} {
		t.Run(name, func(t *testing.T) {
			reply := s.as(t).get(path)
			for _, part := range []string{first, rest, value} {
				if strings.Contains(reply.body, part) {
					t.Errorf("%s shows %q", path, part)
				}
			}
		})
	}
	if text := s.get("/runs/" + run + ".log").body; !strings.Contains(text, "is set") || !strings.Contains(text, "step2 goes on") || !strings.Contains(text, "line1of2") {
		t.Error(text)
	}
	if found := s.search(value); len(found.Events) > 0 {
		t.Error("the search finds the value")
	}
}
