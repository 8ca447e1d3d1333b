package main

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestParseSettings(t *testing.T) {
	tests := []struct {
		name, text string
		want       settings
		err        string // part of the error; "" for none
	}{
		{"every key is read", "path: views\ninclude-version: true\n", settings{Path: "views", IncludeVersion: true}, ""},
		{"a key left out has its zero value", "path: views\n", settings{Path: "views"}, ""},
		{"an unknown key is an error that names it", "path: views\nincludeversion: true\n", settings{}, "includeversion"},
		{"a value of another type is an error", "path: views\ninclude-version: perhaps\n", settings{}, "perhaps"},
		{"an empty file is an error", "", settings{}, "EOF"},
		{"a missing path is an error", "include-version: true\n", settings{}, "path"},
		{"a path that leaves the module is an error", "path: ../views\n", settings{}, "../views"},
		{"an absolute path is an error", "path: /views\n", settings{}, "/views"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseSettings([]byte(test.text))
			if test.err == "" && err != nil {
				t.Fatal(err)
			}
			if test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Fatalf("error %v does not name %q", err, test.err)
			}
			if got != test.want {
				t.Errorf("parseSettings() = %+v", got)
			}
		})
	}
}

func TestRepositorySettings(t *testing.T) {
	w := &workshop{root: "../.."}
	if _, err := w.settings(); err != nil {
		t.Error(err)
	}
}

func TestCompareGenerated(t *testing.T) {
	files := func(names ...string) fstest.MapFS {
		dir := fstest.MapFS{"run.templ": {Data: []byte("source")}}
		for _, name := range names {
			dir[name] = &fstest.MapFile{Data: []byte("generated")}
		}
		return dir
	}
	edited := files("run_templ.go")
	edited["run_templ.go"] = &fstest.MapFile{Data: []byte("edited by hand")}
	tests := []struct {
		name             string
		committed, fresh fstest.MapFS
		err              string
	}{
		{"equal files pass", files("run_templ.go", "dag/box_templ.go"), files("run_templ.go", "dag/box_templ.go"), ""},
		{"a file edited by hand is named", edited, files("run_templ.go"), "run_templ.go"},
		{"a file never generated is named", files(), files("run_templ.go"), "run_templ.go"},
		{"a file whose source is gone is named", files("run_templ.go"), files(), "run_templ.go (its source is gone)"},
		{"files in folders are compared", files(), files("dag/box_templ.go"), "dag/box_templ.go"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := compareGenerated(test.committed, test.fresh, generatedSuffix)
			if test.err == "" && err != nil {
				t.Error(err)
			}
			if test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("error %v does not say %q", err, test.err)
			}
		})
	}
}
