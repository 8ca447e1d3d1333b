package diagnose

import (
	"fmt"
	"slices"
	"time"

	"wavedeck/store/wave"
)

// outerRun is what is known of the runs of an outer row.
type outerRun struct {
	All, Active, Succeeded int
	Ended                  wave.State // the worst end among them, of a fork the last one
	Last                   time.Time  // the last sign of any
	Fork                   bool       // they are resumptions of a fork
}

// derive derives the state of an outer row. Between two runs nothing says whether
// another one follows; it is given as long as a run without any sign is.
func (o *outerRun) derive(now time.Time) (wave.State, string) {
	reason := fmt.Sprintf("%d of %d child runs succeeded", o.Succeeded, o.All)
	if o.Fork {
		reason = "forked, then resumed"
	}
	silent, known := Age(o.Last, now)
	switch isQuiet := !known || silent > SilenceLimit; {
	case o.Active > 0 && isQuiet:
		return wave.Lost, reason
	case o.Active > 0, !isQuiet && !o.Fork:
		return wave.Running, reason
	default:
		return o.Ended, reason
	}
}

// MayBeOuter reports whether nothing but other runs can tell what became of it.
func (r *Record) MayBeOuter() bool {
	return r.Status == "pending" && r.Facts.Heartbeat.IsZero() && !r.Facts.HasEvents && r.PipelineState == "" && r.PID == 0
}

// IsBatch reports whether the row may be that of a batch: its runs are linked to
// it by nothing, but follow it.
func (r *Record) IsBatch() bool {
	return r.Parent == "" && r.ForkedFrom == "" && r.Input == "" && r.StartedAt > 0
}

// Until leaves the runs of an outer row as they were at a moment.
func (r *Record) Until(at time.Time) {
	now := at.Unix()
	r.Outer = slices.DeleteFunc(r.Outer, func(item wave.OuterItem) bool { return item.Started > now })
	for i := range r.Outer {
		item := &r.Outer[i]
		if item.Completed > now {
			item.Status, item.Completed = "running", 0
		}
		item.LastEvent, item.Beat = min(item.LastEvent, now), min(item.Beat, now)
	}
	r.Facts.Outer = OuterOf(r)
}

// OuterOf sums up the runs of a row, nil when it has none.
func OuterOf(r *Record) *outerRun {
	if len(r.Outer) == 0 {
		return nil
	}
	o := &outerRun{All: len(r.Outer), Fork: r.Facts.Forked, Ended: wave.Succeeded}
	for _, item := range r.Outer {
		if at := wave.Unix(max(item.Started, item.Completed, item.LastEvent, item.Beat)); at.After(o.Last) {
			o.Last = at
		}
		end := wave.Succeeded
		switch item.Status {
		case "completed", "completed_empty":
			o.Succeeded++
		case "failed":
			end = wave.Failed
		case "cancelled":
			end = wave.Cancelled
		default:
			o.Active++
		}
		if o.Fork || end == wave.Failed || end == wave.Cancelled && o.Ended != wave.Failed {
			o.Ended = end
		}
	}
	return o
}
