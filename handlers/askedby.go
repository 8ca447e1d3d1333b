package handlers

import (
	"cmp"
	"context"

	"wavedeck/store/appdb"
)

// askedEntries bounds the search for who asked a run to stop.
const askedEntries = 10

// askedBy is who asked a run to stop, as our audit log tells. It is empty when
// the log does not: with Wave's own command nobody says who they are.
func (s *Server) askedBy(ctx context.Context, run string) string {
	ctx, cancel := context.WithTimeout(ctx, s.budgets.Asker)
	defer cancel()
	page, err := s.desk.Audit(ctx, appdb.AuditFilter{Run: run, Limit: askedEntries})
	if err != nil {
		return ""
	}
	for _, line := range page.Entries {
		stops := line.Action == "cancel" || line.Action == "bulk" && line.Params[fieldDo] == "cancel"
		if stops && line.Result == appdb.Done {
			return shown(cmp.Or(line.Says, line.Who))
		}
	}
	return ""
}
