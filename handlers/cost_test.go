package handlers_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wavedeck/handlers"
	"wavedeck/store/prices"
	"wavedeck/store/storetest"
)

func priced(t *testing.T, text string) func(*handlers.Config) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "prices.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := prices.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return func(c *handlers.Config) { c.Prices = file }
}

type costBody struct {
	Amount     *float64
	Currency   string
	LowerBound bool     `json:"lower_bound"`
	Own        *float64 `json:"own_amount"`
}

func (s *site) cost(run string) *costBody {
	s.t.Helper()
	var body struct {
		Run struct {
			Cost *costBody `json:"estimated_cost"`
		}
	}
	if err := json.Unmarshal([]byte(s.get("/api/runs/"+run).body), &body); err != nil {
		s.t.Fatal(err)
	}
	return body.Run.Cost
}

// TestCostsOfTheSample recomputes them from the tokens and models that the
// sample's rows hold.
func TestCostsOfTheSample(t *testing.T) {
	s := openSample(t, priced(t, "models: {claude-haiku-4-5: 1, claude-opus-4: 20, o3: 4, sonnet: 3}")).ready()
	want := (4812+2930)*1e-6*1 + 2935*1e-6*20 + 5598*1e-6*4
	got := s.cost("fix-issue-20261123-003814-e2da")
	if got == nil || got.Amount == nil || math.Abs(*got.Amount-want) > 1e-9 || got.LowerBound || got.Currency != "USD" {
		t.Errorf("%+v, want %v", got, want)
	}
	if text := s.get("/runs/fix-issue-20261123-003814-e2da").text("#cost"); text != "≈ $0.089 est." {
		t.Errorf("the page says %q", text)
	}
	// The parent is the sum of its children and itself.
	own, sum := 6247*1e-6*3, 0.0
	for _, child := range []string{childRun, "audit-part-20261123-003816-8af9", "audit-part-20261123-003821-7571", "audit-part-20261123-003821-2b5d"} {
		sum += *s.cost(child).Amount
	}
	parent := s.cost(parentRun)
	if math.Abs(*parent.Own-own) > 1e-9 || math.Abs(*parent.Amount-own-sum) > 1e-9 || math.Abs(sum-(4253+5379+7750+2489)*1e-6*4) > 1e-9 {
		t.Errorf("parent %v of itself %v, want %v and %v", *parent.Amount, *parent.Own, own+sum, own)
	}
	if text := s.get("/runs/" + parentRun).text("#cost"); text != "≈ $0.098 est. with its children, ≈ $0.019 est. by itself" {
		t.Errorf("the parent's page says %q", text)
	}
	// A run that used none cost none; one whose process was lost may have used more.
	if none := s.cost("release-check-20261123-003812-6e22"); none.Amount == nil || *none.Amount != 0 || none.LowerBound {
		t.Errorf("without tokens: %+v", none)
	}
	if lost := s.cost(lostRun); lost.Amount != nil {
		t.Errorf("lost: %+v", lost)
	}
	title := s.get("/runs?q=e2da").doc().Find("tr.run td.c-tok data").AttrOr("title", "")
	if !strings.HasSuffix(title, "tokens, ≈ $0.089 est.") {
		t.Errorf("the list says %q", title)
	}
	if trends := s.get("/pipelines/fix-issue").text("#trends #cost"); !strings.Contains(trends, "≈ $0.2") {
		t.Errorf("trends say %q", trends)
	}
}

func TestAModelWithoutAPriceIsNotFree(t *testing.T) {
	s := openSample(t, priced(t, "currency: EUR\nmodels: {claude-haiku-4-5: 1}")).ready()
	if got := s.cost("fix-issue-20261123-003814-e2da"); !got.LowerBound || math.Abs(*got.Amount-(4812+2930)*1e-6) > 1e-9 {
		t.Errorf("%+v", got)
	}
	if text := s.get("/runs/fix-issue-20261123-003814-e2da").text("#cost"); text != "≥ €0.0077 est." {
		t.Errorf("a part is known: %q", text)
	}
	if got := s.cost(childRun); got.Amount != nil {
		t.Errorf("nothing is known: %+v", got)
	}
	if text := s.get("/runs/" + parentRun).text("#cost"); !strings.HasPrefix(text, "?") {
		t.Errorf("nothing is known: %q", text)
	}
}

func TestWithoutPricesThereAreNoCosts(t *testing.T) {
	s := openSample(t).ready()
	for _, path := range []string{"/runs/" + parentRun, "/runs", "/pipelines/fix-issue", "/api/runs", "/api/runs/" + parentRun, "/api/pipelines/fix-issue"} {
		if body := s.get(path).body; strings.Contains(body, "est.") && strings.Contains(body, "≈ $") || strings.Contains(body, "estimated_cost") {
			t.Errorf("%s speaks of costs", path)
		}
	}
}

func TestTokensThatNoStepAccountsForAreNotFree(t *testing.T) {
	root := emptyProject(t)
	b := newState(t, root)
	run := b.Run(storetest.Run{ID: "r", Tokens: 1_500_000})
	b.Event(run, storetest.Event{Step: "build", Persona: "craftsman", Model: "o3"})
	b.Metric(run, storetest.Metric{Tokens: 1_000_000, DurationMs: 5})
	s := openSite(t, root, priced(t, "models: {o3: 4}")).ready()
	if text := s.get("/runs/r").text("#cost"); text != "≥ $4.00 est." {
		t.Errorf("%q", text)
	}
}
