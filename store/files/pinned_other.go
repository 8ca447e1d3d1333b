//go:build !linux

package files

import (
	"os"
	"syscall"
)

const (
	errNotDirectory = syscall.ENOTDIR
	errTooManyLinks = syscall.ELOOP
	errNameTooLong  = syscall.ENAMETOOLONG
)

// pinned opens what name leads to within root once allowed has agreed, before and
// after it is opened. Without the means to hold a file that is not open, one that
// takes its place in between is opened, and closed when it is refused.
func pinned(root *os.Root, name string, allowed func(os.FileInfo) error) (*os.File, os.FileInfo, error) {
	info, err := root.Stat(name)
	if err == nil {
		err = allowed(info)
	}
	if err != nil {
		return nil, nil, err
	}
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	if info, err = f.Stat(); err == nil {
		err = allowed(info)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}
