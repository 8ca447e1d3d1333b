package statedb

import (
	"fmt"
	"strconv"
)

// Describe tells the schema version that a database notes, 0 when it notes
// none, and what its tables say where that is another: they are those of the
// versions from oldest to newest.
func Describe(noted, oldest, newest int) string {
	tables := strconv.Itoa(newest)
	if oldest < newest {
		tables = fmt.Sprintf("%d to %d", oldest, newest)
	}
	switch {
	case noted == 0:
		return "not noted; the tables are those of " + tables
	case noted < oldest || noted > newest && noted <= Latest:
		return fmt.Sprintf("%d is noted, but the tables are those of %s", noted, tables)
	case noted > Latest:
		return fmt.Sprintf("%d, newer than %d, the newest that is known here", noted, Latest)
	default:
		return strconv.Itoa(noted)
	}
}
