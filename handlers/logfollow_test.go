package handlers_test

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
)

// lines asks for a path and hands over the lines of the answer as they come.
func (s *site) lines(ctx context.Context, path string) <-chan string {
	s.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := s.Client().Do(r)
	if err != nil {
		s.t.Fatalf("GET %s: %v", path, err)
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
		s.t.Fatalf("GET %s: %d %s", path, resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	lines := make(chan string, 1000)
	go func() {
		defer close(lines)
		defer resp.Body.Close()
		for scan := bufio.NewScanner(resp.Body); scan.Scan(); {
			lines <- scan.Text()
		}
	}()
	return lines
}

// line is the next line, or false at the end.
func line(t *testing.T, lines <-chan string) (string, bool) {
	t.Helper()
	select {
	case l, open := <-lines:
		return l, open
	case <-time.After(time.Minute):
		t.Fatal("no line came, and no end")
		return "", false
	}
}

// TestLogFollowed follows a run from a terminal: each line as it is committed,
// and the end with the run's.
func TestLogFollowed(t *testing.T) {
	root := emptyProject(t)
	state := newState(t, root)
	run := state.Run(storetest.Run{Status: "running", Heartbeat: opened})
	state.Event(run, storetest.Event{State: "started", Message: "begins"})
	state.Event(run, storetest.Event{Step: "a", Message: "password=hunter2hunter2 \x1b]52;c;b3duZWQ=\x07\x1b[31mred\x1b[0m"})
	s := openSite(t, root).ready()
	all := s.lines(t.Context(), "/runs/"+run+".log?follow=1")
	ofB := s.lines(t.Context(), "/runs/"+run+".log?follow=1&step=b")
	leaving, leave := context.WithCancel(t.Context())
	left := s.lines(leaving, "/runs/"+run+".log?follow=1&color=1")
	expect := func(lines <-chan string, text string) {
		t.Helper()
		if l, open := line(t, lines); !open || !strings.Contains(l, text) || strings.Contains(l, "hunter2") || strings.ContainsRune(l, 7) {
			t.Errorf("%q (%v), want %q in it", l, open, text)
		}
	}
	expect(all, "begins")
	expect(all, "[redacted: password]")
	expect(left, "begins")
	expect(left, "\x1b[31mred\x1b[0m")
	leave()
	state.Event(run, storetest.Event{Step: "a", Message: "more"})
	expect(all, "more")
	state.Event(run, storetest.Event{Step: "b", Message: "other"})
	expect(all, "other")
	expect(ofB, "other")
	state.Update("pipeline_run", statedb.Row{"run_id": run, "status": "completed", "completed_at": opened.Unix()})
	state.Event(run, storetest.Event{State: "completed", Message: "after the end"})
	expect(all, "after the end")
	for _, lines := range []<-chan string{all, ofB} {
		if l, open := line(t, lines); open {
			t.Errorf("after the end: %q", l)
		}
	}
	s.until("nothing follows any more", func() bool {
		stacks := make([]byte, 4<<20)
		return !bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("(*logTail).follow"))
	})
	if again := s.get("/runs/" + run + ".log?follow=1"); strings.Count(again.body, "\n") != 5 {
		t.Errorf("followed once it is over: %q", again.body)
	}
	for path, status := range map[string]int{
		"/runs/" + run + ".log?follow=1&at=event:2":     http.StatusBadRequest,
		"/runs/" + run + ".log?follow=1&source=process": http.StatusBadRequest,
		"/runs/" + run + ".log?follow=perhaps":          http.StatusBadRequest,
		"/runs/nobody.log?follow=1":                     http.StatusNotFound,
	} {
		if r := s.get(path); r.status != status || !strings.HasPrefix(r.header.Get("Content-Type"), "text/plain") {
			t.Errorf("%s: %d %s: %s", path, r.status, r.header.Get("Content-Type"), r.body)
		}
	}
	for path, n := range map[string]int{".log?at=event:2": 2, ".log?step=b": 1, ".log?L=2-3": 2, ".log?after=3": 2, ".log?q=more": 1} {
		if r := s.get("/runs/" + run + path); strings.Count(r.body, "\n") != n || r.header.Get("Content-Disposition") != "" {
			t.Errorf("%s: %q, want %d lines", path, r.body, n)
		}
	}
}
