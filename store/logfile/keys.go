package logfile

import (
	"bytes"
	"sort"
	"strings"

	"wavedeck/store/redact"
)

// A window may begin behind the first line of a private key and end before its
// last one. So the index knows where keys are.

// Bounds of what is kept of a file, and of how far a key goes on that has no end.
const (
	maxKeys     = 1000
	keyLines    = 4000
	keyAnything = 400 // so far a word of any length may be a line of it
	markLength  = 96  // at least as long as a mark with what it needs to be one
)

// key is where in a file a private key is: behind the line from, up to the line to.
type key struct {
	from, to int64 // to is 0 where no end is known
}

// keys finds them while the file is indexed.
type keys struct {
	list []key
	rest []byte // what ends the bytes before and may be the beginning of a mark
}

// add looks at the next bytes of the file; lines is how many line ends are before
// them.
func (k *keys) add(data []byte, lines int64) {
	text := append(bytes.Clone(k.rest), data[:min(len(data), 2*markLength)]...)
	if hasMark(text) || hasMark(data) {
		text = append(text, data[min(len(data), 2*markLength):]...)
		no := lines
		for line := range bytes.Lines(text) {
			no++
			if hasMark(line) {
				k.mark(no, string(line))
			}
		}
	}
	tail := append(bytes.Clone(k.rest), data[max(0, len(data)-markLength):]...)
	tail = tail[bytes.LastIndexByte(tail, '\n')+1:]
	k.rest = tail[max(0, len(tail)-markLength):]
}

func hasMark(text []byte) bool {
	for _, mark := range (redact.Keys{}).Marks() {
		if bytes.Contains(text, []byte(mark)) {
			return true
		}
	}
	return false
}

// mark notes a line in which a key begins or ends.
func (k *keys) mark(no int64, line string) {
	n := len(k.list)
	open := n > 0 && k.list[n-1].to == 0
	switch after := (redact.Keys{}).After(open, line); {
	case open && !after:
		k.list[n-1].to = no
	case !open && after && n < maxKeys:
		k.list = append(k.list, key{from: no})
	}
}

// hide gives the line no without what belongs to a key.
func hide(list []key, no int64, line string) string {
	i := sort.Search(len(list), func(i int) bool { return list[i].from >= no }) - 1
	if i < 0 || list[i].to > 0 && no >= list[i].to || list[i].to == 0 && no > list[i].from+keyLines {
		return line
	}
	return strings.TrimSuffix(redact.Keys{}.Hide(line, list[i].to > 0 || no <= list[i].from+keyAnything), "\n")
}
