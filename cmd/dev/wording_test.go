package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestTextsOfATemplateAndOfGo(t *testing.T) {
	for name, tt := range map[string]struct {
		path, source string
		want         []string
	}{
		"a template: sentences, and what is read of attributes": {
			"x_templ.go", `func f() { t.WriteString(b, 1, "<p title=\"Stop it\" class=\"dim\">Runs of <b>"); t.WriteString(b, 2, name); t.WriteString(b, 3, "</b>.</p><style>p { x: 1 }</style><td>No runs</td>"); return templ.Error{Err: err, FileName: "views/x.templ"} }`,
			[]string{"title: Stop it", "Runs of ….", "No runs"},
		},
		"expressions in a template": {"x_templ.go", `func f() { templ.JoinStringErrs("Log of " + id) }`, []string{"Log of …"}},
		"messages, each once":       {"x.go", `func f() { a("failed to read", 1); b("failed to read"); c("no text of " + x + " here") }`, []string{"failed to read", "no text of … here"}},
		"nothing that is no text":   {"x.go", "import \"a b\"\nvar q = `SELECT id FROM run`\ntype t struct { A int `json:\"a b\"` }\nvar w = \"word\"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := textsOf(tt.path, []byte("package x\n"+tt.source))
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// unusual are words that a text for people should not use, and what to say instead.
var unusual = map[string]string{
	`\b(?:is|are|be|was|were|not) told\b|\btells? (?:whether|that|of)\b|\bcannot tell\b`: "report, status, unknown",
	`\bwho(?:m)?ever\b`: "name who, or leave it out",
	`\bnot known\b`:     "unknown",
	`\bback in time\b|\bby whom\b|\bas of then\b`: "History; Started by; As of <time>",
	`\bstands? (?:at|as|under|below)\b`:           "is",
	`\bmade anew\b|\bgone wrong\b|\bwent wrong\b`: "rebuilt; internal error",
	`\bis ending\b|\bwas ending\b`:                "shutting down",
	`\b(?:desk|lookout|deeds|ledger|chrome)\b`:    "console data, poll, actions, outcomes, layout",
	`\bcolour|\bgrey\b|\bbehaviour\b`:             "American spelling",
	`\bWhat to do\b|\bBy force\b`:                 "Action; Force stop",
	`\bnothing is said\b|\bnot said\b`:            "not specified",
}

// Texts use the words that operators know.
func TestTextsUseUsualWords(t *testing.T) {
	text, err := wording(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for pattern, instead := range unusual {
		for _, line := range regexp.MustCompile("(?im)^.*(?:"+pattern+").*$").FindAllString(string(text), -1) {
			if !strings.HasPrefix(line, "#") {
				t.Errorf("%q: %s", line, instead)
			}
		}
	}
}
