package sqlite

import (
	"fmt"

	"wavedeck/store/wave"
)

// The columns of the state database hold what a writer put there: SQLite lets a
// text or a fraction stand in an INTEGER column. Every statement reads counts and
// times through the two functions below, so that a value that cannot be one is
// unknown everywhere, and the rows beside it are not affected.

// countSQL is an SQL expression: the count in the expression given, not negative and
// no more than JSON numbers hold exactly (2^53), NULL when it is none.
func countSQL(x string) string {
	return "CASE WHEN typeof(" + x + ") IN ('integer', 'real') AND " + x + " >= 0 AND " + x + " <= 9007199254740992 THEN CAST(" + x + " AS INTEGER) END"
}

// TimeSQL is an SQL expression: the time in the expression given in unix seconds,
// whole, later than 1970 began and before the year 10000, NULL when it is none.
func TimeSQL(x string) string {
	return fmt.Sprintf("CASE WHEN typeof(%[1]s) = 'integer' AND %[1]s >= 1 AND %[1]s < %[2]d THEN %[1]s END", x, wave.MaxUnix)
}

// tokenSumSQL is a sum whatever a writer put there: sum() itself is an error where
// it is more than 64 bits hold, and that much is no sum of tokens.
func tokenSumSQL() string {
	return "COALESCE(" + countSQL("total("+countSQL("tokens_used")+")") + ", 0) AS tokens"
}
