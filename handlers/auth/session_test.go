package auth

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"wavedeck/handlers/audit"
	"wavedeck/handlers/web"
)

// TestNothingOfASessionCanBeAltered flips each bit of a cookie.
func TestNothingOfASessionCanBeAltered(t *testing.T) {
	const rightToken = "right-token"
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	k := NewSessions(rightToken, "x")
	value := k.Encode(k.Begin("Anna", now))
	if k.decode(value, now) == nil {
		t.Fatal("it is not accepted")
	}
	for i := range value {
		altered := []byte(value)
		altered[i] ^= 1
		if found := k.decode(string(altered), now); found != nil {
			t.Errorf("%s is accepted as %+v", altered, found)
		}
	}
	for _, other := range []string{"", ".", value + "x", "." + value, strings.Split(value, ".")[0]} {
		if k.decode(other, now) != nil {
			t.Errorf("%q is accepted", other)
		}
	}
}

func FuzzNext(f *testing.F) {
	for _, seed := range []string{"/deck/runs", "//x", "/deck/\\x", "/deck/%2f%2fx", "/deck/..;/x"} {
		f.Add(seed)
	}
	h := &Handler{Trail: &audit.Trail{Kit: &web.Kit{Paths: "/deck"}}}
	here, _ := url.Parse("https://console.example/deck/login")
	f.Fuzz(func(t *testing.T, next string) {
		target := h.inside(next)
		if target == "" {
			return
		}
		to, err := here.Parse(target)
		if err != nil || to.Host != here.Host || to.Scheme != here.Scheme || !strings.HasPrefix(to.Path, "/deck/") {
			t.Errorf("%q leads to %v, %v", next, to, err)
		}
	})
}
