package handlers_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"

	"wavedeck/handlers"
	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
)

// standsAlone fails when a file needs, loads or leads to anything outside of it.
func standsAlone(t *testing.T, r reply) *goquery.Document {
	t.Helper()
	if r.status != http.StatusOK || !strings.HasPrefix(r.body, "<!doctype html>") || !strings.HasSuffix(strings.TrimSpace(r.body), "</html>") {
		t.Fatalf("status %d, not a whole file: %s", r.status, clip(r.body))
	}
	doc := r.doc()
	if bad := doc.Find("script, link, iframe, object, embed, form, base, meta[http-equiv=refresh], [style], [onclick], [onerror], [onload]"); bad.Length() > 0 {
		h, _ := goquery.OuterHtml(bad.First())
		t.Errorf("the file holds %s", clip(h))
	}
	ids := map[string]bool{}
	doc.Find("[id]").Each(func(_ int, e *goquery.Selection) {
		id := e.AttrOr("id", "")
		if ids[id] {
			t.Errorf("two elements have the id %q", id)
		}
		ids[id] = true
	})
	doc.Find("*").Each(func(_ int, e *goquery.Selection) {
		for _, a := range e.Nodes[0].Attr {
			switch {
			case a.Key == "href":
				if to, _ := url.PathUnescape(strings.TrimPrefix(a.Val, "#")); !strings.HasPrefix(a.Val, "#") || !ids[to] {
					t.Errorf("a link leads to %q", a.Val)
				}
			case a.Key == "src":
				if !strings.HasPrefix(a.Val, "data:image/") {
					t.Errorf("%q is loaded", a.Val)
				}
			case strings.HasPrefix(a.Key, "hx-"), strings.Contains(a.Val, "url(") && !strings.Contains(a.Val, "url(#"):
				t.Errorf("%s=%q", a.Key, a.Val)
			}
		}
	})
	style := doc.Find("style").Text()
	sum := sha256.Sum256([]byte(style))
	policy := doc.Find("meta[http-equiv=Content-Security-Policy]").AttrOr("content", "")
	if doc.Find("style").Length() != 1 || strings.Contains(style, "url(") || strings.Contains(style, "@import") ||
		!strings.Contains(policy, "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") || !strings.HasPrefix(policy, "default-src 'none'") {
		t.Errorf("the looks are not those that the policy names: %s", policy)
	}
	return doc
}

func TestRunAsOneFile(t *testing.T) {
	s := openSample(t).ready()
	for _, id := range []string{sampleRun, parentRun, stoppedRun, lostRun} {
		r := s.get("/runs/" + id + "/export")
		doc := standsAlone(t, r)
		if r.header.Get("Content-Disposition") != `attachment; filename="`+id+`.html"` || r.header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("headers %v", r.header)
		}
		body := s.get("/runs/" + id + ".json").object()
		if n := doc.Find("tr.step").Length(); n != len(body["steps"].([]any)) {
			t.Errorf("%s: %d steps in the file, JSON has %d", id, n, len(body["steps"].([]any)))
		}
		for _, e := range body["events"].([]any) {
			line := doc.Find(fmt.Sprintf("#L%.0f", e.(object)["id"]))
			first, _, _ := strings.Cut(fmt.Sprint(e.(object)["message"]), "\n")
			if line.Length() != 1 || e.(object)["message"] != nil && !strings.Contains(line.Text(), strings.TrimSpace(first)) {
				t.Errorf("%s: event %v is not in the log: %q", id, e, line.Text())
			}
		}
		if doc.Find("#timeline svg, #graph-part svg").Length() < 2 || doc.Find("#left-out").Length() != 1 {
			t.Errorf("%s: no timeline, no graph, or nothing said of what is left out", id)
		}
	}
	if link := s.get("/runs/" + sampleRun).doc().Find("a[download]"); link.AttrOr("href", "") != "/runs/"+sampleRun+"/export" {
		t.Error("the run's page does not lead to its file")
	}
	past := standsAlone(t, s.get("/runs/"+sampleRun+"/export?at=event:200"))
	if past.Find("#L201, #L202, #failure").Length() > 0 || past.Find("#L200").Length() != 1 {
		t.Error("the file as of event 200 tells more than was known")
	}
	for path, status := range map[string]int{"/runs/nobody/export": 404, "/runs/" + sampleRun + "/export?at=event:x": 400} {
		if r := s.get(path); r.status != status {
			t.Errorf("%s: %d", path, r.status)
		}
	}
	if head := s.do(http.MethodHead, "/runs/"+sampleRun+"/export"); head.status != http.StatusOK || head.body != "" {
		t.Errorf("HEAD: %d, %d bytes", head.status, len(head.body))
	}
}

// TestRunFileOfHostileTexts: what people and agents wrote neither acts nor keeps
// its secrets in a file that is sent around.
func TestRunFileOfHostileTexts(t *testing.T) {
	root := emptyProject(t)
	state := newState(t, root)
	const secret = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
	bad := `</style></main><script>alert(1)</script><img src="http://evil.example/x.png" onerror=alert(1)> //evil.example ` + secret
	run := state.Run(storetest.Run{ID: `..\evil"; filename=x/../` + "\u202e", Pipeline: "p<script>", Status: "failed", Error: bad, Input: bad + "\n" + bad, Tags: []string{"a<b"}})
	state.Event(run, storetest.Event{Step: "s<x>", State: "failed", Message: bad + "\x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07"})
	state.Step(run, storetest.Step{ID: "s<x>", State: "failed", Error: bad})
	state.Attempt(run, storetest.Attempt{Step: "s<x>", State: "failed", Error: bad, Extra: statedb.Row{"stdout_tail": bad}})
	state.Outcome(run, storetest.Outcome{Step: "s<x>", Type: "url", Label: bad, Value: "http://evil.example/" + secret})
	write := func(name string, content []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
		state.Artifact(run, storetest.Artifact{Step: "s<x>", Name: name, Path: name, Size: int64(len(content))})
	}
	write("bad.md", []byte("# Title\n\n[link](http://evil.example) ![p](http://evil.example/p.png) <script>alert(1)</script>\n\n"+secret))
	write("bad.html", []byte(bad))
	write("tiny.png", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"))
	write("binary.bin", bytes.Repeat([]byte{0, 1, 2, 0xff}, 100))
	write("large.txt", bytes.Repeat([]byte("a line\n"), 200_000))
	state.Artifact(run, storetest.Artifact{Step: "s<x>", Name: "gone.txt", Path: "gone.txt"})
	state.Artifact(run, storetest.Artifact{Step: "s<x>", Name: "passwd", Path: "../../../etc/passwd"})
	s := openSite(t, root).ready()
	r := s.get("/runs/" + url.PathEscape(run) + "/export")
	doc := standsAlone(t, r)
	if strings.Contains(r.body, secret) || strings.Contains(r.body, secret[4:]) {
		t.Errorf("a secret is in the file at %d", strings.Index(r.body, secret[4:]))
	}
	if name := r.header.Get("Content-Disposition"); !regexp.MustCompile(`^attachment; filename="[A-Za-z0-9._-]+\.html"$`).MatchString(name) || strings.Contains(name, `"..`) {
		t.Errorf("the file is called %s", name)
	}
	if doc.Find("img[src^='data:image/png;base64,']").Length() != 1 || !strings.Contains(doc.Find("#contents").Text(), "Title") {
		t.Error("a picture or a text among the artifacts is missing")
	}
	said := doc.Find("#left-out li").Map(func(_ int, e *goquery.Selection) string { return e.Text() })
	for i, name := range []string{"binary.bin", "large.txt", "gone.txt", "passwd"} {
		if len(said) != 4 || !strings.Contains(said[i], name) {
			t.Errorf("left out is said to be %q", said)
			break
		}
	}
}

// TestRunFileIsBounded: of a log that is too long the beginning and the end stay,
// and what is missing between them is counted.
func TestRunFileIsBounded(t *testing.T) {
	const most = 600_000
	root := emptyProject(t)
	state := newState(t, root)
	run := state.LongRun(6000, 10)
	s := openSite(t, root, func(c *handlers.Config) { c.Limits.Export = most }).ready()
	r := s.get("/runs/" + run + "/export")
	doc := standsAlone(t, r)
	if len(r.body) > most+100_000 { // what is around, its looks above all
		t.Errorf("%d bytes", len(r.body))
	}
	var shown []int
	doc.Find("#lines .l").Each(func(_ int, e *goquery.Selection) {
		n, _ := strconv.Atoi(strings.TrimPrefix(e.AttrOr("id", ""), "L"))
		if len(shown) > 0 && n <= shown[len(shown)-1] {
			t.Errorf("line %d after %d", n, shown[len(shown)-1])
		}
		shown = append(shown, n)
	})
	var missing int
	if _, err := fmt.Sscanf(strings.ReplaceAll(regexp.MustCompile(`[\d,\x{a0}\x{202f} ]+ events in the middle`).FindString(doc.Find("#lines .notice").Text()), "\u202f", ""), "%d", &missing); err != nil {
		t.Fatalf("%v: %q", err, doc.Find("#lines .notice").Text())
	}
	if len(shown) < 400 || shown[0] != 1 || shown[len(shown)-1] != 6000 || len(shown)+missing != 6000 {
		t.Errorf("%d lines, %d missing", len(shown), missing)
	}
	if html.EscapeString(doc.Find("#left-out li").First().Text()) == "" {
		t.Error("the end does not say what is left out")
	}
}
