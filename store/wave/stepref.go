package wave

import (
	"cmp"
)

// StepRef names a step of a run.
type StepRef struct {
	Run  string `db:"run"`
	Step string `db:"step"`
}

// Compare orders references by run, then by step.
func (r StepRef) Compare(o StepRef) int {
	return cmp.Or(cmp.Compare(r.Run, o.Run), cmp.Compare(r.Step, o.Step))
}
