package store

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wavedeck/store/wave"
)

// otherRows are those of another database: nothing of them is known but that they are Rows.
type otherRows struct {
	Rows
	snapshots *atomic.Int64
	down      *atomic.Bool // it cannot be reached
}

var errDown = errors.New("the other database is down")

func (r otherRows) Snapshot(ctx context.Context, read func(Rows) error) error {
	r.snapshots.Add(1)
	return r.Rows.Snapshot(ctx, func(now Rows) error { return read(otherRows{now, r.snapshots, r.down}) })
}

func (r otherRows) Runs(ctx context.Context, ids []string) ([]wave.RunRow, error) {
	if r.down.Load() {
		return nil, errDown
	}
	return r.Rows.Runs(ctx, ids)
}

func TestAReaderReadsTheRowsOfAnyDatabase(t *testing.T) {
	d := openSample(t)
	other := otherRows{RowsOf(d.db), &atomic.Int64{}, &atomic.Bool{}}
	reader := NewReader(other, d.opt)
	entries, err := reader.EntriesAfter(t.Context(), 0, 100)
	if err != nil || len(entries) == 0 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for _, entry := range entries {
		got, err := reader.Detail(t.Context(), entry.ID)
		want, wantErr := d.Detail(t.Context(), entry.ID)
		if err != nil || wantErr != nil {
			t.Fatalf("%s: %v, %v", entry.ID, err, wantErr)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s is another run there: %s", entry.ID, diff)
		}
	}
	if other.snapshots.Load() == 0 {
		t.Error("the rows were read past it")
	}
	other.down.Store(true)
	if _, err := reader.Detail(t.Context(), entries[0].ID); !errors.Is(err, errDown) {
		t.Errorf("while it is down: %v", err)
	}
}
