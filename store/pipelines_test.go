package store

import (
	"fmt"
	"testing"
	"time"

	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

func TestPipelineHistory(t *testing.T) {
	b := storetest.New(t)
	for i := range 10 {
		start := storetest.Base.Add(time.Duration(i) * time.Minute)
		b.Run(storetest.Run{ID: fmt.Sprint("ok-", i), Start: start, End: start.Add(time.Duration(i+1) * time.Second)})
	}
	b.Run(storetest.Run{Status: "failed"})
	b.Run(storetest.Run{Status: "cancelled"})
	b.Run(storetest.Run{CurrentStep: wave.ReasonDryRun})
	b.Run(storetest.Run{Status: "running", Heartbeat: fresh})
	b.Run(storetest.Run{Pipeline: "other", Status: "failed"})
	d := openBuilt(t, b)
	h, err := d.pipelineHistory(t.Context(), "build")
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Recent) != 14 || h.Succeeded != 10 || h.Failed != 1 || h.Cancelled != 1 {
		t.Errorf("%d runs: %d %d %d", len(h.Recent), h.Succeeded, h.Failed, h.Cancelled)
	}
	if rate, n := h.SuccessRate(); n != 11 || rate != 10.0/11 {
		t.Errorf("rate %v of %d", rate, n)
	}
	if h.Median != 5*time.Second || h.P90 != 9*time.Second || h.Timed != 10 {
		t.Errorf("median %v, p90 %v of %d", h.Median, h.P90, h.Timed)
	}
	for i := 1; i < len(h.Recent); i++ {
		if h.Recent[i].StartedAt.After(h.Recent[i-1].StartedAt) {
			t.Errorf("run %d is newer than the one before", i)
		}
	}
	none, err := d.pipelineHistory(t.Context(), "never ran")
	if err != nil {
		t.Fatal(err)
	}
	if rate, n := none.SuccessRate(); rate != 0 || n != 0 || none.Recent == nil || len(none.Recent) != 0 {
		t.Errorf("without runs: %v of %d", rate, n)
	}
}
