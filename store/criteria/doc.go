// Package criteria says what can be asked of runs and logs: filters, predicates,
// cursors and the pages that answer them.
package criteria
