//go:build !linux && !darwin

package handlers

func openFiles() (used, most int) { return 0, 0 }
