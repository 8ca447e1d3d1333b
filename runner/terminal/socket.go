//go:build unix

// Package terminal holds the terminals that runs are asked at: a small process for
// each, which outlives the console, and takes answers at a socket of its own.
package terminal

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// maxPath is how long the path of a socket may be: 104 bytes with their NUL on
// macOS and FreeBSD, 108 on Linux.
const maxPath = 103

// Sockets is the folder with the sockets of a console.
type Sockets string

// Path is the socket of a run that a state database has. The folder is made when
// it does not exist. Where its path is too long for a socket, it is a folder of this
// user among the temporary files, whose name follows from it.
func (s Sockets) Path(db, run string) (string, error) {
	name := digest(db+"\x00"+run, 20)
	dir := string(s)
	if len(filepath.Join(dir, name)) > maxPath {
		base := cmp.Or(os.Getenv("XDG_RUNTIME_DIR"), os.TempDir())
		dir = filepath.Join(base, "wavedeck-"+strconv.Itoa(os.Getuid())+"-"+digest(string(s), 12))
	}
	if len(filepath.Join(dir, name)) > maxPath {
		return "", fmt.Errorf("the path of the socket is longer than %d bytes: %s", maxPath, filepath.Join(dir, name))
	}
	return filepath.Join(dir, name), private(dir)
}

// private makes a folder that nobody else can use, or says why there is none.
func private(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(stat.Uid) != os.Getuid() || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s is not a folder that only this user can write to", dir)
	}
	return nil
}

func digest(text string, n int) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])[:n]
}

// sweepAfter is how old a socket is that is swept: a new one may not be listened at yet.
const sweepAfter = time.Minute

// Sweep removes the sockets that nobody listens at any more.
func (s Sockets) Sweep(ctx context.Context) {
	path, err := s.Path("", "")
	if err != nil {
		return
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return
	}
	for _, entry := range entries {
		at := filepath.Join(filepath.Dir(path), entry.Name())
		info, err := entry.Info()
		if err != nil || entry.Type()&fs.ModeSocket == 0 || time.Since(info.ModTime()) < sweepAfter {
			continue
		}
		conn, err := (&net.Dialer{Timeout: dialWithin}).DialContext(ctx, "unix", at)
		if errors.Is(err, syscall.ECONNREFUSED) {
			_ = os.Remove(at)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
}
