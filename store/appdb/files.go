package appdb

import (
	"context"
	"io/fs"
	"os"
	"time"

	"github.com/jmoiron/sqlx"
)

// drainFor is how long connections to files that were taken away have to end.
const drainFor = time.Second

// openFiles are the files of an open database, as they were when it was opened.
type openFiles []fs.FileInfo

// filesOf notes the database and what SQLite keeps beside it. One that does not exist
// is nil.
func filesOf(path string) openFiles {
	files := openFiles{}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			info = nil
		}
		files = append(files, info)
	}
	return files
}

// there reports whether all of them are where they were. Whoever goes on with deleted
// ones keeps what nobody will find.
func (f openFiles) there(path string) bool {
	for i, now := range filesOf(path) {
		if f[i] != nil && (now == nil || !os.SameFile(now, f[i])) {
			return false
		}
	}
	return true
}

// drain closes db with all its connections, and reports whether they have ended: those
// of one process share what they know of the files beside the database, and the next
// would too.
func drain(ctx context.Context, db *sqlx.DB) bool {
	_ = db.Close() // what it says is of files that are not there
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); db.Stats().OpenConnections > 0; {
		if ctx.Err() != nil || time.Since(began) > drainFor {
			return false
		}
		<-tick.C
	}
	return true
}
