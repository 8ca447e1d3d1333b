package runindex

import (
	"bytes"
	"cmp"
	"context"
	"hash/maphash"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

// Index holds what filters ask of every run, in memory: intersections that few
// runs satisfy would have SQL walk the whole history. Full rows are read by id
// afterwards. Built for a million runs: about 60 bytes each beside their text,
// and no pointers for the garbage collector to follow.
type Index struct {
	opt   Options
	ready chan struct{} // closed when all runs are in
	gone  chan struct{} // closed when nobody keeps it in step any more
	stale atomic.Bool   // there was a commit since the last walk began

	mu sync.RWMutex
	table
	touched map[string]struct{} // runs applied while a chunk is being read; nil: none is

	facetMu sync.Mutex
	counts  *criteria.Facets // nil after a change; under facetMu
}

// Options are what an index needs of its surroundings. Source and Gone
// must be given to one that is loaded.
type Options struct {
	Source Source
	// Shown gives of a recorded text what a reader may see: what is not shown is not
	// found either. Nil: all of it.
	Shown func(text string) string
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Gone is what a question fails with once nobody keeps the index in step any more.
	Gone error
	// Log receives why runs could not be read; nil drops it.
	Log *slog.Logger
}

// Source reads what an index holds of runs, as they are now.
type Source interface {
	// Entries reads the runs with these ids; those that are gone are left out.
	Entries(ctx context.Context, ids []string) ([]Entry, error)
	// EntriesAfter reads the next of all runs, in the order of their rows.
	EntriesAfter(ctx context.Context, row int64, limit int) ([]Entry, error)
}

// table is the runs and what they are compared by. Who uses it holds the lock of its
// index.
type table struct {
	listing
	vocabulary
	sweep uint32 // number of the walk through all runs
	now   func() time.Time
}

// listing is the runs in their order.
type listing struct {
	sorted bool // order is; until ready it is not
	rows   []indexRow
	free   []uint32 // rows of deleted runs
	order  []uint32 // rows by (started_at, run_id), oldest first
	briefs []brief  // of each in order, once it is sorted
}

// vocabulary is the texts of the runs and their numbers.
type vocabulary struct {
	ids                                 idTable
	text                                arena
	tags                                tagLists
	pipelines, parents, branches, kinds interned
}

// indexRow is one run. Its text is the id, again in lower case where that is
// another one, what of the input is searched, and what of the error is, with a
// zero byte between each two; the latter two are in lower case.
type indexRow struct {
	started  int64
	ended    int64
	tokens   int64 // -1: not known
	text     span
	idLen    uint32 // of the id as it is
	idEnd    uint32 // where the input begins in text, before the zero byte
	inputEnd uint32 // where the error begins
	pipeline uint32 // of pipelines, and so on; 0 is none
	parent   uint32
	branch   uint32
	kind     uint32
	tags     uint32
	duration int32  // seconds by its row, when it has ended; -1: not known
	seen     uint32 // sweep that saw it last
	state    uint8  // of States
	used     bool
}

// brief is what of a run the common filters ask, in three bytes: a walk through a
// million of these takes a tenth of one through the rows themselves. Of a
// pipeline and a list of tags it is the end of their number.
type brief struct{ state, pipeline, tags uint8 }

func (r *indexRow) brief() brief {
	return brief{r.state, uint8(r.pipeline), uint8(r.tags)} //nolint:gosec // the end is meant
}

// New returns an index without any run; [Index.Follow] fills it.
func New(opt Options) *Index {
	if opt.Shown == nil {
		opt.Shown = func(text string) string { return text }
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	return &Index{
		opt: opt, ready: make(chan struct{}), gone: make(chan struct{}),
		table: table{now: opt.Now, vocabulary: vocabulary{
			ids: idTable{seed: maphash.MakeSeed()}, tags: newTagLists(),
			pipelines: newInterned(), parents: newInterned(), branches: newInterned(), kinds: newInterned(),
		}},
	}
}

// State is the derived state of a run, empty when the index does not hold it.
func (ix *Index) State(id string) wave.State {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	if i, ok := ix.find(id); ok {
		return wave.States[ix.rows[i].state]
	}
	return ""
}

// Apply makes the runs with these ids what the entries say; an id without an
// entry is a run that is gone. It returns the runs that are new, gone, or in
// another state than before.
func (ix *Index) Apply(ids []string, entries []Entry) map[string]bool {
	ix.show(entries)
	ix.mu.Lock()
	defer ix.mu.Unlock()
	turned := map[string]bool{}
	present := make(map[string]struct{}, len(entries))
	for _, e := range entries {
		present[e.ID] = struct{}{}
		if other, _ := ix.put(e); other {
			turned[e.ID] = true
		}
	}
	for _, id := range ids {
		if ix.touched != nil {
			ix.touched[id] = struct{}{}
		}
		if _, ok := present[id]; !ok && ix.remove(id) {
			turned[id] = true
		}
	}
	ix.forgetCounts()
	return turned
}

// put adds or updates one run, whose texts were shown, and reports whether it is new
// or in another state, and whether anything of it is another.
func (ix *table) put(e Entry) (turned, changed bool) {
	i, known := ix.find(e.ID)
	if !known {
		i = ix.alloc()
		ix.fill(i, e)
		ix.ids.add(ix.hash(e.ID), i, func(j uint32) uint64 { return maphash.Bytes(ix.ids.seed, ix.id(j)) })
		ix.insert(i)
		return true, true
	}
	before := ix.rows[i]
	if before.started != e.Started {
		ix.unlink(i)
		ix.fill(i, e)
		ix.insert(i)
	} else {
		ix.fill(i, e)
		if r := &ix.rows[i]; ix.sorted && r.brief() != before.brief() {
			ix.briefs[ix.position(r.started, ix.id(i))] = r.brief()
		}
	}
	after := ix.rows[i]
	before.seen = after.seen
	return before.state != after.state, before != after
}

func (ix *table) alloc() uint32 {
	if n := len(ix.free); n > 0 {
		i := ix.free[n-1]
		ix.free = ix.free[:n-1]
		return i
	}
	ix.rows = append(ix.rows, indexRow{})
	return uint32(len(ix.rows) - 1) //nolint:gosec // four billion runs do not fit in memory
}

func (ix *table) fill(i uint32, e Entry) {
	r := &ix.rows[i]
	if !r.used || string(ix.text.at(r.text)) != e.text {
		r.text = ix.text.add(e.text)
	}
	r.idLen, r.idEnd, r.inputEnd = uint32(len(e.ID)), uint32(e.idEnd), uint32(e.inputEnd) //nolint:gosec // SQLite texts are shorter
	r.started, r.ended, r.used, r.seen = e.Started, e.Ended, true, ix.sweep
	r.pipeline, r.parent = ix.pipelines.number(e.Pipeline), ix.parents.number(e.Parent)
	r.branch, r.kind = ix.branches.number(e.Branch), ix.kinds.number(e.Kind)
	r.tags = ix.tags.number(e.Tags)
	r.state, r.tokens, r.duration = stateNumber(e.State), e.Tokens, criteria.DurationSeconds(e.State, e.Started, e.Completed)
}

func stateNumber(s wave.State) uint8 {
	if i := slices.Index(wave.States[:], s); i >= 0 {
		return uint8(i) //nolint:gosec // there are twelve
	}
	return stateNumber(wave.Unknown)
}

func (ix *table) id(i uint32) []byte {
	r := &ix.rows[i]
	return ix.text.at(r.text)[:r.idLen]
}

// The texts of a run that are searched.
func (ix *table) textOf(r *indexRow) []byte    { return ix.text.at(r.text) }
func (ix *table) idText(r *indexRow) []byte    { return ix.text.at(r.text)[:r.idEnd] }
func (ix *table) inputText(r *indexRow) []byte { return ix.text.at(r.text)[r.idEnd+1 : r.inputEnd] }
func (ix *table) errorText(r *indexRow) []byte { return ix.text.at(r.text)[r.inputEnd+1:] }

func (ix *table) hash(id string) uint64 { return maphash.String(ix.ids.seed, id) }

func (ix *table) find(id string) (uint32, bool) {
	return ix.ids.find(ix.hash(id), func(i uint32) bool { return string(ix.id(i)) == id })
}

// insert puts row i where it belongs in order.
func (ix *table) insert(i uint32) {
	if !ix.sorted {
		ix.order = append(ix.order, i)
		return
	}
	at := ix.position(ix.rows[i].started, ix.id(i))
	ix.order = slices.Insert(ix.order, at, i)
	ix.briefs = slices.Insert(ix.briefs, at, ix.rows[i].brief())
}

func (ix *table) unlink(i uint32) {
	if !ix.sorted {
		ix.order = slices.DeleteFunc(ix.order, func(j uint32) bool { return j == i })
		return
	}
	at := ix.position(ix.rows[i].started, ix.id(i))
	ix.order = slices.Delete(ix.order, at, at+1)
	ix.briefs = slices.Delete(ix.briefs, at, at+1)
}

// position is the place in order of the first run that is not before this one.
func (ix *table) position(started int64, id []byte) int {
	at, _ := slices.BinarySearchFunc(ix.order, started, func(i uint32, started int64) int {
		return cmp.Or(cmp.Compare(ix.rows[i].started, started), bytes.Compare(ix.id(i), id))
	})
	return at
}

func (ix *table) remove(id string) bool {
	i, ok := ix.find(id)
	if !ok {
		return false
	}
	ix.unlink(i)
	ix.ids.remove(ix.hash(id), i)
	ix.rows[i] = indexRow{}
	ix.free = append(ix.free, i)
	return true
}

// sort makes order what its name says, once all runs are in.
func (ix *Index) sort() {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	slices.SortFunc(ix.order, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(ix.rows[a].started, ix.rows[b].started), bytes.Compare(ix.id(a), ix.id(b)))
	})
	ix.briefs = make([]brief, len(ix.order))
	for at, i := range ix.order {
		ix.briefs[at] = ix.rows[i].brief()
	}
	ix.sorted = true
	ix.forgetCounts()
}
