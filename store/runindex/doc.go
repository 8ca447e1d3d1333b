// Package runindex holds what filters ask of every run in memory, and answers
// which runs satisfy one. It reads no database: a [Source] gives it the runs, and
// whoever knows of a change applies it.
package runindex
