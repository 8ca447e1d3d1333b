package grant_test

import (
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"wavedeck/handlers/grant"
)

var (
	now   = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	key   = []byte("0123456789abcdef0123456789abcdef")
	other = []byte("another key, another key, another")
)

func sample() grant.Grant {
	return grant.Grant{
		ID: grant.NewID(), Scope: grant.Read, Resource: "runs/a%2Fb/card", Origins: []string{"https://portal.example"},
		Subject: "ada", Expires: now.Add(5 * time.Minute).Unix(),
	}
}

func sign(t testing.TB, key []byte, g grant.Grant) string {
	t.Helper()
	token, err := grant.Sign(key, g)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestOpen(t *testing.T) {
	good := sign(t, key, sample())
	parts := strings.Split(good, ".")
	changed := func(change func(*grant.Grant)) string {
		g := sample()
		change(&g)
		return sign(t, key, g)
	}
	// The same bits in another spelling: the last digit of base64 has bits to spare.
	respelled := func(s string) string {
		const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		return s[:len(s)-1] + string(digits[strings.IndexByte(digits, s[len(s)-1])|1])
	}
	wider := base64.RawURLEncoding.EncodeToString([]byte(`{"jti":"x","scope":"read","res":"runs","org":[],"exp":1795000000}`))
	for name, c := range map[string]struct {
		token string
		keys  [][]byte
		want  error
	}{
		"a token opens":                              {good, [][]byte{key}, nil},
		"with the key before this one too":           {good, [][]byte{other, key}, nil},
		"with another key not":                       {good, [][]byte{other}, grant.ErrInvalid},
		"without a key not":                          {good, nil, grant.ErrInvalid},
		"with another payload not":                   {parts[0] + "." + wider + "." + parts[2], [][]byte{key}, grant.ErrInvalid},
		"with another mac not":                       {parts[0] + "." + parts[1] + "." + strings.Repeat("A", len(parts[2])), [][]byte{key}, grant.ErrInvalid},
		"with a shorter mac not":                     {good[:len(good)-4], [][]byte{key}, grant.ErrInvalid},
		"with an empty mac not":                      {parts[0] + "." + parts[1] + ".", [][]byte{key}, grant.ErrInvalid},
		"spelled in another way not":                 {respelled(good), [][]byte{key}, grant.ErrInvalid},
		"with a part more not":                       {good + ".", [][]byte{key}, grant.ErrInvalid},
		"of another version not":                     {"v2" + good[2:], [][]byte{key}, grant.ErrInvalid},
		"with a line end not":                        {good + "\n", [][]byte{key}, grant.ErrInvalid},
		"nothing is no token":                        {"", [][]byte{key}, grant.ErrInvalid},
		"of another scope not":                       {changed(func(g *grant.Grant) { g.Scope = "write" }), [][]byte{key}, grant.ErrInvalid},
		"without a name not":                         {changed(func(g *grant.Grant) { g.ID = "" }), [][]byte{key}, grant.ErrInvalid},
		"for nothing not":                            {changed(func(g *grant.Grant) { g.Resource = "" }), [][]byte{key}, grant.ErrInvalid},
		"that lasts too long not, whoever signed it": {changed(func(g *grant.Grant) { g.Expires = now.Add(time.Hour).Unix() }), [][]byte{key}, grant.ErrInvalid},
		"in its last second it opens":                {changed(func(g *grant.Grant) { g.Expires = now.Unix() + 1 }), [][]byte{key}, nil},
		"after it not":                               {changed(func(g *grant.Grant) { g.Expires = now.Unix() }), [][]byte{key}, grant.ErrExpired},
		"that is too long is not read":               {good + strings.Repeat("A", 5000), [][]byte{key}, grant.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := grant.Open(c.keys, c.token, now)
			if !errors.Is(err, c.want) {
				t.Fatalf("%v, want %v", err, c.want)
			}
			if c.want == nil && (g.Subject != "ada" || !slices.Equal(g.Origins, sample().Origins)) {
				t.Errorf("it holds %+v", g)
			}
		})
	}
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		resource, path, query string
		want                  bool
	}{
		{"runs/7f/card", "runs/7f/card", "", true},
		{"runs/7f/card", "runs/7f/log", "", false},
		{"runs/7f/card", "runs/7f", "", false},
		{"runs/7f", "runs/7f/log", "step=plan", true},
		{"runs/7f", "runs/7f1/log", "", false},
		{"runs/a%2Fb", "runs/a%2Fb/card", "", true},
		{"runs/a%2Fb", "runs/a/b/card", "", false},
		{"runs", "runs", "state=failed", true},
		{"runs", "runs/7f/log", "", true},
		{"runs", "pipelines/x/latest", "", false},
		{"runs?state=failed", "runs", "state=failed", true},
		{"runs?state=failed", "runs", "", false},
		{"runs?state=failed", "runs", "state=failed&state=lost", false},
		{"runs?state=failed", "runs/7f/card", "state=failed", false},
		{"runs?", "runs", "", true},
		{"runs?", "runs", "q=x", false},
		{"runs/", "runs", "", false},
		{"runs/", "runs/7f/card", "", false},
		{"", "runs", "", false},
		{"/", "runs", "", false},
		{"runs/%zz", "runs/%zz", "", false},
	} {
		t.Run(c.resource+" and "+c.path+"?"+c.query, func(t *testing.T) {
			segments, _, err := grant.ParseResource(c.path)
			if err != nil {
				segments = nil
			}
			q, _ := url.ParseQuery(c.query)
			if got := (grant.Grant{Resource: c.resource}).Covers(segments, q); got != c.want {
				t.Errorf("covers: %v, want %v", got, c.want)
			}
		})
	}
}

func FuzzOpen(f *testing.F) {
	same := sample()
	same.ID = "the same in each process of the fuzzer"
	good := sign(f, key, same)
	f.Add(good)
	f.Add("v1..")
	f.Add("v1.e30." + strings.Repeat("A", 43))
	f.Add(good[:40] + "." + good[40:])
	f.Fuzz(func(t *testing.T, token string) {
		g, err := grant.Open([][]byte{key}, token, now)
		if err == nil && token != good {
			t.Errorf("%q opens as %+v", token, g)
		}
	})
}

func FuzzParseResource(f *testing.F) {
	f.Add("runs/7f/card", "runs/7f")
	f.Add("runs?state=failed", "runs")
	f.Add("%2e%2e/x?&=;", "a//b")
	f.Fuzz(func(t *testing.T, path, resource string) {
		segments, narrow, err := grant.ParseResource(path)
		if err != nil {
			return
		}
		g := grant.Grant{Resource: resource}
		if !g.Covers(segments, narrow) {
			return
		}
		prefix, _, err := grant.ParseResource(resource)
		if err != nil || len(prefix) > len(segments) || !slices.Equal(prefix, segments[:len(prefix)]) {
			t.Errorf("%q covers %q", resource, path)
		}
	})
}
