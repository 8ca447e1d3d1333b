package store

import (
	"wavedeck/store/feed"
	"wavedeck/store/wave"
)

// What moved to packages of its own keeps its name here for those who still use it.
type (
	Artifact     = wave.Artifact
	Attempt      = wave.Attempt
	Cause        = wave.Cause
	Change       = feed.Change
	ChildCounts  = wave.ChildCounts
	Event        = wave.Event
	LogMap       = wave.LogMap
	LogMark      = wave.LogMark
	Moment       = wave.Moment
	Outcome      = wave.Outcome
	Run          = wave.Run
	RunDetail    = wave.RunDetail
	State        = wave.State
	Step         = wave.Step
	StepDef      = wave.StepDef
	Subscription = feed.Subscription
)

const (
	Cancelled = wave.Cancelled
	Empty     = wave.Empty
	Failed    = wave.Failed
	Lost      = wave.Lost
	Pending   = wave.Pending
	Queued    = wave.Queued
	Rejected  = wave.Rejected
	Running   = wave.Running
	Skipped   = wave.Skipped
	Succeeded = wave.Succeeded
	Unknown   = wave.Unknown
	Waiting   = wave.Waiting
)
