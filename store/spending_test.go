package store

import (
	"fmt"
	"slices"
	"testing"

	"wavedeck/store/storetest"
)

// TestSpendingIsWhatThePagesSay compares with the steps of each run's page.
func TestSpendingIsWhatThePagesSay(t *testing.T) {
	d := openSample(t)
	var ids []string
	for id := range sampleRuns {
		ids = append(ids, id)
	}
	trees, err := d.spending(t.Context(), ids)
	if err != nil || len(trees) != len(ids) {
		t.Fatalf("%d trees, %v", len(trees), err)
	}
	for _, id := range ids {
		detail := mustDetail(t, d, id)
		var want []string
		for _, s := range detail.Steps {
			if s.Tokens != nil && *s.Tokens > 0 {
				want = append(want, fmt.Sprint(s.ID, s.Model, *s.Tokens))
			}
		}
		own := trees[id].Runs[0]
		var got []string
		for _, s := range own.Steps {
			got = append(got, fmt.Sprint(s.Step, s.Model, s.Tokens))
		}
		slices.Sort(want)
		slices.Sort(got)
		if own.Run != id || !slices.Equal(want, got) || own.Loose != 0 {
			t.Errorf("%s: %v, its page %v, loose %d", id, got, want, own.Loose)
		}
		if n := len(trees[id].Runs) - 1; n != len(detail.Children) {
			t.Errorf("%s: %d below, %d children", id, n, len(detail.Children))
		}
	}
}

func TestSpendingOfWhatIsNotKnown(t *testing.T) {
	b := storetest.New(t)
	bare := b.Run(storetest.Run{Tokens: 500}) // its events were lost in an upgrade
	open := b.Run(storetest.Run{Status: "running", Heartbeat: fresh})
	b.Event(open, storetest.Event{Step: "plan", Persona: "navigator", Model: "o3"})
	loop := b.Run(storetest.Run{ID: "loop", Parent: "loop"})
	b.Run(storetest.Run{ID: "ping", Parent: "pong"})
	b.Run(storetest.Run{ID: "pong", Parent: "ping"})
	command := b.Run(storetest.Run{})
	b.Event(command, storetest.Event{Step: "build"})
	d := openBuilt(t, b)
	trees, err := d.spending(t.Context(), []string{bare, open, loop, "ping", command, "nobody"})
	if err != nil {
		t.Fatal(err)
	}
	if r := trees[bare].Runs[0]; r.Loose != 500 || len(r.Steps) != 0 || r.Open {
		t.Errorf("bare: %+v", r)
	}
	if r := trees[open].Runs[0]; r.Silent != 1 || !r.Open {
		t.Errorf("open: %+v", r)
	}
	if len(trees[loop].Runs) != 1 || len(trees["ping"].Runs) != 2 || len(trees["nobody"].Runs) != 0 {
		t.Errorf("circles: %+v %+v", trees[loop], trees["ping"])
	}
	if r := trees[command].Runs[0]; r.Silent != 0 || r.Loose != 0 || len(r.Steps) != 0 {
		t.Errorf("command: %+v", r)
	}
}

func TestSpendingInOlderSchemas(t *testing.T) {
	for _, version := range storetest.Schemas() {
		d := openTest(t, storetest.Schema(t, version), sampleNow, Options{})
		trees, err := d.spending(t.Context(), []string{"fix-issue-20261123-003814-e2da"})
		if err != nil || len(trees) != 1 || len(trees["fix-issue-20261123-003814-e2da"].Runs[0].Steps) != 4 {
			t.Errorf("schema %d: %+v %v", version, trees, err)
		}
	}
}
