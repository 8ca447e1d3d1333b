package diagnose

import (
	"path/filepath"
	"slices"
	"strings"
	"time"

	"wavedeck/store/wave"
)

// ClockGrain is by how much the times of rows and of files may differ.
const ClockGrain = 2 * time.Second

// FileInfo is what the file system says of an artifact's file.
type FileInfo struct {
	Size     int64
	Modified time.Time // also when the name was made to lead to another file
}

// Replacement says that the file of an artifact does not hold what its row was
// written for.
type Replacement struct {
	By      string // run that wrote it since; empty: not known, or this run
	Attempt bool   // a later attempt of this run wrote it
	Ended   bool   // it was modified after the run had ended
}

// Text is the replacement in a sentence.
func (r Replacement) Text() string {
	switch {
	case r.By != "":
		return "Overwritten by " + r.By
	case r.Attempt:
		return "Overwritten by a later attempt of this run"
	case r.Ended:
		return "Changed since the run ended"
	default:
		return "Changed after it was recorded"
	}
}

// OwnPath reports whether a path lies in a directory of one run.
func OwnPath(path, run string) bool {
	return run != "" && slices.Contains(strings.Split(filepath.ToSlash(path), "/"), run)
}

// ReplacementOf compares the last row that a run has of a path with the file. Times
// of rows are whole seconds, and some file systems keep no more.
func ReplacementOf(run wave.Run, own, other wave.Artifact, file FileInfo) (Replacement, bool) {
	resized := own.Size > 0 && file.Size != own.Size // a size of 0 is that of a file which was missing, too
	// A row of another run alone does not tell that it wrote the file: it may have
	// found this run's and recorded that.
	if other.ID > own.ID && (resized || !file.Modified.Before(own.CreatedAt.Add(time.Second)) || !other.CreatedAt.After(own.CreatedAt.Add(time.Second))) {
		return Replacement{By: other.RunID}, true
	}
	if !run.State.Ended() {
		return Replacement{}, false // it may be at it
	}
	end := Latest(run.CompletedAt, run.CancelledAt, run.LastEvent)
	if !end.IsZero() && file.Modified.After(Latest(end, own.CreatedAt).Add(ClockGrain)) {
		return Replacement{Ended: true}, true
	}
	appeared := own.Size == 0 && file.Size > 0 && file.Modified.After(own.CreatedAt.Add(ClockGrain))
	return Replacement{}, resized || appeared
}
