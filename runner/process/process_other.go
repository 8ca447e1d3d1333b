//go:build unix && !linux

package process

import "syscall"

// Marked cannot be told here: other processes' environments are not shown.
func Marked(...string) []int { return nil }

// HasArgument takes a recorded pid at its word where it cannot be asked.
func HasArgument(pid int, _ string) bool { return Alive(pid) }

// Group has a process start in a group of its own.
func Group() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func groupWorks(int) bool { return true }

func works(pid int) bool { return Alive(pid) }
