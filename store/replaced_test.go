package store

import (
	"testing"
	"time"

	"wavedeck/store/diagnose"
	"wavedeck/store/storetest"
)

func TestTheRunThatOverwroteAFileIsFoundWhereverItIs(t *testing.T) {
	const path = ".agents/output/each-collected.json"
	b := storetest.New(t)
	start := storetest.Base
	done := func(id, pipeline string, at time.Time) {
		b.Run(storetest.Run{ID: id, Pipeline: pipeline, Status: "completed", Start: at, End: at.Add(10 * time.Second)})
	}
	artifact := func(run, path string, size int64, at time.Time) {
		b.Artifact(run, storetest.Artifact{Step: "each", Name: "all", Path: path, Size: size, At: at})
	}
	done("first", "p", start)
	artifact("first", path, 34, start)
	artifact("first", ".agents/workspaces/first/each/x.json", 10, start)
	artifact("first", ".agents/output/retried.json", 10, start)
	artifact("first", ".agents/output/retried.json", 11, start)
	for i := range 600 { // what else was recorded
		if i%100 == 0 {
			done("other-"+start.Add(time.Duration(i)*time.Minute).Format("20060102-150405"), "q", start.Add(time.Duration(i)*time.Minute))
		}
		artifact("other-"+start.Add(time.Duration(i-i%100)*time.Minute).Format("20060102-150405"), "elsewhere", 1, start.Add(time.Duration(i)*time.Minute))
	}
	late := start.Add(600 * time.Minute)
	done("of-another-pipeline", "q", late)
	artifact("of-another-pipeline", path, 34, late)
	for i := range 300 {
		artifact("of-another-pipeline", "elsewhere", 1, late.Add(time.Duration(i+1)*time.Minute))
	}
	d := openTest(t, b.Path, late.Add(10000*time.Minute), Options{})

	check := func(name, want string, modified time.Time, sizes ...int64) {
		t.Run(name, func(t *testing.T) {
			detail := mustDetail(t, d, "first")
			files := map[int64]diagnose.FileInfo{}
			for i, a := range detail.Artifacts {
				files[a.ID] = diagnose.FileInfo{Size: sizes[i], Modified: modified}
			}
			found, err := d.replaced(t.Context(), detail.Run, detail.Artifacts, files)
			if err != nil {
				t.Fatal(err)
			}
			if got := found[detail.Artifacts[0].ID].By; got != want {
				t.Errorf("overwritten by %q, want %q", got, want)
			}
			if r, ok := found[detail.Artifacts[1].ID]; ok && r.By != "" {
				t.Errorf("a file in the run's own directory is overwritten by %q", r.By)
			}
			if r := found[detail.Artifacts[2].ID]; !r.Attempt && modified.Equal(start) {
				t.Errorf("the first attempt is %+v, want that a later one wrote the file", r)
			}
			if r, ok := found[detail.Artifacts[3].ID]; ok && modified.Equal(start) {
				t.Errorf("the last attempt is %+v", r)
			}
		})
	}
	check("nobody", "", start, 34, 10, 11, 11)
	check("a run of another pipeline, long ago", "of-another-pipeline", late, 34, 10, 11, 11)
	check("a run of another pipeline that came next, where the files were copied since", "of-another-pipeline", late.Add(9000*time.Minute), 34, 10, 11, 11)
	done("again", "p", late.Add(5000*time.Minute))
	artifact("again", path, 34, late.Add(5000*time.Minute))
	check("the last run of the same pipeline, where the files were copied since", "again", late.Add(9000*time.Minute), 34, 10, 11, 11)
}
