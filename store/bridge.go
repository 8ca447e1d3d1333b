package store

import (
	"wavedeck/store/criteria"
	"wavedeck/store/feed"
	"wavedeck/store/wave"
)

// Artifact and the types below it are those of [wave], [criteria] and [feed], under
// the names that callers of this package use.

type (
	Artifact      = wave.Artifact
	Attempt       = wave.Attempt
	Cause         = wave.Cause
	Change        = feed.Change
	ChildCounts   = wave.ChildCounts
	Cursor        = criteria.Cursor
	Event         = wave.Event
	EventFilter   = criteria.EventFilter
	Facets        = criteria.Facets
	Field         = criteria.Field
	InputError    = criteria.InputError
	LogFilter     = criteria.LogFilter
	LogHits       = criteria.LogHits
	LogMap        = wave.LogMap
	LogMark       = wave.LogMark
	LogWindow     = criteria.LogWindow
	Moment        = wave.Moment
	Outcome       = wave.Outcome
	Predicate     = criteria.Predicate
	PredicateText = criteria.PredicateText
	Run           = wave.Run
	RunDetail     = wave.RunDetail
	RunFilter     = criteria.RunFilter
	RunPage       = criteria.RunPage
	State         = wave.State
	Step          = wave.Step
	StepDef       = wave.StepDef
	Subscription  = feed.Subscription
)

// Constants of [wave] and [criteria], likewise.
const (
	Cancelled     = wave.Cancelled
	DefaultLimit  = criteria.DefaultLimit
	Empty         = wave.Empty
	EventLimit    = criteria.EventLimit
	Failed        = wave.Failed
	FieldBranch   = criteria.FieldBranch
	FieldDuration = criteria.FieldDuration
	FieldError    = criteria.FieldError
	FieldID       = criteria.FieldID
	FieldInput    = criteria.FieldInput
	FieldKind     = criteria.FieldKind
	FieldParent   = criteria.FieldParent
	FieldPipeline = criteria.FieldPipeline
	FieldStarted  = criteria.FieldStarted
	FieldState    = criteria.FieldState
	FieldTag      = criteria.FieldTag
	FieldText     = criteria.FieldText
	FieldTokens   = criteria.FieldTokens
	Lost          = wave.Lost
	MaxLimit      = criteria.MaxLimit
	Pending       = wave.Pending
	Queued        = wave.Queued
	Rejected      = wave.Rejected
	Running       = wave.Running
	Skipped       = wave.Skipped
	Succeeded     = wave.Succeeded
	Unknown       = wave.Unknown
	Waiting       = wave.Waiting
)
