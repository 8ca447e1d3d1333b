package diagnose

import (
	"testing"
	"time"

	"wavedeck/store/wave"
)

func TestAFileThatAnotherRunOverwroteIsNotTakenForThisRuns(t *testing.T) {
	ended := time.Unix(1_000_100, 0)
	recorded := time.Unix(1_000_090, 0)
	run := wave.Run{ID: "a", State: wave.Succeeded, CompletedAt: ended}
	own := wave.Artifact{ID: 5, RunID: "a", Size: 34, CreatedAt: recorded}
	other := wave.Artifact{ID: 9, RunID: "b", CreatedAt: recorded.Add(time.Minute)}
	active := wave.Run{ID: "a", State: wave.Running}
	for _, c := range []struct {
		name  string
		run   wave.Run
		own   wave.Artifact
		other wave.Artifact
		file  FileInfo
		want  string
	}{
		{"the file of the run itself", run, own, wave.Artifact{}, FileInfo{34, recorded}, ""},
		{"modified later in the run", run, own, wave.Artifact{}, FileInfo{34, ended}, ""},
		{"modified in the second of its end, which is cut off", run, own, wave.Artifact{}, FileInfo{34, ended.Add(1500 * time.Millisecond)}, ""},
		{"modified after its end", run, own, wave.Artifact{}, FileInfo{34, ended.Add(3 * time.Second)}, "Changed since the run ended"},
		{"of another size, while the run went on", run, own, wave.Artifact{}, FileInfo{30, recorded}, "Changed after it was recorded"},
		{"of another size, in a run that goes on", active, own, wave.Artifact{}, FileInfo{30, recorded}, ""},
		{"modified long after, in a run that goes on", active, own, wave.Artifact{}, FileInfo{34, ended.Add(time.Hour)}, ""},
		{"recorded as missing and there since its end", run, wave.Artifact{ID: 5, CreatedAt: recorded}, wave.Artifact{}, FileInfo{9, ended.Add(time.Hour)}, "Changed since the run ended"},
		{"recorded as missing and there in the run", run, wave.Artifact{ID: 5, CreatedAt: recorded}, wave.Artifact{}, FileInfo{9, recorded}, ""},
		{"recorded as missing and there later in the run", run, wave.Artifact{ID: 5, CreatedAt: recorded}, wave.Artifact{}, FileInfo{9, recorded.Add(5 * time.Second)}, "Changed after it was recorded"},
		{"written by another run, of another size", run, own, other, FileInfo{23, other.CreatedAt}, "Overwritten by b"},
		{"written by another run, of the same size", run, own, other, FileInfo{34, other.CreatedAt}, "Overwritten by b"},
		{"written by another run while this one goes on", active, own, other, FileInfo{34, other.CreatedAt}, "Overwritten by b"},
		{"written by another run in the same second", run, own, wave.Artifact{ID: 6, RunID: "b", CreatedAt: recorded}, FileInfo{34, recorded.Add(500 * time.Millisecond)}, "Overwritten by b"},
		{"found and recorded by another run that did not write it", run, own, other, FileInfo{34, recorded.Add(500 * time.Millisecond)}, ""},
		{"written by this run after another one", run, own, wave.Artifact{ID: 4, RunID: "b", CreatedAt: recorded}, FileInfo{34, recorded}, ""},
		{"a run of which no end is known", wave.Run{ID: "a", State: wave.Lost}, own, wave.Artifact{}, FileInfo{34, recorded.Add(time.Hour)}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, is := ReplacementOf(c.run, c.own, c.other, c.file)
			got := ""
			if is {
				got = r.Text()
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
