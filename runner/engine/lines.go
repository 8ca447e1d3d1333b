//go:build unix

package engine

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
)

// Bounds of what is kept of output.
const (
	maxLine = 8 << 10 // bytes of a line; the rest of it is left out
	maxTail = 4 << 10 // bytes of the end of all output
)

// readStream records each line until the stream ends. Whatever comes, no more
// than a line is in memory.
func (o *jobOutput) readStream(s *stream, capture *os.File, quiet bool, last *tail) {
	input := bufio.NewReaderSize(&counted{s}, 64<<10)
	for line := []byte(nil); ; {
		part, err := input.ReadSlice('\n')
		if capture != nil && len(part) > 0 {
			if _, failed := capture.Write(part); failed != nil {
				o.failed.CompareAndSwap(nil, &failed)
				capture = nil
			}
		}
		line = append(line, part[:min(len(part), maxLine+1-min(len(line), maxLine+1))]...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if len(line) > 0 {
			o.line(line, quiet, last)
			line = line[:0]
		}
		if err != nil {
			return // its end, or the deadline that finish sets
		}
	}
}

func (o *jobOutput) line(line []byte, quiet bool, last *tail) {
	text := string(line)
	if len(text) > maxLine {
		text = text[:maxLine] + "…"
	}
	text = strings.TrimRight(text, "\r\n")
	o.tail.add(text)
	if last != nil {
		last.add(text)
	}
	if quiet || o.lines.Add(1) > int64(o.step.opt.lines) {
		return
	}
	o.step.event(event{step: o.step.step.ID, state: "stream_activity", persona: o.step.step.Persona, message: text})
}

// counted counts what is read of a stream.
type counted struct{ *stream }

func (c *counted) Read(p []byte) (int, error) {
	c.working.Store(false)
	n, err := c.reader.Read(p)
	c.working.Store(err == nil)
	c.moved.Add(int64(n))
	return n, err
}

var _ io.Reader = (*counted)(nil)

// tail keeps the last lines of a text.
type tail struct {
	mu    sync.Mutex
	lines []string
	size  int
}

func (t *tail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, line)
	t.size += len(line) + 1
	for t.size > maxTail && len(t.lines) > 1 {
		t.size -= len(t.lines[0]) + 1
		t.lines = t.lines[1:]
	}
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == 0 {
		return ""
	}
	return strings.ToValidUTF8(strings.Join(t.lines, "\n"), "\uFFFD") + "\n"
}
