// Package health says whether the console works, and shows what it depends on.
package health

import (
	"time"

	"wavedeck/handlers/web"
	"wavedeck/runner"
	"wavedeck/store/search"
)

// Handler answers for the health of the console.
type Handler struct {
	*web.Kit
	Engine  runner.Engine // nil: none
	Index   *search.Index // nil: there is none
	Started time.Time     // of this process
}
