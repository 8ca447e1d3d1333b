package handlers_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"wavedeck/store/storetest"
)

// openLong serves a run of so many events that failed at the returned one.
func openLong(t testing.TB, events int) (s *site, run string, failed int64) {
	t.Helper()
	root := emptyProject(t)
	state := newState(t, root)
	run = state.LongRun(events, 20)
	if err := state.DB.Get(&failed, `SELECT max(id) - ? FROM event_log WHERE run_id = ?`, events/3, run); err != nil {
		t.Fatal(err)
	}
	state.Exec(`UPDATE event_log SET state = 'stream_activity' WHERE state = 'contract_failed'`)
	state.Exec(`UPDATE event_log SET state = 'failed', message = 'stderr: ' || char(27) || '[31mno such file' || char(27) || '[0m' WHERE id = ?`, failed)
	state.Exec(`UPDATE pipeline_run SET status = 'failed', current_step = 'step "x" failed: no such file' WHERE run_id = ?`, run)
	state.Exec(`UPDATE pipeline_state SET status = 'failed' WHERE pipeline_id = ?`, run)
	return openSite(t, root).ready(), run, failed
}

func TestLogPages(t *testing.T) {
	s, run, failed := openLong(t, 3000)
	log := "/runs/" + run + "/log"
	at := func(n int64) string { return fmt.Sprintf("#L%d", n) }
	for name, c := range map[string]struct {
		query string
		has   []string
		not   []string
	}{
		"a failed run opens at its failure":          {"", []string{at(failed) + ".bad .a-f1", "#lines[data-target='" + strconv.FormatInt(failed, 10) + "']", "nav#earlier[hx-get]", "nav#later[hx-get]"}, []string{at(1), "#lines[data-follow]"}},
		"a range is marked and in the window":        {"?L=500-502", []string{at(500) + ".mk", at(502) + ".mk", at(503) + ":not(.mk)", at(499) + ":not(.mk)"}, nil},
		"a range that is told backwards is the same": {"?L=502-500", []string{at(500) + ".mk"}, nil},
		"a place without a mark":                     {"?at=700", []string{at(700) + ":not(.mk)"}, nil},
		"the end":                                    {"?at=end", []string{at(3000), "#lines[data-follow]"}, []string{"nav#later", at(1)}},
		"the start":                                  {"?at=1", []string{at(1), "nav#later"}, []string{"nav#earlier"}},
		"the window before, without scripts":         {"?before=600", []string{at(599), at(350), "nav#earlier a[href*='before=350']", "nav#later"}, []string{at(600), at(349)}},
		"the window after, without scripts":          {"?after=600", []string{at(601), at(850), "nav#later a[href*='after=850']", "nav#earlier"}, []string{at(600), at(851)}},
		"past the end":                               {"?after=9999999", []string{"#logend"}, []string{".l"}},
		"only hits":                                  {"?q=no+such+file", []string{at(failed), ".hits b"}, []string{at(failed - 1), ".hit", "nav#later", "nav#earlier"}},
		"hits among all lines":                       {"?q=NO+SUCH+file&show=all", []string{at(failed) + ".hit", at(failed + 1)}, []string{at(failed+1) + ".hit"}},
		"any failure":                                {"?state=error", []string{at(failed)}, []string{at(failed + 1)}},
		"a step":                                     {"?step=step-03", []string{"option[selected][value='step-03']"}, []string{at(1)}},
		"no hits":                                    {"?q=nothing+like+it", []string{".hits b"}, []string{".l"}},
		"no times":                                   {"?times=none", []string{"#lines.notime"}, []string{".l time"}},
		"times since the start":                      {"?times=since", []string{".l > i"}, []string{".l time"}},
		"long lines stay in one":                     {"?wrap=off", []string{"#lines.nowrap"}, nil},
		"a log is not read aloud, and is one tab stop":  {"", []string{"#lines[role=log][aria-live=off][tabindex='0'][aria-label]"}, []string{".l > a:not([tabindex='-1'])"}},
		"an attempt is a heading that folds":            {"?at=2", []string{"details[open] > summary"}, nil},
		"a state that no filter knows can be asked for": {"?state=what_is_this", []string{"option[selected][value=what_is_this]"}, []string{".l"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.as(t).get(log + c.query)
			if r.status != http.StatusOK {
				t.Fatalf("status %d: %s", r.status, clip(r.body))
			}
			doc := r.doc()
			for _, selector := range c.has {
				if doc.Find(selector).Length() == 0 {
					t.Errorf("no %s", selector)
				}
			}
			for _, selector := range c.not {
				if n := doc.Find(selector).Length(); n > 0 {
					t.Errorf("%d of %s", n, selector)
				}
			}
			if len(r.body) > 150_000 {
				t.Errorf("%d bytes", len(r.body))
			}
		})
	}
}

func TestLogAddressesThatAreWrong(t *testing.T) {
	s, run, _ := openLong(t, 300)
	for query, status := range map[string]int{
		"?L=x": 400, "?L=1-x": 400, "?at=-3": 400, "?before=a": 400, "?times=long": 400, "?wrap=maybe": 400, "?source=elsewhere": 400,
		"?q=%ff": 400, "?line=ten": 400, "?L=99999999999999999999": 400, "?show=some": 400,
	} {
		t.Run(query, func(t *testing.T) {
			for _, path := range []string{"/log", "/log.txt", "/log/block"} {
				if strings.HasPrefix(query, "?line") && path != "/log" {
					continue
				}
				if r := s.as(t).get("/runs/" + run + path + query); r.status != status {
					t.Errorf("%s: status %d: %s", path, r.status, clip(r.body))
				}
			}
		})
	}
	for _, path := range []string{"/log", "/log/block", "/log/end", "/log.txt"} {
		if r := s.get("/runs/nothing" + path); r.status != http.StatusNotFound {
			t.Errorf("%s of no run: status %d", path, r.status)
		}
	}
	if r := s.get("/runs/" + run + "/log?line=70&times=since"); r.status != http.StatusSeeOther || r.header.Get("Location") != "/runs/"+run+"/log?L=70&times=since#L70" {
		t.Errorf("a line that was asked for: status %d, to %q", r.status, r.header.Get("Location"))
	}
}

// TestLogBlocksHoldEveryLineOnce walks a log by its fragments, both ways.
func TestLogBlocksHoldEveryLineOnce(t *testing.T) {
	s, run, failed := openLong(t, 3000)
	first := s.get("/runs/" + run + "/log").doc()
	for _, way := range []string{"#earlier", "#later"} {
		seen := map[string]bool{}
		next, ok := first.Find(way).Attr("hx-get")
		for range 20 {
			if !ok {
				break
			}
			r := s.fragment(next)
			doc := r.doc()
			if lines := doc.Find(".l").Length(); lines == 0 || doc.Find(".block").Length() != 1 {
				t.Fatalf("%s: %d lines", next, lines)
			}
			for _, node := range doc.Find(".l").EachIter() {
				id := node.AttrOr("id", "")
				if seen[id] || first.Find("#"+id).Length() > 0 {
					t.Fatalf("%s comes twice", id)
				}
				seen[id] = true
			}
			next, ok = doc.Find(way).Attr("hx-get")
		}
		var block int
		_, _ = fmt.Sscan(first.Find(".block").AttrOr(map[string]string{"#earlier": "data-first", "#later": "data-last"}[way], ""), &block)
		want := block - 1
		if way == "#later" {
			want = 3000 - block
		}
		if ok || len(seen) != want {
			t.Errorf("%s of %d: %d lines, want %d", way, failed, len(seen), want)
		}
	}
}

func TestLogHitsLeadOverTheWholeLog(t *testing.T) {
	root := emptyProject(t)
	state := newState(t, root)
	run := state.Run(storetest.Run{})
	for i := range 900 {
		message := "nothing"
		if i%300 == 10 {
			message = "a needle"
		}
		state.Event(run, storetest.Event{Step: "build", State: "stream_activity", Message: message})
	}
	s := openSite(t, root).ready()
	path := "/runs/" + run + "/log?q=needle&show=all"
	r := s.get(path)
	if said := r.text(".hits b"); said != "3 hits" {
		t.Errorf("it says %q", said)
	}
	for i, want := range []string{"hit 1 of 3", "hit 2 of 3", "hit 3 of 3"} {
		next, ok := r.doc().Find("#hit-next").Attr("href")
		if !ok {
			t.Fatalf("nothing leads to hit %d", i+1)
		}
		address, anchor, _ := strings.Cut(next, "#")
		r = s.get(address)
		if said := r.text(".hits b"); said != want || r.doc().Find("#"+anchor+".hit.mk").Length() != 1 {
			t.Errorf("%s says %q, want %q", next, said, want)
		}
	}
	if r.doc().Find("#hit-next").Length() != 0 || r.doc().Find("#hit-prev").Length() != 1 {
		t.Error("the last hit leads on, or not back")
	}
	state.Exec(`UPDATE event_log SET message = 'a needle'`)
	state.LongRun(2000, 20)
	state.Exec(`UPDATE event_log SET run_id = ?, message = 'a needle'`, run)
	s.until("more than are counted are told so", func() bool { return s.get(path).text(".hits b") == "1 000+ hits" })
	for from, to := range map[int]string{2500: "#L2501", 1500: "#L1501"} {
		next := s.get(fmt.Sprintf("%s&L=%d", path, from)).doc().Find("#hit-next").AttrOr("href", "")
		prev := s.get(fmt.Sprintf("%s&L=%d", path, from)).doc().Find("#hit-prev").AttrOr("href", "")
		if !strings.HasSuffix(next, to) || !strings.HasSuffix(prev, fmt.Sprintf("#L%d", from-1)) {
			t.Errorf("from the hit at %d on to %q, back to %q", from, next, prev)
		}
	}
}

func TestLogSecretsAreNotShown(t *testing.T) {
	root := emptyProject(t)
	state := newState(t, root)
	run := state.Run(storetest.Run{})
	const secret = "hunter2hunter2"
	state.Event(run, storetest.Event{Step: "a", Message: "login password=" + secret})
	state.Event(run, storetest.Event{Step: "a", Message: "login pass\x1b[31mword=\x1b[0mhunter2\x1b[1mhunter2"})
	state.Event(run, storetest.Event{Step: "a", Message: "<script>alert(1)</script> \x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07"})
	s := openSite(t, root).ready()
	for _, path := range []string{"/log", "/log?q=login", "/log/block", "/log.txt", "/log.txt?color=1"} {
		r := s.get("/runs/" + run + path)
		text := regexp.MustCompile(`<[^>]*>|\x1b\[[0-9;]*m`).ReplaceAllString(r.body, "")
		if strings.Contains(text, "hunter2hunter2") || !strings.Contains(text, "[redacted: password]") {
			t.Errorf("%s shows it: %s", path, clip(r.body))
		}
		if strings.Contains(r.header.Get("Content-Type"), "html") && (strings.Contains(r.body, "<script>") || strings.Contains(r.body, "javascript:")) {
			t.Errorf("%s has markup of a message", path)
		}
	}
	if said := s.get("/runs/" + run + "/log?q=" + secret).text(".hits b"); said != "no hits" {
		t.Errorf("a search tells that it is there: %q", said)
	}
}

func TestLogOfOneHugeMessage(t *testing.T) {
	root := emptyProject(t)
	state := newState(t, root)
	run := state.Run(storetest.Run{})
	state.Event(run, storetest.Event{Step: "a", Message: strings.Repeat("a line\n", 200_000)})
	state.Event(run, storetest.Event{Step: "a", Message: strings.Repeat("x", 3<<20)})
	for range 600 {
		state.Event(run, storetest.Event{Step: "a", Message: "one\ntwo\nthree"})
	}
	s := openSite(t, root).ready()
	r := s.get("/runs/" + run + "/log?at=1")
	var lines int
	_, _ = fmt.Sscan(r.doc().Find(".block").AttrOr("data-lines", ""), &lines)
	if lines == 0 || lines > 500 || len(r.body) > 400_000 {
		t.Errorf("%d lines, %d bytes", lines, len(r.body))
	}
	if r := s.get("/runs/" + run + "/log?after=2"); r.doc().Find(".l").Length() != 166 {
		t.Errorf("%d events of three lines in a block", r.doc().Find(".l").Length())
	}
	if whole := s.get("/runs/" + run + "/log.txt?L=1"); strings.Count(whole.body, "a line") != 200_000 || strings.Count(whole.body, "\n") != 200_000 {
		t.Errorf("the download of one message has %d bytes", len(whole.body))
	}
}

func TestLogDownload(t *testing.T) {
	s, run, failed := openLong(t, 3000)
	r := s.get("/runs/" + run + "/log.txt")
	if lines := strings.Split(strings.TrimSpace(r.body), "\n"); len(lines) != 3000 || !strings.HasPrefix(lines[0], "1 2026-03-01T") {
		t.Errorf("%d lines, the first %q", len(lines), lines[0])
	}
	if r.header.Get("Content-Type") != "text/plain; charset=utf-8" || r.header.Get("Content-Disposition") != `attachment; filename="`+run+`.log.txt"` {
		t.Errorf("headers %v", r.header)
	}
	line := fmt.Sprintf("%d ", failed)
	if hits := s.get("/runs/" + run + "/log.txt?q=no+such").body; strings.Count(hits, "\n") != 1 || !strings.HasPrefix(hits, line) || strings.ContainsRune(hits, 0x1b) {
		t.Errorf("only hits: %q", clip(hits))
	}
	if hits := s.get("/runs/" + run + "/log.txt?q=no+such&color=1").body; !strings.Contains(hits, "\x1b[31mno such file") {
		t.Errorf("with colours: %q", clip(hits))
	}
	if part := s.get("/runs/" + run + "/log.txt?L=10-12").body; strings.Count(part, "\n") != 3 || !strings.HasPrefix(part, "10 ") {
		t.Errorf("a range: %q", clip(part))
	}
}

func BenchmarkLog(b *testing.B) {
	s, run, _ := openLong(b, 50_000)
	for _, page := range []struct{ name, query string }{
		{"failed line", "?"}, {"line", "?L=40000"}, {"end", "?at=end"}, {"block", "/block?after=20000"}, {"search nowhere", "?q=nothing+like+it"}, {"hits marked", "?q=edit&show=all"},
	} {
		b.Run(page.name, func(b *testing.B) {
			size, n := 0, 0
			for b.Loop() {
				n++ // another address each time: nothing is kept
				size = len(s.get(fmt.Sprintf("/runs/%s/log%s&n=%d", run, page.query, n)).body)
			}
			b.ReportMetric(float64(size), "bytes")
		})
	}
}
