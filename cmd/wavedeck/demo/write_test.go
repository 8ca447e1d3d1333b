package demo

import (
	"testing"
	"time"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	start := time.Now()
	if err := Write(t.Context(), Script{Dir: dir, Epoch: time.Now(), Seed: 1}); err != nil {
		t.Fatal(err)
	}
	t.Log(time.Since(start), dir)
	rec, _ := Script{Dir: dir, Epoch: time.Now(), Seed: 1}.recording()
	t.Log(len(rec.entries), time.Since(start))

}
