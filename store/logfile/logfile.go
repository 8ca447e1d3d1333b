// Package logfile reads windows of a large text file by the numbers of its lines,
// without holding the file: a count of lines is kept for each megabyte of it, and
// where private keys begin and end. Lines of a private key are hidden, wherever a
// window begins; other secrets are not.
package logfile

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"
	"sync"
)

const (
	chunk = 1 << 20
	// MaxLine is how many bytes of a line are read.
	MaxLine = 64 << 10
)

// Index knows where the lines of a file are. The zero value knows nothing yet. It
// may be used by many goroutines at once.
type Index struct {
	mu    sync.Mutex
	info  os.FileInfo // of the file that was looked at
	size  int64       // bytes that were looked at
	lines int64       // line ends in them
	sums  []int64     // line ends before each chunk
	open  bool        // the last line has no end yet
	keys  keys
}

// Line is a line without its end.
type Line struct {
	No   int64 // from 1
	Text string
	Cut  int64 // bytes of it that were not read
}

// Window is a file as it was at one moment. It is read while f is open.
type Window struct {
	f     *os.File
	size  int64
	sums  []int64
	keys  []key
	Lines int64 // how many there are
}

// Look reads what came since the last look, or all of it when f is another file
// or was cut. It costs the new bytes only. The caller keeps f open while it uses
// the window.
func (x *Index) Look(ctx context.Context, f *os.File) (Window, error) {
	info, err := f.Stat()
	if err != nil {
		return Window{}, fmt.Errorf("index log: %w", err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.info == nil || !os.SameFile(x.info, info) || info.Size() < x.size {
		x.size, x.lines, x.sums, x.open, x.keys = 0, 0, nil, false, keys{}
	}
	x.info = info
	buf := make([]byte, min(chunk, info.Size()-x.size))
	for x.size < info.Size() {
		if err := ctx.Err(); err != nil {
			return Window{}, fmt.Errorf("index log: %w", err)
		}
		if x.size%chunk == 0 && int64(len(x.sums)) == x.size/chunk {
			x.sums = append(x.sums, x.lines)
		}
		n, err := f.ReadAt(buf[:min(chunk-x.size%chunk, info.Size()-x.size)], x.size)
		if n > 0 {
			x.keys.add(buf[:n], x.lines)
			x.size += int64(n)
			x.lines += int64(bytes.Count(buf[:n], []byte{'\n'}))
			x.open = !bytes.HasSuffix(buf[:n], []byte{'\n'})
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Window{}, fmt.Errorf("index log: %w", err)
		}
	}
	w := Window{f: f, size: x.size, sums: slices.Clip(x.sums), keys: slices.Clone(x.keys.list), Lines: x.lines}
	if x.open {
		w.Lines++
	}
	return w, nil
}

// Read returns at most n lines from the line no on, fewer when their texts are
// longer than limit bytes together; one line always fits.
func (w Window) Read(ctx context.Context, no int64, n int, limit int) ([]Line, error) {
	no = max(no, 1)
	if no > w.Lines {
		return nil, nil
	}
	i := sort.Search(len(w.sums), func(i int) bool { return w.sums[i] >= no-1 }) // the line's beginning is before this chunk
	i = max(i-1, 0)
	r := w.reader(int64(i) * chunk)
	for skip := no - 1 - w.sums[i]; skip > 0; skip-- {
		if err := pass(ctx, r); err != nil {
			return nil, err
		}
	}
	var lines []Line
	for size := 0; len(lines) < n && no <= w.Lines; no++ {
		text, cut, err := line(r)
		end := errors.Is(err, io.EOF)
		if err != nil && !end {
			return nil, fmt.Errorf("read log: %w", err)
		}
		if size += len(text); size > limit && len(lines) > 0 {
			break
		}
		lines = append(lines, Line{No: no, Text: hide(w.keys, no, string(text)), Cut: cut})
		if end {
			break
		}
	}
	return lines, nil
}

func (w Window) reader(from int64) *bufio.Reader {
	return bufio.NewReaderSize(io.NewSectionReader(w.f, from, w.size-from), MaxLine)
}

// pass reads to the end of a line.
func pass(ctx context.Context, r *bufio.Reader) error {
	for {
		_, err := r.ReadSlice('\n')
		if err == nil {
			return nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return fmt.Errorf("read log: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("read log: %w", err)
		}
	}
}

// line reads a line, MaxLine bytes of it at most. What it gives is valid until the
// next read.
func line(r *bufio.Reader) (text []byte, cut int64, err error) {
	text, err = r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		text = bytes.Clone(text)
		for errors.Is(err, bufio.ErrBufferFull) {
			var more []byte
			more, err = r.ReadSlice('\n')
			cut += int64(len(bytes.TrimSuffix(more, []byte{'\n'})))
		}
	}
	return bytes.TrimSuffix(text, []byte{'\n'}), cut, err
}

// Search returns the numbers of the first lines that holds is true for, at most
// limit, and whether there are more or ctx ended before the end of the file. A
// line is looked at where it contains text, in either case of ASCII letters.
func (w Window) Search(ctx context.Context, text string, limit int, holds func(string) bool) (found []int64, more, tired bool, err error) {
	want := lower(nil, []byte(text))
	r := w.reader(0)
	var folded []byte
	for no := int64(1); no <= w.Lines; no++ {
		if no%1024 == 0 && ctx.Err() != nil {
			return found, false, true, nil //nolint:nilerr // what was found by then is the answer
		}
		raw, _, err := line(r)
		end := errors.Is(err, io.EOF)
		if err != nil && !end {
			return found, false, false, fmt.Errorf("search log: %w", err)
		}
		folded = lower(folded[:0], raw)
		if (bytes.Contains(folded, want) || bytes.ContainsAny(raw, "\x1b\r\b")) && holds(hide(w.keys, no, string(raw))) {
			if len(found) == limit {
				return found, true, false, nil
			}
			found = append(found, no)
		}
		if end {
			break
		}
	}
	return found, false, false, nil
}

func lower(to, text []byte) []byte {
	to = append(to, text...)
	for i, c := range to {
		if 'A' <= c && c <= 'Z' {
			to[i] = c + 'a' - 'A'
		}
	}
	return to
}
