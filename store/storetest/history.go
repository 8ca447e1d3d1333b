package storetest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wavedeck/store/statedb"
)

// HistoryNow is a moment after everything in the [History] project: a clock
// that shows less takes its times for the future.
var HistoryNow = time.Unix(1796086800, 0) //nolint:gochecknoglobals // never written; Go has no constant times

type recordedFile struct {
	Path string `db:"path"`
	At   int64  `db:"at"`
}

// History writes a copy of a project with 73 runs of a real Wave below
// t.TempDir() and returns its root. An artifact's file has the time of the last
// row that names it. What became of the runs is in [Ends].
func History(t testing.TB) string {
	t.Helper()
	root := copyProject(t, "wave-history")
	db, err := statedb.Open(t.Context(), StatePath(root))
	if err != nil {
		t.Fatal(err)
	}
	var files []recordedFile
	err = db.SelectContext(t.Context(), &files, "SELECT path, max(created_at) AS at FROM artifact GROUP BY path")
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		at := time.Unix(f.At, 0)
		if err := os.Chtimes(filepath.Join(root, f.Path), at, at); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return root
}

// End is what really became of a run of the [History], whatever Wave recorded:
// seen from outside while the runs were driven.
type End struct {
	Run     string
	Command string // that started it
	State   string // as derived
	Reason  string // a part of the sentence that has to be beside it; mostly empty
}

// Ends lists the ends of the runs of the [History] that were watched.
func Ends(t testing.TB) []End {
	t.Helper()
	text, err := testdata.ReadFile("testdata/wave-history/truth.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var ends []End
	for _, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")[1:] {
		c := strings.Split(line, "\t")
		ends = append(ends, End{Run: c[0], Command: c[1], State: c[2], Reason: c[3]})
	}
	return ends
}
