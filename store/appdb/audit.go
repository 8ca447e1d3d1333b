package appdb

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"wavedeck/store/dbfile"
)

// Entry is one line of the audit log: an action that somebody asked for, and
// what became of it. Texts are bounded and without secrets when they come here.
type Entry struct {
	At       time.Time         `json:"at"`
	Who      string            `json:"who"`            // "local", or "token:" and the start of the token's hash
	Says     string            `json:"says,omitempty"` // the name they gave, which nobody checked
	From     string            `json:"from,omitempty"` // address of the client
	Action   string            `json:"action"`
	Run      string            `json:"run,omitempty"`
	Runs     []string          `json:"runs,omitempty"` // of an action on many
	Pipeline string            `json:"pipeline,omitempty"`
	Params   map[string]string `json:"params,omitempty"`
	Result   Result            `json:"result"`
	Status   int               `json:"status"`
	Note     string            `json:"note,omitempty"`  // what was done, in a few words
	Error    string            `json:"error,omitempty"` // what the client was answered
	Request  string            `json:"request,omitempty"`
}

// Result is what became of an action.
type Result string

// Results of an action.
const (
	Done    Result = "done"
	Refused Result = "refused" // status 4xx
	Failed  Result = "failed"  // status 5xx
)

// audit is the log's file. It is only ever appended to: one write per entry,
// which the kernel keeps apart from those of other processes.
type audit struct {
	dir string

	mu   sync.Mutex
	file *os.File // nil before the first entry
}

const auditName = "audit.jsonl"

func (a *audit) path() string { return filepath.Join(a.dir, auditName) }

func (a *audit) close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file == nil {
		return nil
	}
	err := a.file.Close()
	a.file = nil
	return err
}

// current returns the file under the path, reopened when it was rotated away.
func (a *audit) current() (*os.File, error) {
	if a.file != nil {
		there, err := os.Stat(a.path())
		mine, mineErr := a.file.Stat()
		if err == nil && mineErr == nil && os.SameFile(there, mine) {
			return a.file, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		a.file.Close()
		a.file = nil
	}
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(a.path(), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	a.file = file
	return file, nil
}

// Append adds an entry and returns when it is on the disk.
func (d AuditLog) Append(e Entry) error {
	if d.dir == "" {
		return errNoFolder
	}
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode audit entry: %w", err)
	}
	if err := d.audit.append(append(line, '\n')); err != nil {
		return d.wrote(&UnavailableError{Reason: dbfile.Why(d.audit.path(), err), Err: err})
	}
	return d.wrote(nil)
}

func (a *audit) append(line []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	file, err := a.current()
	if err != nil {
		return err
	}
	// A line that somebody did not finish must not swallow this one.
	if torn, err := endsInside(file); err != nil {
		return err
	} else if torn {
		line = append([]byte{'\n'}, line...)
	}
	if _, err := file.Write(line); err != nil {
		return err
	}
	return file.Sync()
}

// endsInside reports whether the file's last line has no end.
func endsInside(file *os.File) (bool, error) {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return false, err
	}
	var last [1]byte
	if _, err := file.ReadAt(last[:], info.Size()-1); err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return last[0] != '\n', nil
}
