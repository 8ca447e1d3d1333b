package gate

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wavedeck/store/manifest"
	"wavedeck/store/wave"
)

var began = time.Date(2026, 11, 30, 23, 11, 2, 0, time.UTC)

func choices() []manifest.GateChoice {
	return []manifest.GateChoice{{Key: "s", Label: "Ship it", Target: "publish"}, {Key: "a", Label: "Abort", Target: Aborts}}
}

// waiting is a gate that a run waits at.
func waiting(def manifest.Gate, m manifest.Runtime) Open {
	steps := []wave.Step{
		{ID: "build", State: wave.Succeeded},
		{ID: "approve", State: wave.Waiting, Gate: true, StartedAt: began.Add(-time.Hour), Asked: &wave.Asked{Event: 7, At: began, Type: def.Type}},
		{ID: "other", State: wave.Running},
	}
	p := manifest.Pipeline{Steps: []manifest.Step{{ID: "build"}, {ID: "approve", Gate: &def}}}
	open := Of(wave.Run{ID: "r", Pipeline: "ship", Input: "$1"}, steps, p, m)
	if len(open) != 1 {
		return Open{}
	}
	return open[0]
}

func TestWhatAGateAsks(t *testing.T) {
	got := waiting(manifest.Gate{Type: Approval, Prompt: "Ship?", Choices: choices(), Default: "s", Freeform: true, Timeout: "30m"}, manifest.Runtime{})
	want := Open{Run: "r", Pipeline: "ship", Step: "approve", Event: 7, Since: began, Defined: true, Type: Approval, Prompt: "Ship?", Choices: choices(), Default: "s", Freeform: true, limit: 30 * time.Minute}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Open{})); diff != "" {
		t.Error(diff)
	}
	if choice, known := got.Choice("a"); !known || choice.Target != Aborts {
		t.Errorf("%+v", choice)
	}
	if _, known := got.Choice(""); known {
		t.Error("there is a choice without a key")
	}
	if got := waiting(manifest.Gate{Type: Approval, Message: "m", Default: "none", Choices: choices()}, manifest.Runtime{}); got.Prompt != "m" || got.Default != "" {
		t.Errorf("message and a default that is no choice: %+v", got)
	}
	if got := waiting(manifest.Gate{Type: Approval, Prompt: "Ship {{ input }}, {{input}}?"}, manifest.Runtime{}); got.Prompt != "Ship $1, $1?" {
		t.Errorf("the input is filled in as %q", got.Prompt)
	}
	t.Run("a gate in a loop", func(t *testing.T) {
		steps := []wave.Step{{ID: "inner", State: wave.Waiting, Gate: true}}
		p := manifest.Pipeline{Steps: []manifest.Step{{ID: "again", Loop: &manifest.Loop{Steps: []manifest.Step{{ID: "inner", Gate: &manifest.Gate{Prompt: "in"}}}}}}}
		if open := Of(wave.Run{}, steps, p, manifest.Runtime{}); len(open) != 1 || open[0].Prompt != "in" {
			t.Errorf("%+v", open)
		}
	})
	t.Run("one whose definition has gone", func(t *testing.T) {
		open := Of(wave.Run{}, []wave.Step{{ID: "x", State: wave.Waiting, Gate: true, StartedAt: began}}, manifest.Pipeline{}, manifest.Runtime{})
		if len(open) != 1 || open[0].Defined || open[0].Since != began || open[0].Asks() {
			t.Errorf("%+v", open)
		}
	})
}

func TestWhatHappensWithoutAnAnswer(t *testing.T) {
	asks := func(timeout, key string) manifest.Gate {
		return manifest.Gate{Type: Approval, Choices: choices(), Default: key, Timeout: timeout}
	}
	for name, row := range map[string]struct {
		gate   manifest.Gate
		m      manifest.Runtime
		keeper Keeper
		want   Outcome
		after  time.Duration
	}{
		"the default, by whoever started it":      {gate: asks("30m", "s"), keeper: Starter, want: TakesDefault, after: 30 * time.Minute},
		"the default, by the engine":              {gate: asks("30m", "s"), keeper: Engine, want: TakesDefault, after: 30 * time.Minute},
		"nothing at somebody's terminal":          {gate: asks("30m", "s"), want: Waits},
		"nothing without a default":               {gate: asks("30m", ""), keeper: Starter, want: Waits},
		"a failure without a default":             {gate: asks("30m", ""), keeper: Engine, want: Fails, after: 30 * time.Minute},
		"nothing without a limit":                 {gate: asks("", "s"), keeper: Starter, want: Waits},
		"the limit of the manifest":               {gate: asks("", "s"), m: manifest.Runtime{GateApprovalHours: 2}, keeper: Starter, want: TakesDefault, after: 2 * time.Hour},
		"a limit that is none":                    {gate: asks("soon", "s"), keeper: Starter, want: Waits},
		"a failure where nobody can answer":       {gate: manifest.Gate{Type: Approval}, want: Fails, after: 24 * time.Hour},
		"a timer goes on":                         {gate: manifest.Gate{Type: Timer, Timeout: "2s"}, want: GoesOn, after: 2 * time.Second},
		"a failure where the request is not done": {gate: manifest.Gate{Type: Merge}, want: Fails, after: 30 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			var at time.Time
			if row.after > 0 {
				at = began.Add(row.after)
			}
			if got, when := waiting(row.gate, row.m).Without(row.keeper); got != row.want || !when.Equal(at) {
				t.Errorf("%s at %v, want %s at %v", got, when, row.want, at)
			}
		})
	}
}

func TestWhatCanBeTyped(t *testing.T) {
	for key, want := range map[string]bool{"s": true, "ship it": true, "é": true, "": false, " s": false, "s ": false, "s\nx": false, "\x04": false, "long": false} {
		most := 20
		if key == "long" {
			most = 3
		}
		if Typable(key, most) != want {
			t.Errorf("%q: %v", key, !want)
		}
	}
	for text, want := range map[string]string{"": "", "a": "a", " a\r\nb\n\n c\t\x1b[31md\x00 ": "a b c [31md", "\n": "", "a\u2028b": "a b"} {
		if got := Line(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
