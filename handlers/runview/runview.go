// Package runview is what several features show of runs, and what must be read for it:
// rows with their children, flags and costs, the head of a run's pages, the filter in an
// address, timelines and graphs, and the actions that a run offers.
package runview

import (
	"wavedeck/handlers/web"
	"wavedeck/runner"
)

// Reader reads what is shown of runs. A feature's Handler embeds it.
type Reader struct {
	*web.Kit
	*offers
	*costs
	*pictures
	*filters
}

// offers says what can be done with a run.
type offers struct {
	*web.Kit
	Engine runner.Engine // carries out runs; nil: none can be started or stopped
}

// costs says what runs cost.
type costs struct{ *web.Kit }

// pictures draws timelines and graphs.
type pictures struct {
	*web.Kit
	*moments
}

// moments reads a run as it was.
type moments struct{ *web.Kit }

// filters offers the filters of the list of runs.
type filters struct{ *web.Kit }

// New makes a Reader. Without an engine no run can be started or stopped.
func New(kit *web.Kit, engine runner.Engine) *Reader {
	return &Reader{kit, &offers{kit, engine}, &costs{kit}, &pictures{kit, &moments{kit}}, &filters{kit}}
}
