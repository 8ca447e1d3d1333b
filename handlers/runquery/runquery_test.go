package runquery

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// places of words differ between a text and its plain form.
var meaning = cmp.Options{cmpopts.IgnoreFields(Query{}, "Text"), cmpopts.IgnoreFields(Term{}, "At", "End"), cmpopts.IgnoreFields(Value{}, "At", "End")}

func word(text string) Term { return Term{Op: Is, Values: []Value{{Text: text}}} }

func names(key string, values ...string) Term {
	t := Term{Key: key, Op: Is}
	for _, v := range values {
		t.Values = append(t.Values, Value{Text: v})
	}
	return t
}

func not(t Term) Term { t.Not = true; return t }

func TestAQueryIsRead(t *testing.T) {
	for text, want := range map[string][]Term{
		"":                            nil,
		"  \t ":                       nil,
		"fix login":                   {word("fix"), word("login")},
		`"fix the login" form`:        {word("fix the login"), word("form")},
		`"say \"no\" \\ \n"`:          {word(`say "no" \ \n`)},
		"-flaky -\"two words\"":       {not(word("flaky")), not(word("two words"))},
		"- --dry-run -":               {word("-"), word("--dry-run"), word("-")},
		"status:failed,lost":          {names("status", "failed", "lost")},
		"State:failed":                {names("status", "failed")},
		`tag:"a b","c,d",e`:           {names("tag", "a b", "c,d", "e")},
		"-branch:main":                {not(names("branch", "main"))},
		"pipeline:fix-*":              {{Key: "pipeline", Op: Is, Values: []Value{{Text: "fix-*", Glob: true}}}},
		`pipeline:"fix-*"`:            {names("pipeline", "fix-*")},
		"input:a*b":                   {names("input", "a*b")},
		"dur>10m":                     {{Key: "dur", Op: Greater, Values: []Value{{Text: "10m"}}, Number: 600}},
		"duration<=1h30m":             {{Key: "dur", Op: AtMost, Values: []Value{{Text: "1h30m"}}, Number: 5400}},
		"-tokens>=1.5M":               {{Not: true, Key: "tokens", Op: AtLeast, Values: []Value{{Text: "1.5M"}}, Number: 1_500_000}},
		"age<2d":                      {{Key: "age", Op: Less, Values: []Value{{Text: "2d"}}, Number: 172800}},
		"since:24h":                   {names("since", "24h")},
		"until:2026-11-23T14:00:00Z":  {names("until", "2026-11-23T14:00:00Z")},
		"https://example.com/a?b=c":   {word("https://example.com/a?b=c")},
		"14:02 acme/widgets#42 a=b":   {word("14:02"), word("acme/widgets#42"), word("a=b")},
		"x=>y zzzzzz<b größe:1":       {word("x=>y"), word("zzzzzz<b"), word("größe:1")},
		`it"s`:                        {word(`it"s`)},
		"tag:feature/x:y error:a=\"b": {names("tag", "feature/x:y"), names("error", `a="b`)},
	} {
		got, err := Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, got.Terms, meaning); diff != "" {
			t.Errorf("%q:\n%s", text, diff)
		}
	}
}

func TestAWrongWordIsNamed(t *testing.T) {
	for text, want := range map[string]Error{
		"login statsu:failed":         {At: 6, End: 12, Nearest: "status"},
		"-brnach:main":                {At: 1, End: 7, Nearest: "branch"},
		"status:":                     {At: 0, End: 7},
		"status: failed":              {At: 0, End: 7},
		"status:failed,":              {At: 0, End: 14},
		`tag:""`:                      {At: 0, End: 6},
		`x "never closed`:             {At: 2, End: 15},
		`"a"b c`:                      {At: 0, End: 4},
		"dur:10m":                     {At: 0, End: 4},
		"status>failed":               {At: 0, End: 7},
		"durr>10m":                    {At: 0, End: 4, Nearest: "dur"},
		"dur>10":                      {At: 4, End: 6},
		"dur>long":                    {At: 4, End: 8},
		"dur>m":                       {At: 4, End: 5},
		"tokens>many":                 {At: 7, End: 11},
		"tokens>-5":                   {At: 7, End: 9},
		"tokens>99999999999999999999": {At: 7, End: 27},
		"age<1h,2h":                   {At: 0, End: 9},
		`""`:                          {At: 0, End: 2},
		"größe status:":               {At: 8, End: 15},
		strings.Repeat("x ", 41):      {At: 80, End: 81},
	} {
		_, err := Parse(text)
		var got *Error
		if !errors.As(err, &got) {
			t.Errorf("%q is read", text)
			continue
		}
		if got.At != want.At || got.End != want.End || got.Nearest != want.Nearest || got.Problem == "" || got.Want == "" {
			t.Errorf("%q: %d-%d %q near %q, %s; want %d-%d near %q", text, got.At, got.End, got.Word(), got.Nearest, got.Hint(), want.At, want.End, want.Nearest)
		}
	}
	_, err := Parse("größe status:")
	if got := new(Error); !errors.As(err, &got) || got.Position() != 7 {
		t.Errorf("positions are characters from 1: %v", err)
	}
}

func TestATermIsTakenOut(t *testing.T) {
	q, err := Parse(`login  State:failed,lost "a b" -dur>10m`)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		`status:failed,lost "a b" -dur>10m`, `login "a b" -dur>10m`, `login status:failed,lost -dur>10m`, `login status:failed,lost "a b"`,
	} {
		if got := q.Without(i); got != want {
			t.Errorf("without %d: %s, want %s", i, got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"status", "pipeline", "tag", "tokens"}
	for word, want := range map[string]string{
		"statsu": "status", "pipelin": "pipeline", "pi": "pipeline", "token": "tokens", "tga": "tag", "zebra": "", "": "", "x": "",
		strings.Repeat("status", 50): "",
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "fix login", `"a b" -c`, "status:failed,lost", `tag:"a,b",c -dur>1h30m`, "tokens>=50k age<2h", "pipeline:fix-*", `-"x\"\\"`,
		"https://x statsu:", "dur:5", `a"b`, "--x -", "since:24h until:2026-11-23", "\xff:\x00", "é:ü", `id:"*"`, "-id:-1", `"--x"`, "tag:\u2003,",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := Parse(text)
		if err != nil {
			var wrong *Error
			if !errors.As(err, &wrong) {
				t.Fatalf("another kind of error: %v", err)
			}
			if utf8.ValidString(text) && !utf8.ValidString(wrong.Word()) || wrong.Position() < 1 || wrong.Error() == "" {
				t.Fatalf("%q: a word that is none: %q", text, wrong.Word())
			}
			return
		}
		plain := q.String()
		again, err := Parse(plain)
		if err != nil {
			t.Fatalf("%q is printed as %q, which is not read: %v", text, plain, err)
		}
		if diff := cmp.Diff(q, again, meaning); diff != "" {
			t.Fatalf("%q is printed as %q, which means something else:\n%s", text, plain, diff)
		}
		if twice := again.String(); twice != plain {
			t.Fatalf("%q, then %q", plain, twice)
		}
		for i, term := range q.Terms {
			if term.At < 0 || term.End > len(text) || term.At >= term.End || i > 0 && q.Terms[i-1].End > term.At {
				t.Fatalf("%q: term %d stands at %d-%d", text, i, term.At, term.End)
			}
			if _, err := Parse(q.Without(i)); err != nil {
				t.Fatalf("%q without term %d: %v", text, i, err)
			}
		}
	})
}
