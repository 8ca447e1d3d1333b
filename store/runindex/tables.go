package runindex

import (
	"hash/maphash"
	"slices"
	"strings"

	"wavedeck/store/wave"
)

// What an index is made of: none of these knows what a run is.

// idTable finds rows by the hash of their id: open addressing, at most three
// quarters full. A cell is a row's number + 2.
type idTable struct {
	seed  maphash.Seed
	cells []uint32
	used  int // cells that are not empty
}

const (
	cellEmpty   = 0
	cellRemoved = 1
	cellFirst   = 2
)

func (t *idTable) find(hash uint64, is func(row uint32) bool) (uint32, bool) {
	if len(t.cells) == 0 {
		return 0, false
	}
	mask := uint64(len(t.cells)) - 1
	for at := hash & mask; ; at = (at + 1) & mask {
		switch c := t.cells[at]; {
		case c == cellEmpty:
			return 0, false
		case c >= cellFirst && is(c-cellFirst):
			return c - cellFirst, true
		}
	}
}

// add enters a row that does not exist yet; hashOf is asked when the table grows.
func (t *idTable) add(hash uint64, row uint32, hashOf func(row uint32) uint64) {
	if 4*(t.used+1) > 3*len(t.cells) {
		old := t.cells
		live := 0
		for _, c := range old {
			if c >= cellFirst {
				live++
			}
		}
		size := 1024
		for 2*size < 4*(live+1) {
			size *= 2
		}
		t.cells, t.used = make([]uint32, size), 0
		for _, c := range old {
			if c >= cellFirst {
				t.enter(hashOf(c-cellFirst), c)
			}
		}
	}
	t.enter(hash, row+cellFirst)
}

func (t *idTable) enter(hash uint64, cell uint32) {
	mask := uint64(len(t.cells)) - 1
	at := hash & mask
	for t.cells[at] != cellEmpty {
		at = (at + 1) & mask
	}
	t.cells[at] = cell
	t.used++
}

func (t *idTable) remove(hash uint64, row uint32) {
	mask := uint64(len(t.cells)) - 1
	for at := hash & mask; t.cells[at] != cellEmpty; at = (at + 1) & mask {
		if t.cells[at] == row+cellFirst {
			t.cells[at] = cellRemoved
			return
		}
	}
}

// arena keeps texts in large blocks.
type arena struct{ blocks [][]byte }

type span struct{ block, start, length uint32 }

func (a *arena) add(text string) span {
	const blockSize = 1 << 20
	last := len(a.blocks) - 1
	if last < 0 || cap(a.blocks[last])-len(a.blocks[last]) < len(text) {
		a.blocks = append(a.blocks, make([]byte, 0, max(blockSize, len(text))))
		last++
	}
	start := len(a.blocks[last])
	a.blocks[last] = append(a.blocks[last], text...)
	return span{uint32(last), uint32(start), uint32(len(text))} //nolint:gosec // blocks are small
}

func (a *arena) at(s span) []byte {
	if s.length == 0 {
		return nil
	}
	return a.blocks[s.block][s.start : s.start+s.length]
}

func (a *arena) size() (n int) {
	for _, b := range a.blocks {
		n += cap(b)
	}
	return n
}

// interned numbers the texts that many runs share. Number 0 is the empty one.
type interned struct {
	list    []string
	numbers map[string]uint32
}

func newInterned() interned { return interned{[]string{""}, map[string]uint32{"": 0}} }

func (in *interned) number(text string) uint32 {
	if n, ok := in.numbers[text]; ok {
		return n
	}
	n := uint32(len(in.list)) //nolint:gosec // at most one per run
	text = strings.Clone(text)
	in.list = append(in.list, text)
	in.numbers[text] = n
	return n
}

// tagLists numbers lists of tags by the JSON text they are stored as.
type tagLists struct {
	interned
	lists [][]string // parsed, without repetitions
}

func newTagLists() tagLists { return tagLists{newInterned(), [][]string{nil}} }

func (t *tagLists) number(text string) uint32 {
	n := t.interned.number(text)
	if int(n) == len(t.lists) {
		list := wave.ParseTags(text)
		slices.Sort(list)
		t.lists = append(t.lists, slices.Compact(list))
	}
	return n
}
