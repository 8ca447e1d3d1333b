package handlers_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTitleAndIconCountWhatNeedsAttention(t *testing.T) {
	s := openSample(t, withData(t, t.TempDir())).ready()
	s.until("failures are noticed", func() bool { list, _ := s.needing(); return len(list) == 3 })
	for _, path := range []string{"/runs", "/attention", "/views", "/runs/" + sampleRun, "/runs/none"} {
		page := s.get(path)
		title := page.doc().Find("title")
		if plain := title.AttrOr("data-title", ""); title.Text() != "(3) "+plain || !strings.HasSuffix(plain, " · wavedeck") {
			t.Errorf("%s is titled %q, plainly %q", path, title.Text(), plain)
		}
		if icon := page.doc().Find("link#icon").AttrOr("href", ""); icon != "/favicon.svg?n=3" {
			t.Errorf("%s has the icon %q", path, icon)
		}
	}
	s.send("/attention/seen", "{}", "Content-Type", "application/json")
	page := s.get("/runs")
	if title := page.text("title"); title != "Runs · wavedeck" {
		t.Errorf("when nothing needs attention the title is %q", title)
	}
	if icon := page.doc().Find("link#icon").AttrOr("href", ""); icon != "/favicon.svg?n=0" {
		t.Errorf("then the icon is %q", icon)
	}
}

func TestIcon(t *testing.T) {
	s := openSample(t)
	for path, want := range map[string]string{"/favicon.svg": "", "/favicon.svg?n=0": "", "/favicon.svg?n=3": "3", "/favicon.svg?n=10": "9+"} {
		icon := s.get(path)
		if icon.status != http.StatusOK || icon.header.Get("Content-Type") != "image/svg+xml" || icon.doc().Find("text").Text() != want {
			t.Errorf("%s: %d %s", path, icon.status, icon.body)
		}
	}
	for _, n := range []string{"-1", "x", "99999999999999999999", "<script>"} {
		if icon := s.get("/favicon.svg?n=" + n); icon.status != http.StatusBadRequest || strings.Contains(icon.body, "<script>") {
			t.Errorf("n=%s: %d", n, icon.status)
		}
	}
}

func TestEndedRunsAreToldInWords(t *testing.T) {
	s := openSample(t).ready()
	var told struct {
		Ended []struct{ Tag, Title, Body, URL string }
	}
	body := s.get("/api/ended?run=" + sampleRun + "&run=" + lostRun + "&run=none").body
	if err := json.Unmarshal([]byte(body), &told); err != nil {
		t.Fatal(err, body)
	}
	var got []string
	for _, e := range told.Ended {
		got = append(got, e.Tag+": "+e.Title+", "+e.Body+" at "+e.URL)
	}
	want := []string{
		sampleRun + ": flaky-integration failed, after 16s · " + sampleRun + " at /runs/" + sampleRun,
		lostRun + ": slow-soak is lost, " + lostRun + " at /runs/" + lostRun,
		"none: A run is gone, none at /runs/none",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
