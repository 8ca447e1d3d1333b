package redact

import (
	"errors"
	"io"
)

// Reader reads a text without its secrets. It gives what Text would give for the
// whole, wherever the chunks of its source end, and holds about 128 KiB.
type Reader struct {
	source io.Reader
	scan   scanner
	buf    []byte // read and not yet decided, after lookbehind bytes that are
	keep   int    // how many bytes at the beginning of buf were given out
	out    []byte // decided and not yet given out
	err    error  // from the source
}

// NewReader gives a Reader of source, which stays the caller's to close.
func NewReader(source io.Reader) *Reader { return &Reader{source: source} }

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	for len(r.out) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.fill()
	}
	n := copy(p, r.out)
	r.out = r.out[n:]
	return n, nil
}

const window = 64 << 10

// fill reads until something is decided, or the source ends.
func (r *Reader) fill() {
	target := r.keep + lookahead + window
	for len(r.buf) < target && r.err == nil {
		if cap(r.buf) < target {
			r.buf = append(make([]byte, 0, target), r.buf...)
		}
		var n int
		n, r.err = r.source.Read(r.buf[len(r.buf):target])
		r.buf = r.buf[:len(r.buf)+n]
	}
	r.out = r.out[:0]
	s := &r.scan
	s.text = string(r.buf)
	s.whole = errors.Is(r.err, io.EOF)
	s.caches = caches{}
	from := r.keep
	for {
		f, ok := s.next()
		if !ok {
			break
		}
		r.out = append(r.out, s.text[from:f.Start]...)
		r.out = append(r.out, f.Kind.Placeholder()...)
		from = f.End
	}
	decided := min(max(s.at-backward, from), len(s.text)) // a secret may begin so far before what shows it
	if s.whole {
		decided = len(s.text)
	} else if r.err != nil { // the source broke off: what is not decided is not given out
		decided = from
	}
	r.out = append(r.out, s.text[from:decided]...)
	drop := max(decided-lookbehind, 0)
	r.buf = r.buf[:copy(r.buf, r.buf[drop:])]
	r.keep = decided - drop
	s.at = max(s.at-drop, r.keep)
	s.floor = max(s.floor-drop, 0)
	s.awsEnd = max(s.awsEnd-drop, 0)
	s.named.end = max(s.named.end-drop, 0)
	for w := range s.noted {
		s.noted[w] = max(s.noted[w]-drop, 0)
	}
}
