package prices

import (
	"os"
	"sync"
	"time"
)

// lookEvery is how soon a change of the file is noticed.
const lookEvery = time.Second

// File is a price file that is read again when it changes. A nil *File knows no
// prices. It is safe for concurrent use.
type File struct {
	path string
	now  func() time.Time

	mu         sync.Mutex
	list       *List // the last that was right
	problem    error // what is wrong with the file now; the last list stays in use
	generation uint64
	seen       stamp
	looked     time.Time
}

// stamp tells one content of a file from another.
type stamp struct {
	modified time.Time
	size     int64
	there    bool
}

// Open reads the file, which has to be right now; later mistakes are told by Current.
func Open(path string) (*File, error) {
	f := &File{path: path, now: time.Now}
	f.seen = look(path)
	list, err := Read(path)
	if err != nil {
		return nil, err
	}
	f.list, f.generation, f.looked = list, 1, f.now()
	return f, nil
}

func look(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{info.ModTime(), info.Size(), true}
}

// Current is the list in use, nil without a file; a number that changes with
// what it says; and what is wrong with the file since it was read, if anything.
func (f *File) Current() (list *List, generation uint64, problem error) {
	if f == nil {
		return nil, 0, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.now(); now.Sub(f.looked) >= lookEvery || now.Before(f.looked) {
		f.looked = now
		if seen := look(f.path); seen != f.seen {
			f.seen = seen
			f.generation++
			list, err := Read(f.path)
			if f.problem = err; err == nil {
				f.list = list
			}
		}
	}
	return f.list, f.generation, f.problem
}
