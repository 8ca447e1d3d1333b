package prices

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPrices(t *testing.T) {
	const text = `currency: EUR
output_share: 0.25
models:
  opus: 20
  o3: {input: 2, output: 8}
  mini: {input: 2, output: 8, output_share: 0.5}
  claude-*: {flat: 1}
  claude-haiku-*: 0.5
  free: 0
`
	list, err := Parse("p.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if list.Currency != "EUR" {
		t.Errorf("currency %s", list.Currency)
	}
	for model, want := range map[string]float64{"opus": 20, "o3": 3.5, "mini": 5, "claude-x": 1, "claude-haiku-4-5": 0.5, "free": 0, "": -1, "nobody": -1, "opus-2": -1} {
		got, known := list.Price(model)
		if known != (want >= 0) || known && math.Abs(got-want) > 1e-9 {
			t.Errorf("%q: %v %v, want %v", model, got, known, want)
		}
	}
	same, err := Parse("p.json", []byte("{\n\t\"currency\": \"EUR\",\n\t\"models\": {\n\t\t\"opus\": 20\n\t}\n}"))
	if err != nil {
		t.Fatal(err)
	}
	if flat, known := same.Price("opus"); !known || flat != 20 {
		t.Errorf("JSON: %v %v", flat, known)
	}
}

func TestMistakesAreNamedWithTheirLine(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "p.yaml: is empty",
		"models":                        "p.yaml:1: should be a mapping",
		"currency: USD":                 "p.yaml:1: models: is missing",
		"currency: dollars\nmodels: {}": "p.yaml:1: currency: “dollars” should be three capital letters",
		"models:\n  o3: cheap":          "p.yaml:2: models: o3: “cheap” should be a number from 0",
		"models:\n  o3: -1":             "p.yaml:2: models: o3: “-1” should be a number from 0",
		"models:\n  o3: .nan":           "p.yaml:2: models: o3: “.nan” should be a number from 0",
		"models:\n  o3: {input: 1}":     "p.yaml:2: models: o3: should have flat, or both input and output",
		"models:\n  o3:\n    input: 1\n    output: 2":            "p.yaml:3: models: o3: has input and output but no output_share",
		"models:\n  o3: {input: 1, output: 2, output_share: 20}": "p.yaml:2: models: o3: output_share: “20” should be a number from 0 to 1",
		"models:\n  o3: {flat: 1, input: 2}":                     "p.yaml:2: models: o3: has flat beside input",
		"models:\n  o3: {flatt: 1}":                              "p.yaml:2: models: o3: “flatt”: is unknown",
		"models:\n  o3: 1\n  o3: 2":                              "p.yaml:3: models: “o3”: is defined twice",
		"modells:\n  o3: 1":                                      "p.yaml:1: “modells”: is unknown",
		"models:\n  a*b: 1":                                      "p.yaml:2: models: a*b: should be the name of a model",
		"models: [1]":                                            "p.yaml:1: models: should be a mapping",
		"models:\n  o3: [1, 2]":                                  "p.yaml:2: models: o3: should be a mapping",
		"models:\n\t- :x":                                        "p.yaml:2: is neither YAML nor JSON",
	} {
		_, err := Parse("p.yaml", []byte(text))
		var wrong *Error
		if !errors.As(err, &wrong) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s…", text, err, want)
		}
	}
}

func TestAFileIsReadAnewWhenItChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "prices.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "there is no such file") {
		t.Errorf("a file that is not there: %v", err)
	}
	write("models: {o3: 1}")
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	f.now = func() time.Time { return now }
	price := func() (float64, uint64, error) {
		list, generation, problem := f.Current()
		flat, _ := list.Price("o3")
		return flat, generation, problem
	}
	_, first, _ := price()
	write("models: {o3: 22}")
	now = now.Add(time.Hour)
	if flat, generation, problem := price(); flat != 22 || generation == first || problem != nil {
		t.Errorf("after a change: %v %d %v", flat, generation, problem)
	}
	write("models: {o3: cheap, x}")
	now = now.Add(time.Hour)
	if flat, _, problem := price(); flat != 22 || problem == nil {
		t.Errorf("after a mistake the last prices stay, and it is told: %v %v", flat, problem)
	}
	if list, generation, problem := (*File)(nil).Current(); list != nil || generation != 0 || problem != nil {
		t.Error("without a file there are no prices")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("models: {o3: 1}"))
	f.Add([]byte("models: &a\n  x: *a"))
	f.Add([]byte("{\"models\": {\"a\": {\"input\": 1, \"output\": 2, \"output_share\": 0.1}}}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := Parse("p", text)
		if (err == nil) == (list == nil) {
			t.Fatal("a list or an error")
		}
		if list != nil {
			if flat, known := list.Price("a"); known && (flat < 0 || flat > maxPrice || math.IsNaN(flat)) {
				t.Fatalf("price %v", flat)
			}
		}
	})
}
