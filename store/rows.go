package store

import (
	"context"

	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

// Rows is what a database of Wave says, as rows, with times in unix seconds. All that
// is answered is derived from them, so whatever implements it is read by the same
// rules. What a database does not record is no row, or one that says nothing.
type Rows interface {
	RunRows
	RelativeRows
	SumRows
	EventRows
	MomentRows
	TextRows
	PastRows
	StepRows
	OutputRows
	PlaceRows
	// Snapshot calls read with rows that all are of one moment.
	Snapshot(ctx context.Context, read func(Rows) error) error
}

// RunRows are the rows of pipeline_run, with those of other tables that have one per run.
type RunRows interface {
	// Runs reads the runs with these ids, in no order.
	Runs(ctx context.Context, ids []string) ([]wave.RunRow, error)
	// StepWords reads what a list shows of the steps of runs, in the order of the rows
	// of each.
	StepWords(ctx context.Context, ids []string) ([]wave.StepWord, error)
	// EntryRows reads the runs with these ids for an index; those that are gone are
	// left out.
	EntryRows(ctx context.Context, ids []string) ([]wave.EntryRow, error)
	// EntryRowsAfter reads the next of all runs for an index, in the order of their rows.
	EntryRowsAfter(ctx context.Context, row int64, limit int) ([]wave.EntryRow, error)
	// PipelineRuns lists the runs of a pipeline that were recorded last, the last first.
	PipelineRuns(ctx context.Context, pipeline string, limit int) (ids []string, err error)
	// BegunSince counts the runs that began after a second and have no end.
	BegunSince(ctx context.Context, second int64) (n int, err error)
	// OpenRuns lists runs that have no end.
	OpenRuns(ctx context.Context, limit int) (ids []string, err error)
	// MetricTokens sums what the measured attempts of runs used.
	MetricTokens(ctx context.Context, ids []string) (map[string]int64, error)
}

// RelativeRows are what is recorded of runs that belong to others.
type RelativeRows interface {
	// Items reads the direct children of runs that hold others together, oldest first.
	Items(ctx context.Context, ids []string) ([]wave.OuterItem, error)
	// Followers reads the runs of its pipeline that began after a run, in their order.
	// Where no run says whether it beats, nothing tells them from others: there are none.
	Followers(ctx context.Context, run, pipeline string, started int64) ([]wave.OuterItem, error)
	// Orphans lists those of the runs whose parent cannot be found.
	Orphans(ctx context.Context, ids []string) (orphans []string, err error)
	// Children lists the first direct children of each parent, oldest first, at most
	// limit of each.
	Children(ctx context.Context, parents []string, limit int) (ids []string, err error)
	// ChildrenUntil is Children of those that had begun at a second.
	ChildrenUntil(ctx context.Context, parent string, second int64, limit int) (ids []string, err error)
	// NewestChildren lists the direct children of a run, newest first.
	NewestChildren(ctx context.Context, parent string, limit int) (ids []string, err error)
	// OpenChildren lists the direct children of runs that have no end.
	OpenChildren(ctx context.Context, parents []string, limit int) (ids []string, err error)
	// UnsettledChildren lists the direct children of runs whose state is derived from
	// theirs.
	UnsettledChildren(ctx context.Context, parents []string) (children []string, err error)
	// FailedChildren names, of each run that may have failed one of the parents, that
	// parent: at most limit of each.
	FailedChildren(ctx context.Context, parents []string, limit int) (map[string]string, error)
	// Parents lists the runs that are named as parent of one of the runs.
	Parents(ctx context.Context, ids []string) (parents []string, err error)
}

// SumRows are what is summed up over runs that belong to others.
type SumRows interface {
	// ChildTallies counts the direct children of runs.
	ChildTallies(ctx context.Context, ids []string) (map[string]wave.ChildTally, error)
	// SubtreeTokens sums what all runs beneath each run used; nil when there are too
	// many to look at.
	SubtreeTokens(ctx context.Context, ids []string) ([]wave.TokenSum, error)
	// Descendants lists each run and those beneath it, the nearest first, to a depth and
	// at most limit of all.
	Descendants(ctx context.Context, ids []string, depth, limit int) ([]wave.Descendant, error)
}

// EventRows are the events of runs.
type EventRows interface {
	// Events reads a window of one run's events, oldest first.
	Events(ctx context.Context, f criteria.EventFilter) ([]wave.Event, error)
	// LastEvents finds the newest event of each run; one without events is left out.
	LastEvents(ctx context.Context, runs []string) (ends []wave.EventEnd, err error)
	// EventsUntil finds the newest event of each run up to an event, and whether it has
	// later ones.
	EventsUntil(ctx context.Context, runs []string, event int64) (ends []wave.EventEnd, err error)
	// EachEvent calls take with each event of parts of runs that tells of a state or of
	// tokens, those of one run in their order. The events of a long run are never held
	// together.
	EachEvent(ctx context.Context, reach []wave.EventReach, take func(wave.Event)) error
	// Tails reads the events of the runs themselves, not of their steps, among the first
	// and the last few of each run, by their ids.
	Tails(ctx context.Context, runs []string) ([]wave.Event, error)
	// EventSpan counts the events of a run behind one.
	EventSpan(ctx context.Context, run string, after int64) (span wave.EventSpan, err error)
	// EventSpanUntil counts the events of a run up to one.
	EventSpanUntil(ctx context.Context, run string, upTo int64) (span wave.EventSpan, err error)
	// EventsBetween counts a run's events whose ids are between two, both excluded.
	EventsBetween(ctx context.Context, run string, after, before int64) (n int64, err error)
	// LastEventOf is the newest event of a run; 0: it has none.
	LastEventOf(ctx context.Context, run string) (last int64, err error)
}

// MomentRows are places in the history that events make.
type MomentRows interface {
	// LatestMoment finds the last event, of any run, at or before a second; false: there
	// is none. Ids are the order; times of several writers may stand in another one.
	// Within the newest second that is not after it, the last id is meant.
	LatestMoment(ctx context.Context, second int64) (wave.Moment, bool, error)
	// MomentOf finds an event, or the last one before that id; false: there is none. The
	// time of an event that has none is that of an event before it.
	MomentOf(ctx context.Context, event int64) (wave.Moment, bool, error)
	// Neighbours finds a run's first and last event, the one before its latest at or
	// before the event, and the next one after; of all runs without one.
	Neighbours(ctx context.Context, run string, event int64) (n wave.Neighbours, err error)
}

// TextRows are the texts of events.
type TextRows interface {
	// EachLogEvent calls take with the events of a window that f may choose, one by one,
	// until it wants no more. Whether the text is there, the caller looks.
	EachLogEvent(ctx context.Context, f criteria.LogFilter, w criteria.LogWindow, take func(wave.Event) bool) error
	// EachLogText is EachLogEvent of the whole log, with what is needed to look for a
	// text; without one in f, only ids are read.
	EachLogText(ctx context.Context, f criteria.LogFilter, take func(id int64, step, text string) bool) error
	// LatestActivity reads what the steps of a run were last seen doing, oldest first.
	LatestActivity(ctx context.Context, run string) (rows []wave.MessageRow, err error)
	// ToolCalls reads the tool calls of a run behind an event, the newest first.
	ToolCalls(ctx context.Context, run string, after int64, limit int) (rows []wave.ToolCallRow, err error)
	// ToolCallsOf reads the tool calls of a step, the oldest first.
	ToolCallsOf(ctx context.Context, run, step string, limit int) (rows []wave.ToolCallRow, err error)
	// MessagesWith reads the events of a run behind one and up to another whose messages
	// hold one of the marks.
	MessagesWith(ctx context.Context, run string, after, upTo int64, marks []string) (rows []wave.MessageRow, err error)
	// MessageBefore is the message of a step before an event, empty when none is near.
	MessageBefore(ctx context.Context, run, step string, event int64) (text string, err error)
	// FailureMessages reads what the last events of runs say of failures, of a long
	// message its beginning and its end.
	FailureMessages(ctx context.Context, runs []string, last int) (rows []wave.MessageRow, err error)
	// TextsAfter reads the next events of all runs behind one, and whether it left some:
	// it reads no more than limit, and fewer where they are long.
	TextsAfter(ctx context.Context, event int64, limit int) (events []wave.EventText, more bool, err error)
	// TextsOf reads the events with these ids that there are.
	TextsOf(ctx context.Context, ids []int64) (events []wave.EventText, err error)
}

// PastRows are what runs that ended well tell of how a pipeline goes.
type PastRows interface {
	// GoodRuns lists the latest runs of a pipeline that ended well, the last first, and
	// were no resumption and no dry run: of the newest runs so many are looked
	// at, and so many listed.
	GoodRuns(ctx context.Context, pipeline string, look, limit int) (rows []wave.BaselineRow, err error)
	// EventCounts counts the events of runs, of each no further than most.
	EventCounts(ctx context.Context, runs []string, most int) (map[string]int, error)
	// PastSteps reads when the steps of runs were at work.
	PastSteps(ctx context.Context, runs []string) (rows []wave.PastStepRow, err error)
	// Silences measures the longest time between two events of each step among the first
	// events of each run.
	Silences(ctx context.Context, runs []string, first int) (rows []wave.SilenceRow, err error)
}

// StepRows are the rows that there are of each step.
type StepRows interface {
	// StepStates reads step_state of a run, in the order of its rows.
	StepStates(ctx context.Context, run string) (rows []wave.StepRow, err error)
	// Attempts reads step_attempt of a run, in the order of its rows.
	Attempts(ctx context.Context, run string) (rows []wave.AttemptRow, err error)
	// Metrics reads performance_metric of a run, in the order of its rows.
	Metrics(ctx context.Context, run string) (rows []wave.MetricRow, err error)
	// Progress reads step_progress of a run, in the order of its rows.
	Progress(ctx context.Context, run string) (rows []wave.ProgressRow, err error)
	// EndedAttempts reads the attempts of runs that ended, at most limit of each table
	// that knows them, the table that knows best first.
	EndedAttempts(ctx context.Context, runs []string, limit int) ([][]wave.EndedAttempt, error)
	// Spending reads what the rows of runs say that they used.
	SpendingRows(ctx context.Context, ids []string) (rows []wave.SpendingRow, err error)
	// StepTokens sums tokens by run and step in each table that has them, and takes
	// the largest.
	StepTokens(ctx context.Context, ids []string) (map[string]map[string]int64, error)
}

// OutputRows are what runs left and what was chosen in them.
type OutputRows interface {
	// Artifacts reads the outputs of a run in the order of their ids: a row per
	// attempt, whether or not the file was written.
	Artifacts(ctx context.Context, run string) ([]wave.Artifact, error)
	// ArtifactsNamed reads those of one name and step.
	ArtifactsNamed(ctx context.Context, run, step, name string) ([]wave.Artifact, error)
	// PipelineArtifacts reads the paths of what the newest runs of a pipeline left.
	PipelineArtifacts(ctx context.Context, pipeline string, runs, limit int) ([]wave.Artifact, error)
	// NextArtifacts reads the paths of the outputs from an id on.
	NextArtifacts(ctx context.Context, id int64, limit int) ([]wave.Artifact, error)
	// NewestArtifacts reads the paths of the outputs that were recorded last.
	NewestArtifacts(ctx context.Context, limit int) ([]wave.Artifact, error)
	// FirstArtifactSince is the id of the first artifact recorded since a second. Ids
	// are given out in the order of time, so that it is found by halving.
	FirstArtifactSince(ctx context.Context, second int64) (int64, error)
	// Overwriter is the run that recorded an output's path within the rows that follow;
	// empty: none did.
	Overwriter(ctx context.Context, o wave.Artifact) (run string, err error)
	// Outcomes returns what a run left. Schemas before 21 have no such table.
	Outcomes(ctx context.Context, run string, at *wave.Moment) (wave.Newest[wave.Outcome], error)
	// Decisions returns what was chosen in a run. Schemas before 17 have no such table.
	Decisions(ctx context.Context, run string, at *wave.Moment) (wave.Newest[wave.Decision], error)
	// Checkpoints returns where a run can be taken up. Schemas before 15 have no such table.
	Checkpoints(ctx context.Context, run string, at *wave.Moment) (wave.Newest[wave.Checkpoint], error)
}

// PlaceRows are where runs stand in the list, and what a reader asks that goes on from where it was.
type PlaceRows interface {
	// EventRuns names the runs of events, of those that there are.
	EventRuns(ctx context.Context, ids []int64) (map[int64]string, error)
	// LastEvent is the greatest id that event_log ever gave out, as far as it
	// is known; deleting events does not lower it.
	LastEvent(ctx context.Context) (int64, error)
	// FirstEvent is the least id of an event; 0: there is none.
	FirstEvent(ctx context.Context) (id int64, err error)
	// MarkAt is an event as it is to be known again.
	MarkAt(ctx context.Context, id int64) (wave.EventMark, error)
	// Continues reports whether the history goes on from mark.
	Continues(ctx context.Context, mark wave.EventMark) (bool, error)
	// ChangedAfter names the runs and steps of the events behind one.
	ChangedAfter(ctx context.Context, event int64, limit int) (refs []wave.StepRef, err error)
	// TimeOf is when an event was written, in unix seconds; 0: that is not known.
	TimeOf(ctx context.Context, event int64) (second int64, err error)
	// RunSpans finds where the events of runs lie; a run without events is left out.
	RunSpans(ctx context.Context, runs []string) (map[string]wave.RunSpan, error)
	// Places walks the list of the runs that no other run started from a place on, to
	// newer or to older ones: the part of the list that the place is in, and then the
	// other one where that lies in the same direction.
	Places(ctx context.Context, from criteria.Cursor, toNewer bool, limit int) ([]criteria.Cursor, error)
}
