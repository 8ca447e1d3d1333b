package runview

import (
	"context"

	"github.com/a-h/templ"
)

// LogSink takes the log of a run into a file of limited size.
type LogSink interface {
	Room() int                                                      // bytes that may still be written
	Put(html []byte) error                                          // writes one part of the log
	Made(ctx context.Context, part templ.Component) ([]byte, error) // renders a part so that it can stand alone
	Leave(ctx context.Context, what string) error                   // says in its place that something is left out
	Without(what string)                                            // says so at the end only
}
