package handlers

import "time"

// WriteWithin makes the time that a reader has for one write short until the
// caller gives it back.
func WriteWithin(d time.Duration) (restore func()) {
	before := writeWithin
	writeWithin = d
	return func() { writeWithin = before }
}

// BodyWithin makes the time in which a body has to come short until the caller
// gives it back.
func BodyWithin(d time.Duration) (restore func()) {
	before := bodyWithin
	bodyWithin = d
	return func() { bodyWithin = before }
}

// ExportAtMost makes exported runs small until the caller gives it back.
func ExportAtMost(n int) (restore func()) {
	before := exportMost
	exportMost = n
	return func() { exportMost = before }
}
