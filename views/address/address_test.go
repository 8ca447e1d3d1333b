package address_test

import (
	"strings"
	"testing"

	"wavedeck/views/address"
)

// browsers lists the segments of a path that a browser resolves (WHATWG URL).
var browsers = []string{"", ".", "..", "%2e", ".%2e", "%2e.", "%2e%2e"}

func check(t *testing.T, name string) string {
	t.Helper()
	segment := address.Segment(name)
	for _, resolved := range browsers {
		if strings.EqualFold(segment, resolved) {
			t.Errorf("%q becomes %q, which a browser resolves", name, segment)
		}
	}
	if strings.ContainsAny(segment, "/\\?#\x00\n\r\t ") || strings.Contains(segment, "%00") {
		t.Errorf("%q becomes %q, which is not one segment", name, segment)
	}
	if field := address.Encode(name); strings.ContainsAny(field, "\x00\n\r") || address.Decode(field) != name {
		t.Errorf("%q becomes %q in a form, which reads as %q", name, field, address.Decode(field))
	}
	if got, err := address.ParseSegment(segment); err != nil || got != name {
		t.Errorf("%q becomes %q, which reads as %q, %v", name, segment, got, err)
	}
	return segment
}

func TestEveryNameHasASegmentOfItsOwn(t *testing.T) {
	seen := map[string]string{}
	names := []string{""}
	for range 4 { // every text of up to 4 of these
		for _, name := range names {
			for _, c := range []string{"~", ".", "0", "n", "\x00", "\n", " ", "a"} {
				names = append(names, name+c)
			}
		}
		if len(names) > 9000 {
			break
		}
	}
	for _, name := range names {
		segment := check(t, name)
		if other, ok := seen[segment]; ok && other != name {
			t.Fatalf("%q and %q both become %q", name, other, segment)
		}
		seen[segment] = name
	}
}

func TestOrdinaryNamesKeepTheirAddresses(t *testing.T) {
	for name, want := range map[string]string{
		"feature-impl": "feature-impl", "a/b": "a%2Fb", "~": "~~~", "~home": "~home", "a~": "a~", "~~": "~~",
		"...": "...", ".hidden": ".hidden", " a ": "%20a%20", "": "~", ".": "~.", "..": "~..", "a\x00b": "~a~0b", "~..": "~~~..", "a\n": "~a~n",
	} {
		if got := check(t, name); got != want {
			t.Errorf("%q becomes %q, not %q", name, got, want)
		}
	}
}

func TestASegmentThatIsNoName(t *testing.T) {
	for _, raw := range []string{"%00", "%ff", "%zz", "a%00"} {
		if name, err := address.ParseSegment(raw); err == nil {
			t.Errorf("%q is read as %q", raw, name)
		}
	}
}

func FuzzSegment(f *testing.F) {
	f.Add("~~0.")
	f.Fuzz(func(t *testing.T, name string) {
		if strings.ToValidUTF8(name, "") == name {
			check(t, name)
		}
	})
}
