// Package audit records who did what: around every action, and as a page.
package audit

import (
	"golang.org/x/time/rate"

	"wavedeck/handlers/web"
)

// Trail writes the audit log and shows it.
type Trail struct {
	*web.Kit
	Elsewhere *rate.Limiter // entries about pages of other sites
	Actions   []string      // names that entries may have, in order
}
