//go:build !linux && !darwin

package handlers

func freeBytes(string) (int64, bool) { return 0, false }

func openFiles() (used, most int) { return 0, 0 }
