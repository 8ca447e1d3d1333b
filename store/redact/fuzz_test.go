package redact

import (
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

func newRand() *rand.Rand { return rand.New(rand.NewPCG(3, 5)) }

func FuzzText(f *testing.F) {
	for i, s := range corpus(3) {
		if i%61 == 0 {
			f.Add(s.text)
		}
	}
	f.Fuzz(func(t *testing.T, in string) {
		once, found := Text(in)
		last := 0
		for _, x := range found {
			if x.Start < last || x.End <= x.Start || x.End > len(in) {
				t.Fatalf("%v of %v in %d bytes", x, found, len(in))
			}
			last = x.End
		}
		if twice, _ := Text(once); twice != once {
			t.Fatalf("twice: %q\nonce:  %q\nin:    %q", twice, once, in)
		}
	})
}

func FuzzReader(f *testing.F) {
	for i, s := range corpus(4) {
		if i%199 == 0 {
			f.Add(s.text)
		}
	}
	pad := strings.Repeat("-", window+lookahead)
	f.Fuzz(func(t *testing.T, in string) {
		long := pad[len(in)%1000:] + "\n" + in + "\n" + pad[:lookahead]
		want, _ := Text(long)
		if got, err := io.ReadAll(NewReader(strings.NewReader(long))); err != nil || string(got) != want {
			t.Fatalf("%v: differs", err)
		}
	})
}
