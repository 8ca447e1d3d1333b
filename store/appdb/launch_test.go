package appdb

import (
	"errors"
	"maps"
	"testing"
	"time"
)

func TestLaunch(t *testing.T) {
	d := Open(t.Context(), t.TempDir())
	t.Cleanup(func() { _ = d.Close() })
	if _, err := d.Launch(t.Context(), "a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a run that was not started here: %v, want ErrNotFound", err)
	}
	at := time.UnixMilli(1796080000123)
	for _, params := range []map[string]string{{"model": "opus"}, {"from_step": "b"}} {
		if err := d.AddLaunch(t.Context(), "a", Launch{At: at, Params: params}); err != nil {
			t.Fatal(err)
		}
		if l, err := d.Launch(t.Context(), "a"); err != nil || !l.At.Equal(at) || !maps.Equal(l.Params, params) {
			t.Errorf("started with %v at %v (%v), want %v", l.Params, l.At, err, params)
		}
	}
}
