package engine

import (
	"testing"
	"time"

	"wavedeck/store/manifest"
)

func TestHowLongItWaitsBeforeTheNextAttempt(t *testing.T) {
	const s = time.Second
	for name, test := range map[string]struct {
		retry    manifest.Retry
		attempts int
		waits    []time.Duration // before the second attempt and on
	}{
		"without a policy: linear": {manifest.Retry{MaxAttempts: 4}, 4, []time.Duration{s, 2 * s, 3 * s}},
		"none":                     {manifest.Retry{Policy: "none"}, 1, nil},
		"standard":                 {manifest.Retry{Policy: "standard"}, 3, []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 30 * s, 30 * s}},
		"aggressive":               {manifest.Retry{Policy: "aggressive"}, 5, []time.Duration{s / 5, 2 * s / 5, 4 * s / 5, 8 * s / 5}},
		"patient":                  {manifest.Retry{Policy: "patient"}, 3, []time.Duration{5 * s, 10 * s, 20 * s, 40 * s, 80 * s, 90 * s}},
		"what the file says goes before the policy": {
			manifest.Retry{Policy: "patient", MaxAttempts: 7, Backoff: "fixed", BaseDelay: "2s"}, 7, []time.Duration{2 * s, 2 * s, 2 * s},
		},
		"a longest wait":                     {manifest.Retry{Policy: "standard", MaxDelay: "3s"}, 3, []time.Duration{s, 2 * s, 3 * s, 3 * s}},
		"a longest wait below the first one": {manifest.Retry{BaseDelay: "9s", MaxDelay: "3s"}, 1, []time.Duration{3 * s, 3 * s}},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := backoffOf(test.retry)
			if err != nil || b.attempts != test.attempts {
				t.Errorf("%d attempts, %v", b.attempts, err)
			}
			for i, want := range test.waits {
				if got := b.wait(i + 2); got != want {
					t.Errorf("before attempt %d: %v, want %v", i+2, got, want)
				}
			}
		})
	}
	for _, retry := range []manifest.Retry{{BaseDelay: "soon"}, {MaxDelay: "-1s"}, {Backoff: "wild"}} {
		if _, err := backoffOf(retry); err == nil {
			t.Errorf("%+v is taken", retry)
		}
	}
}

func TestWhatAFormatContractFinds(t *testing.T) {
	for text, right := range map[string]bool{
		`{"title": "Prices", "n": 0}`:           true,
		`{"inner": {"text": "TODO"}}`:           true, // as Wave, which looks at the first level only
		`{}`:                                    false,
		`[]`:                                    false,
		`"text"`:                                false,
		``:                                      false,
		`{"a": 1`:                               false,
		`{"body": "TODO: write it"}`:            false,
		`{"body": "to be told, [placeholder]"}`: false,
		`{"a": "fine", "b": "TBD"}`:             false,
	} {
		if err := checkFormat([]byte(text)); (err == nil) != right {
			t.Errorf("%s: %v", text, err)
		}
	}
}
