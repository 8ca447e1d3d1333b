package audit

import (
	"wavedeck/handlers/web"
)

// Routes adds the addresses of the audit log.
func (t *Trail) Routes(on web.Router) {
	on.Get("/audit", t.listAudit)
	on.Get("/api/audit", t.apiAudit)
}
