package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	errNotDirectory = syscall.ENOTDIR
	errTooManyLinks = syscall.ELOOP
	errNameTooLong  = syscall.ENAMETOOLONG
	// oPath gives a descriptor that only stands for a file: it can be looked at, and
	// closing it drops no locks. Package syscall does not name it.
	oPath    = 0x200000
	maxLinks = 40
)

var errNoProc = errors.New("cannot be opened: /proc is not mounted")

// pinned opens what name leads to within root once allowed has agreed. The file is
// first held without opening it, so no other can take its place while it is asked
// about, and is then opened through what is held.
func pinned(root *os.Root, name string, allowed func(os.FileInfo) error) (*os.File, os.FileInfo, error) {
	held, info, err := hold(root, name)
	if err != nil {
		return nil, nil, err
	}
	defer held.Close()
	if err := allowed(info); err != nil {
		return nil, nil, err
	}
	raw, err := held.SyscallConn()
	if err != nil {
		return nil, nil, err
	}
	var f *os.File
	if cerr := raw.Control(func(fd uintptr) {
		f, err = os.OpenFile("/proc/self/fd/"+strconv.Itoa(int(fd)), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	}); cerr != nil {
		return nil, nil, cerr
	}
	if errors.Is(err, fs.ErrNotExist) { // it is held, so it is not the file that is missing
		return nil, nil, errNoProc
	}
	if err != nil {
		return nil, nil, err
	}
	info, err = f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// hold follows the links at the end of name itself: with the flag, a link is held
// in place of what it leads to. Links on the way are package os's.
func hold(root *os.Root, name string) (*os.File, os.FileInfo, error) {
	for range maxLinks {
		held, err := root.OpenFile(name, oPath, 0)
		if err != nil {
			return nil, nil, err
		}
		info, err := held.Stat()
		if err != nil {
			held.Close()
			return nil, nil, err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			return held, info, nil
		}
		held.Close()
		target, err := root.Readlink(name)
		if err != nil {
			return nil, nil, err
		}
		if filepath.IsAbs(target) {
			return nil, nil, fmt.Errorf("%w: leads to an absolute path", ErrUnreachable)
		}
		name = name[:strings.LastIndexByte(name, '/')+1] + target // not cleaned: a way up counts from where links lead
	}
	return nil, nil, errTooManyLinks
}
