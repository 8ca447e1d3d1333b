package handlers_test

import (
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

func TestAChildRunHasItsBarOnTheTimeline(t *testing.T) {
	s := openSample(t).ready()
	kids := s.get("/runs/" + parentRun + "/timeline").doc().Find("#waterfall .tl-body > ol > li > details > ol > li")
	if kids.Length() != 4 {
		t.Fatalf("%d child runs, not 4", kids.Length())
	}
	for _, kid := range kids.EachIter() {
		if bars := kid.ChildrenFiltered(".tl-row").Find("svg.tl-track rect.succeeded"); bars.Length() == 0 {
			t.Errorf("%s has no bar", kid.AttrOr("id", ""))
		}
	}
}

func TestTheTokensOfAChildRunAreLaidOutOnce(t *testing.T) {
	s := openSample(t).ready()
	told := 0
	for _, kid := range s.get("/runs/" + parentRun + "/timeline?scale=tokens").doc().Find("#waterfall .tl-body > ol > li > details > ol > li").EachIter() {
		titles := kid.ChildrenFiltered(".tl-row").Find("svg.tl-track title").Map(func(_ int, title *goquery.Selection) string { return title.Text() })
		if len(titles) > 1 {
			t.Errorf("%s says its tokens %d times: %q", kid.AttrOr("id", ""), len(titles), titles)
		}
		if strings.Contains(strings.Join(titles, " "), "tokens") {
			told++
		}
	}
	if told == 0 {
		t.Error("no child run tells its tokens")
	}
}
