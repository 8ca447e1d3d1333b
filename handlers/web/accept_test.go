package web

import (
	"slices"
	"testing"
)

// FuzzAccept: whatever a client says that it takes, it gets a form that there is,
// and one that it refused only when it takes none.
func FuzzAccept(f *testing.F) {
	for _, header := range []string{
		"", "*/*", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/markdown;q=0.5, text/*;q=0.4", "text/plain;q=0, */*",
		`text/html;p="a,b";q=1`, ";;,,", "text/csv;q=NaN", "application/json;q=1e9", "*/plain",
	} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		got, ok := accepted(header, ListFormats)
		if !slices.Contains(ListFormats, got) {
			t.Fatalf("%q chooses %q", header, got)
		}
		if again, _ := accepted(header, []Format{got}); again != got {
			t.Errorf("%q chooses %q, and then %q", header, got, again)
		}
		if _, alone := accepted(header, []Format{got}); alone != ok {
			t.Errorf("%q takes %q: %v, alone: %v", header, got, ok, alone)
		}
	})
}
