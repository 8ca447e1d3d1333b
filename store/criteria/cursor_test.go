package criteria

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseCursor(t *testing.T) {
	const plain = `{"t":1795394291,"id":"ship-gate-f0a7"}`
	want := Cursor{T: 1795394291, ID: "ship-gate-f0a7"}
	for _, tt := range []struct{ name, text string }{
		{"as it is written", want.String()},
		{"base64url with padding", base64.URLEncoding.EncodeToString([]byte(plain))},
		{"standard base64", base64.StdEncoding.EncodeToString([]byte(plain))},
		{"standard base64 without padding", base64.RawStdEncoding.EncodeToString([]byte(plain))},
		{"with spaces in the JSON", base64.RawURLEncoding.EncodeToString([]byte(`{ "id": "ship-gate-f0a7", "t": 1795394291 } `))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseCursor(tt.text)
			if err != nil || got == nil || *got != want {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	if got, err := ParseCursor(""); got != nil || err != nil {
		t.Errorf("no text is no cursor: got %v, %v", got, err)
	}
}

func TestParseCursorRefuses(t *testing.T) {
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for _, tt := range []struct{ name, text string }{
		{"what is not base64", "%%%"},
		{"what is not JSON", encode("hello")},
		{"another JSON value", encode(`["t","id"]`)},
		{"null", encode(`null`)},
		{"an unknown field", encode(`{"t":1,"id":"a","x":1}`)},
		{"trailing data", encode(`{"t":1,"id":"a"}{}`)},
		{"no time", encode(`{"id":"a"}`)},
		{"no id", encode(`{"t":1}`)},
		{"an empty id", encode(`{"t":1,"id":""}`)},
		{"a time that is no integer", encode(`{"t":1.5,"id":"a"}`)},
		{"a time beyond 64 bits", encode(`{"t":92233720368547758080,"id":"a"}`)},
		{"an endless text", encode(`{"t":1,"id":"` + strings.Repeat("a", maxCursor) + `"}`)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseCursor(tt.text)
			var input *InputError
			if !errors.As(err, &input) {
				t.Fatalf("got %v, want an InputError", err)
			}
			if input.Field != "cursor" || !strings.Contains(input.Want, `{"t":unix seconds,"id":"run id"}`) || len(input.Error()) > 400 {
				t.Errorf("got %+v", input)
			}
		})
	}
}

func TestParseLimit(t *testing.T) {
	for text, want := range map[string]int{"": DefaultLimit, "1": 1, "100": MaxLimit} {
		if got, err := ParseLimit(text); err != nil || got != want {
			t.Errorf("%q: got %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"0", "-1", "101", "ten", "1e2", " 5", "99999999999999999999"} {
		var input *InputError
		if _, err := ParseLimit(text); !errors.As(err, &input) || input.Field != "limit" {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func FuzzParseCursor(f *testing.F) {
	f.Add(Cursor{T: 1795394291, ID: "ship-gate-f0a7"}.String())
	f.Add(base64.StdEncoding.EncodeToString([]byte(`{"t":-1,"id":"日本<&>"}`)))
	f.Add("e30")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCursor(text)
		if err != nil {
			var input *InputError
			if !errors.As(err, &input) || len(input.Got) > 70 {
				t.Fatalf("got %v", err)
			}
			return
		}
		if c == nil {
			if text != "" {
				t.Fatal("neither a cursor nor an error")
			}
			return
		}
		if !utf8.ValidString(c.ID) {
			t.Fatalf("id %q", c.ID)
		}
		again, err := ParseCursor(c.String())
		if len(c.String()) <= maxCursor && (err != nil || *again != *c) {
			t.Fatalf("%+v became %+v (%v)", c, again, err)
		}
	})
}

func FuzzParseLimit(f *testing.F) {
	f.Add("25")
	f.Add("-0")
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseLimit(text)
		if err == nil && (n < 1 || n > MaxLimit) {
			t.Fatalf("%q gives %d", text, n)
		}
		if err == nil && text != "" {
			if want, wrong := strconv.Atoi(text); wrong != nil || want != n {
				t.Fatalf("%q gives %d", text, n)
			}
		}
	})
}
