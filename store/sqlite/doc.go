// Package sqlite reads Wave's state database, which is a SQLite file that other
// processes write: [Rows] selects what its tables hold, [Tracker] finds out what
// changed, and [DB] is the file as it was opened.
//
// The file belongs to Wave. It is opened read-only and may be of any schema,
// replaced or deleted at any time. What a writer put into a column that cannot be
// there is unknown, and is made so in the statement that reads it.
package sqlite
