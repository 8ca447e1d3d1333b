package views

import (
	"net/url"
	"time"
)

// AsOfView says that a page is as of a moment, and leads to others.
type AsOfView struct {
	Event       int64
	Time        time.Time
	OfRun       bool  // First and Last are of the run that is shown; else of all
	First, Last int64 // ids of events; 0: there are none
	PreviousURL string
	NextURL     string
	NowURL      string
	Action      string     // where the slider's form leads
	Keep        url.Values // what it leads there with
	Link        string     // this moment, by its event
}

// runLink leads to a run, at the moment that its list is as of.
func runLink(c Layout, row RunRow) string {
	if row.At == "" {
		return c.Paths.Run(row.ID)
	}
	return c.Paths.Run(row.ID) + "?" + row.At
}
