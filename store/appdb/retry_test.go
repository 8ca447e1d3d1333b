package appdb

import (
	"errors"
	"testing"
)

func TestARetryIsKeptWithItsOriginal(t *testing.T) {
	dir := t.TempDir()
	d, other := Open(t.Context(), dir), Open(t.Context(), dir)
	t.Cleanup(func() { _, _ = d.Close(), other.Close() })
	for range 2 { // the same request sent twice is one run
		if err := d.AddRetry(t.Context(), "fix-2", "fix-1"); err != nil {
			t.Fatal(err)
		}
	}
	if original, err := other.RetryOf(t.Context(), "fix-2"); original != "fix-1" || err != nil {
		t.Error(original, err)
	}
	if original, err := other.RetryOf(t.Context(), "fix-1"); !errors.Is(err, ErrNotFound) {
		t.Error(original, err)
	}
}
