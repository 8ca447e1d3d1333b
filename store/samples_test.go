package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wavedeck/store/criteria"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// sampleRuns is what the rows of the sample project come to, worked out from
// them by hand. "~" marks whole seconds, "#" an attempt.
var sampleRuns = map[string]string{
	"ship-gate-20261123-003811-f0a7": `succeeded 35ms tokens 0 3/3
prepare succeeded ~0s #1 succeeded
approve succeeded ~0s #1 succeeded
ship succeeded ~0s #1 succeeded`,
	"release-check-20261123-003812-6e22": `succeeded 2.099s tokens 0 6/6
checkout succeeded ~0s #1 succeeded
lint succeeded ~0s #1 succeeded
unit-tests succeeded ~2s #1 succeeded
build succeeded ~2s #1 succeeded
package succeeded ~0s #1 succeeded
report succeeded ~1s #1 succeeded`,
	"fix-issue-20261123-003814-e2da": `succeeded 20.171s tokens 16275 4/4
assess succeeded 5.001s tokens 4812 navigator claude-haiku-4-5 claude #1 succeeded 5.001s 4812
plan succeeded 5.001s tokens 2930 navigator claude-haiku-4-5 claude #1 succeeded 5.001s 2930
implement succeeded 5s tokens 2935 craftsman claude-opus-4 claude #1 succeeded 5s 2935
review succeeded 5.001s tokens 5598 reviewer o3 codex #1 succeeded 5.001s 5598`,
	"flaky-integration-20261123-003815-da6a": `failed ~0s tokens 0 0/5 at provision
provision failed ~0s #1 failed error "command failed: exit status 2\nstderr: sh: 1: Syntax error: \"(\" unexpected\n"
integration skipped (blocked by provision) craftsman
deploy skipped (blocked by integration)
smoke skipped (blocked by deploy)
docs skipped (blocked by provision)`,
	"nightly-audit-20261123-003816-b6f6": `succeeded 15.172s tokens 6247 2/2 children 4/4
areas succeeded ~10s #1 succeeded children 4/4
publish succeeded 5s tokens 6247 summarizer sonnet claude #1 succeeded 5s 6247`,
	"audit-part-20261123-003816-337b": `succeeded 5.045s tokens 4253 2/2
scan succeeded ~0s #1 succeeded
judge succeeded 5.004s tokens 4253 reviewer o3 codex #1 succeeded 5.004s 4253`,
	"audit-part-20261123-003816-8af9": `succeeded 5.063s tokens 5379 2/2
scan succeeded ~0s #1 succeeded
judge succeeded 5s tokens 5379 reviewer o3 codex #1 succeeded 5s 5379`,
	"ship-gate-20261123-003818-f71b": `succeeded 52ms tokens 0 3/3
prepare succeeded ~0s #1 succeeded
approve succeeded ~0s #1 succeeded
ship succeeded ~0s #1 succeeded`,
	"slow-soak-20261123-003820-39d9": `cancelled (stopped by an operator) ~10s tokens 0 1/3 at soak
warm-up succeeded ~1s #1 succeeded
soak cancelled ~9s #1 cancelled error "command failed: signal: killed\nstderr: "
summarize skipped (blocked by soak) summarizer`,
	"audit-part-20261123-003821-7571": `succeeded 5.045s tokens 7750 2/2
scan succeeded ~0s #1 succeeded
judge succeeded 5s tokens 7750 reviewer o3 codex #1 succeeded 5s 7750`,
	"audit-part-20261123-003821-2b5d": `succeeded 5.042s tokens 2489 2/2
scan succeeded ~0s #1 succeeded
judge succeeded 5s tokens 2489 reviewer o3 codex #1 succeeded 5s 2489`,
	"fix-issue-20261123-003841-613e": `succeeded 20.087s tokens 16673 4/4
assess succeeded 5.001s tokens 5385 navigator claude-haiku-4-5 claude #1 succeeded 5.001s 5385
plan succeeded 5s tokens 6472 navigator claude-haiku-4-5 claude #1 succeeded 5s 6472
implement succeeded 5s tokens 2515 craftsman claude-opus-4 claude #1 succeeded 5s 2515
review succeeded 5s tokens 2301 reviewer o3 codex #1 succeeded 5s 2301`,
	"slow-soak-20261123-003844-d20f": `lost (no heartbeat and no event for more than 5 minutes) 1/3 at soak
warm-up succeeded ~1s #1 succeeded
soak lost #1 lost
summarize skipped (blocked by soak) summarizer`,
	"flaky-integration-20261123-003950-6a1d": `failed ~16s tokens 21681 2/5 at integration
provision succeeded ~0s #1 succeeded
integration failed 15.038s tokens 21681 craftsman claude-opus-4 claude #1 failed 5.017s 7068 #2 failed 5.009s 6851 #3 failed 5.012s 7762 of 3 contract failed error "contract validation failed: contract validation failed [json_schema]: Required fields are missing fr…"
deploy skipped (blocked by integration)
smoke skipped (blocked by deploy)
docs succeeded ~0s #1 succeeded`,
	"fix-issue-20261123-003950-9775": `succeeded 20.157s tokens 21007 4/4
assess succeeded 5s tokens 6336 navigator claude-haiku-4-5 claude #1 succeeded 5s 6336
plan succeeded 5s tokens 6317 navigator claude-haiku-4-5 claude #1 succeeded 5s 6317
implement succeeded 5.001s tokens 2542 craftsman claude-opus-4 claude #1 succeeded 5.001s 2542
review succeeded 5s tokens 5812 reviewer o3 codex #1 succeeded 5s 5812`,
}

// line writes what a test compares of a run or a step, leaving out what is not
// known.
type line struct{ strings.Builder }

func (l *line) addf(format string, args ...any) {
	if l.Len() > 0 {
		l.WriteByte(' ')
	}
	fmt.Fprintf(l, format, args...)
}

func (l *line) duration(d time.Duration, known, coarse bool) {
	switch {
	case coarse:
		l.addf("~%v", d)
	case known:
		l.addf("%v", d)
	}
}

func (l *line) words(words ...string) {
	for _, w := range words {
		if w != "" {
			l.addf("%s", w)
		}
	}
}

func summary(d wave.RunDetail) string {
	var l line
	r := d.Run
	l.addf("%s", r.State)
	if r.Reason != "" {
		l.addf("(%s)", r.Reason)
	}
	l.duration(r.Duration, r.HasDuration, r.CoarseSecond)
	if r.Tokens != nil {
		l.addf("tokens %d", *r.Tokens)
	}
	l.addf("%d/%d", r.StepsDone, r.StepsAll)
	if len(r.Current) > 0 {
		l.addf("at %s", strings.Join(r.Current, ","))
	}
	if r.Children.All > 0 {
		l.addf("children %d/%d", r.Children.Ended, r.Children.All)
	}
	lines := []string{l.String()}
	for _, s := range d.Steps {
		lines = append(lines, stepSummary(s))
	}
	return strings.Join(lines, "\n")
}

func stepSummary(s wave.Step) string {
	var l line
	l.words(s.ID, string(s.State))
	if s.Note != "" {
		l.addf("(%s)", s.Note)
	}
	l.duration(s.Duration, s.HasDuration, s.CoarseSecond)
	if s.Tokens != nil {
		l.addf("tokens %d", *s.Tokens)
	}
	l.words(s.Persona, s.Model, s.Adapter)
	for _, a := range s.Attempts {
		l.addf("#%d %s", a.Number, a.State)
		if a.HasDuration && !a.CoarseSecond {
			l.addf("%v", a.Duration)
		}
		if a.Tokens != nil {
			l.addf("%d", *a.Tokens)
		}
	}
	if s.Retries > 0 {
		l.addf("of %d", s.Retries)
	}
	if s.Contract != nil {
		l.addf("contract %s", s.Contract.Result)
	}
	if s.Error != "" {
		l.addf("error %q", wave.Clip(s.Error, 100))
	}
	if s.Children.All > 0 {
		l.addf("children %d/%d", s.Children.Ended, s.Children.All)
	}
	return l.String()
}

func TestSampleRuns(t *testing.T) {
	d := openSample(t)
	for id, want := range sampleRuns {
		t.Run(id, func(t *testing.T) {
			got, err := d.Detail(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, summary(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			one, err := d.run(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(one, got.Run); diff != "" {
				t.Errorf("the list and the page tell of different runs (-list +page)\n%s", diff)
			}
		})
	}
}

func TestSampleTexts(t *testing.T) {
	d := openSample(t)
	detail, err := d.Detail(t.Context(), "flaky-integration-20261123-003950-6a1d")
	if err != nil {
		t.Fatal(err)
	}
	const last = `Valid:   {"name": "example", "type": "feature", "required": true}`
	if !strings.HasSuffix(detail.Run.Error, last) {
		t.Errorf("the run's error is cut: %q", detail.Run.Error)
	}
	integration := detail.Steps[1]
	if !strings.HasSuffix(integration.Error, last) || !strings.HasSuffix(integration.Contract.Text, last) {
		t.Error("the step's texts are cut")
	}
	for _, a := range integration.Attempts {
		if a.FailureClass != "contract_failure" || !strings.HasSuffix(a.Error, last) {
			t.Errorf("attempt %d: %s %q", a.Number, a.FailureClass, a.Error)
		}
	}
	if len(detail.Artifacts) != 4 || detail.Artifacts[3].Name != "result" || detail.Artifacts[3].Size != 1494 {
		t.Errorf("artifacts: %+v", detail.Artifacts)
	}
	if detail.FirstID != 186 || detail.LastID != 227 || detail.Events != 23 {
		t.Errorf("events %d-%d, %d", detail.FirstID, detail.LastID, detail.Events)
	}
}

func TestSampleRelatives(t *testing.T) {
	d := openSample(t)
	parent, err := d.Detail(t.Context(), "nightly-audit-20261123-003816-b6f6")
	if err != nil {
		t.Fatal(err)
	}
	var items []string
	for _, c := range parent.Children {
		items = append(items, fmt.Sprintf("%d/%d %s", c.Iterate.Index, c.Iterate.Total, c.Input))
	}
	want := []string{"1/4 secrets", "0/4 licences", "2/4 dependencies", "3/4 dead-code"}
	if diff := cmp.Diff(want, items); diff != "" {
		t.Errorf("children (-want +got)\n%s", diff)
	}
	child, err := d.Detail(t.Context(), parent.Children[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if child.Parent == nil || child.Parent.ID != parent.Run.ID || child.Run.ParentStep != "areas" {
		t.Errorf("parent of %s: %+v", child.Run.ID, child.Parent)
	}
}

// TestSchemas reads the same runs in older schemas: what they hold is told
// alike, what they lack is unknown and not made up.
func TestSchemas(t *testing.T) {
	defs := definitions(t, storetest.Project(t))
	for _, version := range storetest.Schemas() {
		t.Run(fmt.Sprint("schema ", version), func(t *testing.T) {
			d := openTest(t, storetest.Schema(t, version), sampleNow, Options{Definition: defs})
			for id, want := range sampleRuns {
				got, err := d.Detail(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(inSchema(version, want), inSchema(version, summary(got))); diff != "" {
					t.Errorf("%s (-want +got)\n%s", id, diff)
				}
			}
			page, err := d.page(t.Context(), criteria.RunFilter{Limit: criteria.MaxLimit})
			if err != nil {
				t.Fatal(err)
			}
			topLevel := 11
			if version < 14 {
				topLevel = 15 // nothing says that four are children
			}
			if len(page.Runs) != topLevel {
				t.Errorf("%d runs listed, want %d", len(page.Runs), topLevel)
			}
		})
	}
}

// inSchema takes from a summary what the schema has no column for.
func inSchema(version int, text string) string {
	var gone []string
	if version < 19 {
		gone = append(gone, " claude-haiku-4-5", " claude-opus-4", " o3", " sonnet", " claude", " codex")
	}
	if version < 14 {
		gone = append(gone, " children 4/4")
	}
	for _, word := range gone {
		text = strings.ReplaceAll(text, word, "")
	}
	return text
}
