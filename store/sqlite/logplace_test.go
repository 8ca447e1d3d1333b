package sqlite

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

func TestLogPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	place := func(after logPlace) logPlace {
		t.Helper()
		p, err := readLogPlace(path, after)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	const page = 512
	salt := func(n byte) []byte { return []byte{n, 1, 2, 3, 4, 5, 6, 7} }
	head := append(binary.BigEndian.AppendUint32(nil, 0x377f0682), make([]byte, 4)...)
	head = binary.BigEndian.AppendUint32(head, page)
	head = append(append(append(head, make([]byte, 4)...), salt(1)...), make([]byte, 8)...)
	frame := func(commit uint32, s byte) []byte {
		f := binary.BigEndian.AppendUint32(make([]byte, 4), commit)
		return append(append(append(f, salt(s)...), make([]byte, 8)...), make([]byte, page)...)
	}
	file := []byte{}
	put := func(more []byte) {
		t.Helper()
		file = append(file, more...)
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if p := place(logPlace{}); p != (logPlace{}) {
		t.Errorf("of no log: %v", p)
	}
	put(head[:20])
	if p := place(logPlace{}); p != (logPlace{}) {
		t.Errorf("of half a head: %v", p)
	}
	put(head[20:])
	begun := place(logPlace{})
	put(frame(0, 1))
	if p := place(begun); p != begun {
		t.Errorf("an open transaction moved it from %v to %v", begun, p)
	}
	put(frame(9, 1))
	first := place(begun)
	if first.commits != 2 {
		t.Errorf("after a commit of two pages: %v", first)
	}
	put(frame(0, 1))
	put(frame(9, 1)[:30])
	if p := place(first); p != first {
		t.Errorf("a torn commit moved it to %v", p)
	}
	file = file[:len(file)-30]
	put(frame(9, 1))
	put(frame(9, 2)) // left over from a log before
	if a, b := place(first), place(logPlace{}); a != b || a.commits != 4 {
		t.Errorf("from the last place %v, from the start %v", a, b)
	}
}
