package handlers

// ExportAtMost makes exported runs small until the caller gives it back.
func ExportAtMost(n int) (restore func()) {
	before := exportMost
	exportMost = n
	return func() { exportMost = before }
}
