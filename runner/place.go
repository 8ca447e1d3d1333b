package runner

// Place is where the process of a run is, and so where it can be answered.
type Place struct {
	Host     string
	PID      int    // 0: not found
	Terminal string // such as /dev/pts/3; empty: it has none, or that is not known
	User     string
	Command  string
}
