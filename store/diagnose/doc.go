// Package diagnose holds the rules that say what became of a run and of its
// steps, whether it moves, when it will be done, why it failed, and what it was
// at an earlier moment.
//
// Rules take rows of package wave and derive values of it. They read nothing: a
// [History] folds the events of a run, a [Record] holds its row with what stands
// beside it, and [StepRows] holds those of its steps, from whatever database.
package diagnose
