package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"wavedeck/store/system"
)

// A process that had the -wal and -shm files open when they were deleted goes on
// with the deleted ones. What it commits is told to nobody who has opened since:
// to the log that others read too, but past their index, or to a log of its own.

const (
	strayAfter = 2 * time.Second // until a commit of which nothing is told counts as one past the index: the writer may wait for its disk
	strayFor   = time.Minute     // how long it is told after such a commit was seen last
	strayLook  = 5 * time.Second // between two looks for processes that hold deleted files
	strayText  = "A program that was at work when the -wal or -shm file of the state database was deleted goes on with the deleted file: what it writes is shown late, or never. End that program and start it again"
)

// ErrStray says that somebody writes past the files beside the database.
var ErrStray = fmt.Errorf("%w not used by who writes", ErrForsaken)

// logPlace is how far a write-ahead log goes: a commit moves it, and an open
// transaction does not.
type logPlace struct {
	salt    uint64 // names the log: another one since it was begun again
	commits int64  // pages up to the end of the last commit
}

// Sizes of the parts of a log, https://sqlite.org/fileformat2.html#walformat.
const (
	logHead   = 32
	frameHead = 24
)

// readLogPlace reads the place from the log at path; after is one that was read
// before, from which it goes on. It is zero while there is no log. Reading a log
// lets go of no lock: those are on the database and its -shm file.
func readLogPlace(path string, after logPlace) (logPlace, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return logPlace{}, nil
	}
	if err != nil {
		return logPlace{}, err
	}
	defer f.Close()
	var head [logHead]byte
	if n, err := f.ReadAt(head[:], 0); n < logHead {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return logPlace{}, err
	}
	page := int64(binary.BigEndian.Uint32(head[8:]))
	place := logPlace{salt: binary.BigEndian.Uint64(head[16:])}
	if place.salt == after.salt {
		place = after
	}
	for at := place.commits + 1; ; at++ {
		var frame [frameHead + 1]byte // and the last byte of the page, of a frame that is whole
		begin := logHead + (at-1)*(frameHead+page)
		if n, err := f.ReadAt(frame[:frameHead], begin); n < frameHead {
			return place, notEnd(err)
		}
		if n, err := f.ReadAt(frame[frameHead:], begin+frameHead+page-1); n < 1 {
			return place, notEnd(err)
		}
		if binary.BigEndian.Uint64(frame[8:]) != place.salt {
			return place, nil
		}
		if binary.BigEndian.Uint32(frame[4:]) != 0 {
			place.commits = at
		}
	}
}

func notEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// logWatch compares the log with what its index tells.
type logWatch struct {
	version int64       // data_version when place was read
	log     fs.FileInfo // as it was then; nil: there was none
	place   logPlace
	known   bool      // place is that of version
	doubt   time.Time // since when the log goes on and the version does not; zero: it does not
}

// strays reports as an error that somebody commits to the log past its index, or
// to the file past the log. moved says that the file was written to.
func (t *Tracker) strays(now time.Time, moved bool) error {
	w := &t.log
	if t.from.db.Mode == modeImmutable || t.Busy {
		return nil
	}
	if t.dataVersion != w.version {
		*w = logWatch{version: t.dataVersion}
	}
	path := t.beside.path + "-wal"
	info := stated(path)
	if w.known && w.doubt.IsZero() && sameState(info, w.log) && !moved {
		return nil
	}
	place, err := readLogPlace(path, w.place)
	if err != nil {
		t.from.db.opt.Log.Debug("read log of the state database", "err", err)
		return nil // nothing is known then
	}
	switch {
	case !w.known:
		w.log, w.place, w.known = info, place, true
	case place == w.place || place.commits == 0:
		w.log, w.doubt = info, time.Time{}
		if moved && w.place.commits == 0 && t.beside.wal != nil {
			return ErrStray
		}
	case w.doubt.IsZero():
		w.doubt = now
	case now.Sub(w.doubt) >= strayAfter:
		return ErrStray
	}
	return nil
}

// stated is what the file system says of a file, nil when it says nothing.
func stated(path string) fs.FileInfo {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	return info
}

// sameState reports whether a file was not written to in between.
func sameState(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// begin notes how far the log goes at version, which was read before.
func (w *logWatch) begin(path string, version int64) {
	*w = logWatch{version: version}
	w.log = stated(path)
	var err error
	w.place, err = readLogPlace(path, logPlace{})
	w.known = err == nil
}

// StrayWatch is what is known of processes that write with deleted files.
type StrayWatch struct {
	holders func(path string, suffixes ...string) (pids []int, known bool)
	until   time.Time // commits past the index were seen less than strayFor ago; zero: none were
	look    bool      // for processes
	next    time.Time // not before that
	pids    []int

	replaced bool // the files were
	unknown  bool // the last look could not find out
}

// Text is why what others write may not be seen; empty when it is.
func (w *StrayWatch) Text(path string, now time.Time) string {
	if w.look && !now.Before(w.next) {
		found := len(w.pids) > 0
		var known bool
		w.pids, known = w.holders(path, "-wal", "-shm")
		w.unknown = !known
		if found && known && len(w.pids) == 0 { // it was that process which wrote
			w.until = time.Time{}
		}
		w.look, w.next = len(w.pids) > 0, now.Add(strayLook)
	}
	switch {
	case len(w.pids) > 0:
		return fmt.Sprintf("%s (process %d)", strayText, w.pids[0])
	case now.Before(w.until):
		return strayText + ". Its process was not found: this is said for a minute after it was last seen to write"
	default:
		return ""
	}
}

// Suspect has text look for processes: the files were replaced, and seen says that
// commits past the index were.
func (w *StrayWatch) Suspect(seen bool, now time.Time) {
	w.look, w.next, w.replaced = true, time.Time{}, true
	if seen {
		w.until = now.Add(strayFor)
	}
}

// Unknown reports that the files were replaced, and that this system does not tell
// whether a process still holds the deleted ones.
func (w *StrayWatch) Unknown() bool { return w.replaced && w.unknown }

// NewStrayWatch has the first text look for processes.
func NewStrayWatch() StrayWatch { return StrayWatch{holders: system.HoldDeleted, look: true} }
