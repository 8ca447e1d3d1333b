package dag_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"

	"wavedeck/views/dag"
)

func render(t *testing.T, c templ.Component) *goquery.Document {
	t.Helper()
	var b bytes.Buffer
	if err := c.Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	d, err := goquery.NewDocumentFromReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func graphOf(t *testing.T, s sample) *goquery.Document {
	t.Helper()
	return render(t, dag.Graph(dag.Lay(s.nodes, s.edges), s.options()))
}

func TestGraph(t *testing.T) {
	t.Run("each step is a link that tells all the picture shows", func(t *testing.T) {
		d := graphOf(t, flaky())
		links := d.Find(`svg [role=list] > [role=listitem] > a`)
		if links.Length() != 5 {
			t.Fatalf("%d links, want 5", links.Length())
		}
		deploy := links.Eq(2)
		if name := deploy.Find("title").Text(); name != "deploy, command, pending, command, blocked by integration" {
			t.Errorf("name %q", name)
		}
		if deploy.AttrOr("href", "") != "/runs/r/steps/deploy" || deploy.Find("text:not([aria-hidden=true])").Length() != 0 {
			t.Errorf("it leads to %s, or says itself twice", deploy.AttrOr("href", ""))
		}
		if use := deploy.Find("use").AttrOr("href", ""); use != "sprite.svg#pending" {
			t.Errorf("sprite %q", use)
		}
	})
	t.Run("the failed step, what it blocks and the way there are marked", func(t *testing.T) {
		d := graphOf(t, flaky())
		for selector, want := range map[string]int{
			".dag-node.failed": 1, ".dag-node.dag-blocked.pending": 2, ".dag-line.dag-blocked": 2, ".dag-node.succeeded.dag-blocked": 0,
		} {
			if n := d.Find(selector).Length(); n != want {
				t.Errorf("%d of %s, want %d", n, selector, want)
			}
		}
	})
	t.Run("a fold counts its worst state and leads to the first step in it", func(t *testing.T) {
		fold := graphOf(t, fan(128)).Find(".dag-fold")
		if text := fold.Find(".dag-detail").Text(); text != "×128 · 3 failed" {
			t.Errorf("detail %q", text)
		}
		if !fold.HasClass("failed") || fold.Find("a").AttrOr("href", "") != "/runs/r/steps/shard-003" {
			t.Error("the fold does not show the failure")
		}
		if name := fold.Find("a title").Text(); name != "shard, 128 steps, 3 failed, 125 succeeded" {
			t.Errorf("name %q", name)
		}
	})
	t.Run("each kind has its class, and edges that lead back are dashed ones", func(t *testing.T) {
		d := graphOf(t, composed())
		for selector, want := range map[string]int{
			".dag-iterate .dag-behind": 2, ".dag-pipeline .dag-inner": 1, ".dag-loop .dag-loop-arrow": 1, ".dag-gate": 1,
			".dag-branch": 1, ".dag-aggregate": 1, ".dag-node.dag-rework": 1, ".dag-line.dag-back": 2, ".dag-line.dag-rework": 1, ".dag-line.dag-arm": 1,
		} {
			if n := d.Find(selector).Length(); n != want {
				t.Errorf("%d of %s, want %d", n, selector, want)
			}
		}
	})
	t.Run("a definition without a run has no states, icons or links", func(t *testing.T) {
		d := graphOf(t, cyclic())
		if n := d.Find("use, a, .pending, .unknown").Length(); n != 0 {
			t.Errorf("%d of them", n)
		}
	})
	t.Run("a state that is not one of the told ones is unknown", func(t *testing.T) {
		s := flaky()
		s.set(`x" onload="alert(1)`, "docs")
		if d := graphOf(t, s); d.Find(".dag-node.unknown use").AttrOr("href", "") != "sprite.svg#unknown" {
			t.Error("it is not shown as unknown")
		}
	})
	t.Run("states move nothing: only classes, words and icons differ", func(t *testing.T) {
		before, after := fan(128), fan(128)
		after.set("running", "split", "merge", "shard-005")
		after.set("skipped", "publish")
		if diff := cmp.Diff(geometry(t, before), geometry(t, after)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("nothing to draw is said in words", func(t *testing.T) {
		if text := graphOf(t, sample{}).Find(".dag-none").Text(); text != "There are no steps to draw." {
			t.Errorf("%q", text)
		}
		if text := graphOf(t, chain(5000)).Find(".dag-none").Text(); !strings.Contains(text, "too large to draw") {
			t.Errorf("%q", text)
		}
	})
	t.Run("zoom changes the size and not the view box", func(t *testing.T) {
		s := releaseCheck()
		o := s.options()
		l := dag.Lay(s.nodes, s.edges)
		o.Zoom = 200
		svg := render(t, dag.Graph(l, o)).Find("svg.dag")
		if svg.AttrOr("width", "") != strconv.Itoa(2*l.Width) || svg.AttrOr("viewBox", "") == "" {
			t.Errorf("width %s", svg.AttrOr("width", ""))
		}
	})
}

// geometry lists every coordinate of a drawn sample.
func geometry(t *testing.T, s sample) []string {
	t.Helper()
	var all []string
	graphOf(t, s).Find("svg, path, text").Each(func(_ int, e *goquery.Selection) {
		all = append(all, e.AttrOr("viewBox", "")+e.AttrOr("d", "")+e.AttrOr("x", "")+","+e.AttrOr("y", ""))
	})
	return all
}

func TestHostileText(t *testing.T) {
	evil := `</title><script>alert(1)</script>" onload="x` + "\u202e\x00\xff"
	s := sample{name: evil}
	s.node(dag.Kind(evil), evil, evil)
	s.node(dag.KindGate, "next", "", evil, "missing"+evil)
	s.edge(dag.Arm, evil, "next", evil)
	s.status = map[string]dag.Status{evil: {State: evil, Word: evil, Note: evil, Href: "javascript:alert(1)"}}
	l := dag.Lay(s.nodes, s.edges)
	for name, c := range map[string]templ.Component{
		"graph": dag.Graph(l, s.options()), "table": dag.Table(l, s.options()), "problems": dag.Problems(l),
	} {
		t.Run("markup in a definition stays text in the "+name, func(t *testing.T) {
			d := render(t, c)
			if n := d.Find("script, [onload], [style]").Length(); n != 0 {
				t.Errorf("%d elements got in", n)
			}
			d.Find("[href]").Each(func(_ int, e *goquery.Selection) {
				if strings.HasPrefix(e.AttrOr("href", ""), "javascript") {
					t.Error("a link runs a script")
				}
			})
			if strings.ContainsAny(d.Find("text, td, th, li").Text(), "\u202e\x00") {
				t.Error("a control character got in")
			}
		})
	}
}

func TestTable(t *testing.T) {
	text := func(s *goquery.Selection) string { return strings.Join(strings.Fields(s.Text()), " ") }
	t.Run("a row says step, kind, dependencies, state and what blocks", func(t *testing.T) {
		s := flaky()
		d := render(t, dag.Table(dag.Lay(s.nodes, s.edges), s.options()))
		cells := d.Find("tbody tr").Eq(3).Find("th, td").Map(func(_ int, cell *goquery.Selection) string { return text(cell) })
		if diff := cmp.Diff([]string{"smoke", "command", "deploy", "pending", "deploy"}, cells); diff != "" {
			t.Error(diff)
		}
		if n := d.Find("tbody tr.failed th a[href='/runs/r/steps/integration']").Length(); n != 1 {
			t.Errorf("%d links to the failed step", n)
		}
	})
	t.Run("a dependency that is no step, or no plain dependency, says so", func(t *testing.T) {
		s := cyclic()
		s.edge(dag.Arm, "start", "lonely", "when idle")
		d := render(t, dag.Table(dag.Lay(s.nodes, s.edges), s.options()))
		if got := text(d.Find("tbody tr").Eq(4).Find("td").Eq(1)); got != "review, aprove (no such step)" {
			t.Errorf("%q", got)
		}
		if got := text(d.Find("tbody tr").Eq(6).Find("td").Eq(1)); got != "start (arm when idle)" {
			t.Errorf("%q", got)
		}
	})
	t.Run("a fold has a row for each step, and a long list of dependencies opens", func(t *testing.T) {
		s := fan(128)
		d := render(t, dag.Table(dag.Lay(s.nodes, s.edges), s.options()))
		if d.Find("tbody tr").Length() != 131 || d.Find("details summary").Text() != "128 steps" {
			t.Errorf("%d rows, summary %q", d.Find("tbody tr").Length(), d.Find("details summary").Text())
		}
	})
}
