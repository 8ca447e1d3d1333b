package appdb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"wavedeck/store/system"
)

// AuditFilter restricts a page of the audit log. The zero filter is its newest entries.
type AuditFilter struct {
	Who    string // exactly, or the name that was given
	Action string // exactly
	Run    string // exactly, alone or among several
	Older  string // a page's Next
	Limit  int    // 0: 50
}

// AuditPage is a part of the log, newest first.
type AuditPage struct {
	Entries []AuditLine
	Next    string // where older entries go on; empty when there are none
	// Searched is how far back a filter has looked when it gave up before the
	// page was full; Next goes on from there.
	Searched time.Time
	Damaged  int // lines passed over because they cannot be read
}

// AuditLine is an entry and its place in the log.
type AuditLine struct {
	Entry

	Cursor string
}

// ErrCursor says that a place in the log means nothing any more: the log was
// rotated, or it never was one.
var ErrCursor = errors.New("not a position in the audit log")

// Bounds of reading. A window is what is read at once; a line longer than
// maxLine is passed over; after maxSearch bytes a page ends, full or not.
const (
	window    = 64 << 10
	maxLine   = 1 << 20
	maxSearch = 32 << 20
)

// Audit returns a page of the log. It reads from the end backwards, and no more
// than it needs.
func (d AuditLog) Audit(ctx context.Context, f AuditFilter) (AuditPage, error) {
	var page AuditPage
	if d.dir == "" {
		return page, errNoFolder
	}
	file, err := os.Open(d.audit.path())
	if errors.Is(err, fs.ErrNotExist) {
		if f.Older != "" {
			return page, ErrCursor
		}
		return page, nil
	}
	if err != nil {
		return page, &UnavailableError{Reason: "the audit log cannot be read: " + err.Error(), Err: err}
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return page, err
	}
	from := info.Size()
	if f.Older != "" {
		if from, err = place(file, info, f.Older); err != nil {
			return page, err
		}
	}
	if f.Limit <= 0 {
		f.Limit = 50
	}
	err = page.fill(ctx, backwards{file: file, at: from}, f, fileID(info))
	return page, err
}

func (page *AuditPage) fill(ctx context.Context, lines backwards, f AuditFilter, file string) error {
	start := lines.at
	for {
		line, at, err := lines.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read audit log: %w", err)
		case len(page.Entries) == f.Limit:
			// There is one more line at least, though perhaps none that matches.
			page.Next = page.Entries[f.Limit-1].Cursor
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case start-at > maxSearch:
			var e Entry
			if json.Unmarshal(line, &e) != nil || e.At.IsZero() {
				continue // the next line may say how far this is
			}
			page.Searched, page.Next = e.At, cursorAt(file, at+int64(len(line))+1)
			return nil
		case len(line) == 0, !f.may(line):
			continue
		}
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil || e.At.IsZero() {
			page.Damaged++
			continue
		}
		if f.matches(e) {
			page.Entries = append(page.Entries, AuditLine{Entry: e, Cursor: cursorAt(file, at)})
		}
	}
}

// may passes over most lines that cannot match without decoding them. What
// JSON escapes is decoded to be sure.
func (f AuditFilter) may(line []byte) bool {
	for _, text := range []string{f.Who, f.Action, f.Run} {
		if text != "" && !bytes.Contains(line, []byte(text)) && !bytes.ContainsRune(line, '\\') {
			return false
		}
	}
	return true
}

func (f AuditFilter) matches(e Entry) bool {
	return (f.Who == "" || f.Who == e.Who || f.Who == e.Says) &&
		(f.Action == "" || f.Action == e.Action) &&
		(f.Run == "" || f.Run == e.Run || slices.Contains(e.Runs, f.Run))
}

// fileID tells a log from the one that took its place, where the system tells files apart.
func fileID(info fs.FileInfo) string {
	_, inode := system.Inode(info)
	return strconv.FormatUint(inode, 36)
}

// cursorAt is the place before the line at offset at.
func cursorAt(file string, at int64) string { return file + "-" + strconv.FormatInt(at, 36) }

// place reads a cursor: the offset of a line's begin in this very file.
func place(file *os.File, info fs.FileInfo, cursor string) (int64, error) {
	id, offset, _ := strings.Cut(cursor, "-")
	at, err := strconv.ParseInt(offset, 36, 64)
	if err != nil || at < 0 || at > info.Size() || id != fileID(info) {
		return 0, ErrCursor
	}
	if at == 0 {
		return 0, nil
	}
	var before [1]byte
	if _, err := file.ReadAt(before[:], at-1); err != nil || before[0] != '\n' {
		return 0, ErrCursor
	}
	return at, nil
}

// backwards reads lines from the offset at towards the begin of a file.
type backwards struct {
	file io.ReaderAt
	at   int64  // where held begins
	held []byte // bytes from at on that were read and not yet returned
	end  bool   // the begin was returned
}

// next returns the line before the last one without its end, and its offset.
// The bytes are valid until the next call. io.EOF is the begin of the file.
func (b *backwards) next() ([]byte, int64, error) {
	skip := int64(0) // of a line that is too long
	for {
		if i := bytes.LastIndexByte(b.held, '\n'); i >= 0 {
			line := b.held[i+1:]
			b.held = b.held[:i]
			if skip > 0 {
				line = nil
			}
			return line, b.at + int64(i) + 1, nil
		}
		if b.at == 0 {
			if b.end {
				return nil, 0, io.EOF
			}
			b.end = true
			line := b.held
			b.held = nil
			if skip > 0 {
				line = nil
			}
			return line, 0, nil
		}
		if len(b.held) > maxLine {
			skip += int64(len(b.held))
			b.held = b.held[:0]
		}
		more := min(b.at, window)
		read := make([]byte, more, more+int64(len(b.held)))
		if _, err := b.file.ReadAt(read, b.at-more); err != nil && !errors.Is(err, io.EOF) {
			return nil, 0, err
		}
		b.held = append(read, b.held...)
		b.at -= more
	}
}
