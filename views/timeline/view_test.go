package timeline_test

import (
	"io"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"wavedeck/views/timeline"
)

func document(t *testing.T, v timeline.View) *goquery.Document {
	t.Helper()
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(render(t, v)))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func labelOf(t *testing.T, doc *goquery.Document, id string) string {
	t.Helper()
	row := doc.Find(`[id="timeline__` + id + `"] > .tl-row`)
	if row.Length() != 1 {
		t.Fatalf("%d rows are %s", row.Length(), id)
	}
	row.Find("[aria-hidden=true]").Remove()
	return strings.ReplaceAll(strings.Join(strings.Fields(row.Text()), " "), " ,", ",")
}

func TestARowSaysInWordsWhatItShows(t *testing.T) {
	byTokens := timeline.Query{Scale: timeline.ByTokens}
	for name, tt := range map[string]struct {
		view      timeline.View
		row, want string
	}{
		"a step with attempts":          {view(flaky(), timeline.Query{}), "integration", "integration, failed, starts at 100 ms, took 16s, 3 attempts, 21.7k tokens, critical"},
		"a blocked step":                {view(flaky(), timeline.Query{}), "deploy", "deploy, pending, blocked by integration"},
		"a skipped step":                {view(live(), timeline.Query{}), "hotfix", "hotfix, skipped, skipped by branch"},
		"a gate":                        {view(live(), timeline.Query{}), "approve", "approve, waiting, starts at 1m 40s, took 1m 40s"},
		"a step without recorded times": {view(hostile(), timeline.Query{}), "no_20times", "no times, failed, times not recorded, 1 attempt"},
		"a step with children":          {view(nightly("failed"), timeline.Query{}), "areas", "areas, succeeded, starts at 0s, took 10s, 1 attempt, critical, 4 of 4 ended, 1 failed"},
		"tokens that are not recorded":  {view(flaky(), byTokens), "provision", "provision, succeeded, took <1s, 1 attempt, tokens not recorded, critical"},
		"outside the window":            {view(flaky(), timeline.Query{Window: timeline.Window{From: 4000, To: 6000}}), "docs", "docs, succeeded, starts at 100 ms, took <1s, 1 attempt, before this window"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, labelOf(t, document(t, tt.view), tt.row)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestARowIsOneLinkThatCoversIt(t *testing.T) {
	doc := document(t, view(flaky(), timeline.Query{}))
	doc.Find("li.tl-lane").Each(func(_ int, li *goquery.Selection) {
		row := li.Find("a.tl-row")
		if row.Length() != 1 || row.Find(".tl-track, .tl-label, .tl-num").Length() != 4 || row.Find("a").Length() != 0 {
			t.Errorf("row %s", li.AttrOr("id", ""))
		}
	})
	unlinked := timeline.Run{Lanes: []timeline.Lane{{ID: "a"}}}
	if doc := document(t, view(unlinked, timeline.Query{})); doc.Find("li a").Length() != 0 || doc.Find("li > .tl-row").Length() != 1 {
		t.Error("a lane that leads nowhere has a link")
	}
}

func TestPagesNeedNeitherStylesNorScripts(t *testing.T) {
	for _, v := range []timeline.View{view(hostile(), timeline.Query{}), view(live(), timeline.Query{}), view(overnight(), timeline.Query{Scale: timeline.ByTokens})} {
		doc := document(t, v)
		if n := doc.Find("[style], style, script, [onclick], [onload]").Length(); n > 0 {
			t.Errorf("%d elements that the policy forbids", n)
		}
		doc.Find("a").Each(func(_ int, a *goquery.Selection) {
			if strings.HasPrefix(a.AttrOr("href", ""), "javascript:") {
				t.Errorf("a link to %s", a.AttrOr("href", ""))
			}
		})
		seen := map[string]bool{}
		doc.Find("[id]").Each(func(_ int, s *goquery.Selection) {
			id := s.AttrOr("id", "")
			if seen[id] || strings.ContainsAny(id, " <>\"'") {
				t.Errorf("id %q is there twice, or is not fit to be one", id)
			}
			seen[id] = true
		})
	}
}

func TestEachBarCanBeSeen(t *testing.T) {
	for name, run := range map[string]timeline.Run{"release": release(), "flaky": flaky(), "hostile": hostile()} {
		l := timeline.Lay(run, timeline.Query{})
		doc := document(t, view(run, timeline.Query{}))
		for i, r := range l.Rows {
			wide, least := 0, 0
			for _, b := range r.Bars {
				if b.Width >= 2700 {
					wide++
				} else {
					least++
				}
			}
			rects := doc.Find("li.tl-lane").Eq(i).Find(".tl-track rect:not(.tl-line)")
			if got := rects.Filter(`[width="4"]`).Length(); got != least || wide+least != len(r.Bars) {
				t.Errorf("%s, %s: %d bars of 4 pixels, want %d", name, r.ID, got, least)
			}
		}
	}
}

func TestBarsInOnePlaceStandSideBySide(t *testing.T) {
	for name, tt := range map[string]struct {
		from float64
		want []string
	}{
		"to the right":                    {0, []string{"", "translate(5)", "translate(10)"}},
		"near the right end, to the left": {100, []string{"translate(-10)", "translate(-5)", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			run := timeline.Run{Start: t0, End: at(100), Now: at(200), Lanes: []timeline.Lane{
				lane("a", "failed", "", span(tt.from, tt.from), span(tt.from, tt.from), span(tt.from, tt.from)), lane("b", "succeeded", "", span(0, 100)),
			}}
			var got []string
			document(t, view(run, timeline.Query{})).Find("li.tl-lane").First().Find("rect").Each(func(_ int, r *goquery.Selection) {
				got = append(got, r.AttrOr("transform", ""))
			})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestChildrenAreFoldedUnlessOneFailed(t *testing.T) {
	for state, open := range map[string]bool{"succeeded": false, "failed": true} {
		kids := document(t, view(nightly(state), timeline.Query{})).Find("#timeline__areas > details")
		if _, is := kids.Attr("open"); is != open || kids.Find("summary").First().Text() != "areas: 4/4" {
			t.Errorf("with a child that %s: open %t, %q", state, is, kids.Find("summary").First().Text())
		}
		if n := kids.Find("li").Length(); n != 12 {
			t.Errorf("%d rows beneath", n)
		}
	}
}

func TestLinksLeadToOtherViewsOfTheRun(t *testing.T) {
	links := func(q timeline.Query) map[string]string {
		v := view(flaky(), q)
		v.Link = func(values url.Values) string { return "/deck/runs/x?" + values.Encode() }
		links := map[string]string{}
		document(t, v).Find(".tl-tools a, .tl-zoom").Each(func(_ int, a *goquery.Selection) {
			links[a.AttrOr("aria-label", a.Text())] = strings.TrimPrefix(a.AttrOr("href", ""), "/deck/runs/x?")
		})
		return links
	}
	for name, tt := range map[string]struct {
		query timeline.Query
		want  map[string]string
	}{
		"the whole run": {timeline.Query{}, map[string]string{
			"Time": "", "Tokens": "scale=tokens", "Zoom in": "from=4025&to=12075",
			"Zoom in on provision": "from=0&to=110", "Zoom in on docs": "from=80&to=320",
		}},
		"a window": {timeline.Query{Window: timeline.Window{From: 4000, To: 8000}}, map[string]string{
			"Time": "from=4000&to=8000", "Tokens": "scale=tokens", "← Earlier": "from=2000&to=6000", "Later →": "from=6000&to=10000",
			"Zoom in": "from=5000&to=7000", "Zoom out": "from=2000&to=10000", "Whole run": "",
			"Zoom in on provision": "from=0&to=110", "Zoom in on docs": "from=80&to=320",
		}},
		"the end of the run": {timeline.Query{Window: timeline.Window{From: 15000, To: 16100}}, map[string]string{
			"Time": "from=15000&to=16100", "Tokens": "scale=tokens", "← Earlier": "from=14450&to=15550",
			"Zoom in": "from=15275&to=15825", "Zoom out": "from=14450&to=16100", "Whole run": "",
			"Zoom in on provision": "from=0&to=110",
		}},
		"tokens": {timeline.Query{Scale: timeline.ByTokens}, map[string]string{
			"Time": "", "Tokens": "scale=tokens", "Zoom in": "from=5420&scale=tokens&to=16261",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got := links(tt.query)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			for word, link := range got {
				values, err := url.ParseQuery(link)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := timeline.ParseQuery(values); err != nil {
					t.Errorf("%s leads to %s: %v", word, link, err)
				}
			}
		})
	}
}

func TestWindowsBeyondTheRunLeadBack(t *testing.T) {
	doc := document(t, view(flaky(), timeline.Query{Window: timeline.Window{From: 1_000_000, To: 2_000_000}}))
	if doc.Find(".tl-tools a").FilterFunction(func(_ int, a *goquery.Selection) bool { return a.Text() == "Whole run" }).Length() != 1 {
		t.Error("no way back to the whole run")
	}
	doc.Find(".tl-tools a").Each(func(_ int, a *goquery.Selection) {
		values, _ := url.ParseQuery(strings.TrimPrefix(a.AttrOr("href", ""), "?"))
		if _, err := timeline.ParseQuery(values); err != nil {
			t.Errorf("%s: %v", a.Text(), err)
		}
	})
}

func TestTheSectionCarriesWhatKeepsItLive(t *testing.T) {
	v := view(live(), timeline.Query{})
	v.Attrs = map[string]any{"hx-get": "/runs/x/timeline", "data-region": true}
	s := document(t, v).Find("section#timeline")
	if s.AttrOr("hx-get", "") != "/runs/x/timeline" || s.Is(":not([data-region])") {
		t.Error("attributes are lost")
	}
}

// A rule for a class that no page has is a misspelt name.
func TestTheStylesheetNamesClassesThatAreThere(t *testing.T) {
	css, err := os.ReadFile("../../static/timeline.css")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, name := range regexp.MustCompile(`\.tl-[a-z-]+`).FindAllString(string(css), -1) {
		known[name[1:]] = true
	}
	used := map[string]bool{}
	for _, v := range []timeline.View{
		view(flaky(), timeline.Query{}), view(live(), timeline.Query{}), view(overnight(), timeline.Query{}), view(nightly("failed"), timeline.Query{Scale: timeline.ByTokens}),
	} {
		document(t, v).Find("[class]").Each(func(_ int, s *goquery.Selection) {
			for class := range strings.FieldsSeq(s.AttrOr("class", "")) {
				if strings.HasPrefix(class, "tl-") {
					used[class] = true
				}
			}
		})
	}
	for class := range known {
		if !used[class] {
			t.Errorf("no page has %s", class)
		}
	}
}

func BenchmarkLay900(b *testing.B) {
	run := large(900)
	for b.Loop() {
		timeline.Lay(run, timeline.Query{})
	}
}

func BenchmarkTimeline900(b *testing.B) {
	v := view(large(900), timeline.Query{})
	for b.Loop() {
		if err := timeline.Timeline(v).Render(b.Context(), io.Discard); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(render(b, v)))/1024, "KB")
}
