package handlers_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"wavedeck/store/appdb"
)

func (s *site) noted(entries ...appdb.Entry) {
	s.t.Helper()
	for _, e := range entries {
		if e.At.IsZero() {
			e.At = opened
		}
		if err := s.data.Append(e); err != nil {
			s.t.Fatal(err)
		}
	}
}

func TestAuditPage(t *testing.T) {
	s := openSample(t).ready()
	t.Run("nothing was done yet", func(t *testing.T) {
		if said := s.as(t).get("/audit").text("#audit"); !strings.Contains(said, "No actions yet") || !strings.Contains(said, s.data.Dir()) {
			t.Errorf("it says %q", said)
		}
	})
	for range 30 {
		s.noted(appdb.Entry{Who: "local", From: "127.0.0.1", Action: "start", Pipeline: "fix-issue", Result: appdb.Done, Status: 303})
	}
	s.noted(
		appdb.Entry{Who: "token:abc123", Says: "<b>Anna</b>", Action: "cancel", Run: stoppedRun, Result: appdb.Refused, Status: 409, Error: "it has ended", Params: map[string]string{"force": "true"}},
		appdb.Entry{Who: "local", Action: "cancel", Runs: []string{sampleRun, stoppedRun}, Result: appdb.Failed, Status: 503, Error: "busy"},
	)
	t.Run("newest first, by pages", func(t *testing.T) {
		s := s.as(t)
		first := s.get("/audit").doc()
		rows := first.Find("#audit tbody tr")
		if rows.Length() != 25 || !strings.Contains(rows.First().Text(), "busy") {
			t.Errorf("%d rows, the first says %q", rows.Length(), rows.First().Text())
		}
		if link, _ := rows.Eq(1).Find("a.label").Attr("href"); link != "/runs/"+stoppedRun {
			t.Errorf("the run's link is %q", link)
		}
		if rows.Find("bdi b").Length() > 0 {
			t.Error("a name became markup")
		}
		older, _ := first.Find("a[rel=next]").Attr("href")
		second := s.get(older).doc()
		if n := second.Find("#audit tbody tr").Length(); n != 7 {
			t.Errorf("%d rows on the second page", n)
		}
		if second.Find("a[rel=next]").Length() > 0 || second.Find(`a[href="/audit"]`).Length() == 0 {
			t.Error("the second page leads on, or not back")
		}
	})
	for query, want := range map[string]int{
		"who=local": 25, "who=token:abc123": 1, "who=<b>Anna</b>": 1, "action=cancel": 2, "run=" + stoppedRun: 2, "run=" + sampleRun: 1,
		"action=cancel&run=" + sampleRun: 1, "action=nothing": 0, "limit=3": 3,
	} {
		t.Run("narrowed by "+query, func(t *testing.T) {
			s, q := s.as(t), strings.NewReplacer("<", "%3C", ">", "%3E", "/", "%2F").Replace(query)
			if n := s.get("/audit?" + q).doc().Find("#audit tbody tr").Length(); n != want {
				t.Errorf("%d rows, want %d", n, want)
			}
			var body struct {
				Entries []appdb.Entry
				Next    string `json:"next_cursor"`
				More    bool   `json:"has_more"`
			}
			if err := json.Unmarshal([]byte(s.get("/api/audit?"+q).body), &body); err != nil {
				t.Fatal(err)
			}
			if len(body.Entries) != want || body.More != (body.Next != "") {
				t.Errorf("%d entries, want %d; more %v, next %q", len(body.Entries), want, body.More, body.Next)
			}
		})
	}
	t.Run("the API leads through all of it", func(t *testing.T) {
		s := s.as(t)
		var actions []string
		for next := ""; ; {
			var body struct {
				Entries []appdb.Entry
				Next    string `json:"next_cursor"`
			}
			if err := json.Unmarshal([]byte(s.get("/api/audit?limit=10&cursor="+url.QueryEscape(next)).body), &body); err != nil {
				t.Fatal(err)
			}
			for _, e := range body.Entries {
				actions = append(actions, e.Action)
			}
			if next = body.Next; next == "" {
				break
			}
		}
		if len(actions) != 32 || slices.Index(actions, "start") != 2 {
			t.Errorf("%v", actions)
		}
	})
}
