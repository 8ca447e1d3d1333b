package runquery

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTheCaretStandsSomewhere(t *testing.T) {
	for text, want := range map[string]Place{ // | is the caret
		"|":                       {Op: Is},
		"log|in now":              {From: 0, To: 5, Op: Is, Typed: "log"},
		"login |":                 {From: 6, To: 6, Op: Is},
		"login | now":             {From: 6, To: 6, Op: Is},
		"login |now":              {From: 6, To: 9, Op: Is},
		"-sta|":                   {From: 1, To: 4, Op: Is, Typed: "sta"},
		"status:|":                {From: 7, To: 7, Key: "status", Op: Is},
		"-state:fa| x":            {From: 7, To: 9, Key: "status", Op: Is, Typed: "fa"},
		"status:failed,lo|,empty": {From: 14, To: 16, Key: "status", Op: Is, Typed: "lo"},
		"status:fai|led,lost":     {From: 7, To: 13, Key: "status", Op: Is, Typed: "fai"},
		`tag:"a b|`:               {From: 4, To: 8, Key: "tag", Op: Is, Typed: "a b"},
		`tag:"a,b",c|`:            {From: 10, To: 11, Key: "tag", Op: Is, Typed: "c"},
		"dur>|":                   {From: 4, To: 4, Key: "dur", Op: Greater},
		"x dur>=1|0m y":           {From: 7, To: 10, Key: "dur", Op: AtLeast, Typed: "1"},
		"stat|us:failed":          {From: 0, To: 13, Op: Is, Typed: "stat"},
		"nokey:va|":               {From: 0, To: 8, Op: Is, Typed: "nokey:va"},
	} {
		before, after, _ := strings.Cut(text, "|")
		if got := PlaceAt(before+after, len(before)); got != want {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
}

func FuzzPlaceAt(f *testing.F) {
	for _, seed := range []string{"", "status:fa", `tag:"a b`, "-x y", "dur>1,2", "é \u2003\xff", `"`, "a:,,"} {
		f.Add(seed, len(seed)/2)
		f.Add(seed, len(seed))
	}
	f.Fuzz(func(t *testing.T, text string, at int) {
		p := PlaceAt(text, at)
		at = max(0, min(at, len(text)))
		if p.From < 0 || p.From > p.To || p.To > len(text) || p.From > at {
			t.Fatalf("%q at %d: %+v", text, at, p)
		}
		if utf8.ValidString(text) && !utf8.ValidString(text[:p.From]+text[p.To:]) {
			t.Fatalf("%q at %d cuts a character: %+v", text, at, p)
		}
	})
}
