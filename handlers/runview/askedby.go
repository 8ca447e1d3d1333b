package runview

import (
	"cmp"
	"context"

	"wavedeck/handlers/present"
	"wavedeck/store/appdb"
)

// askedEntries bounds the search for who asked a run to stop.
const askedEntries = 10

// askedBy is who asked a run to stop, by the audit log. It is empty when
// the log does not: with Wave's own command nobody says who they are.
func (rv *Reader) askedBy(ctx context.Context, run string) string {
	ctx, cancel := context.WithTimeout(ctx, rv.Budgets.Asker)
	defer cancel()
	page, err := rv.Data.Audit(ctx, appdb.AuditFilter{Run: run, Limit: askedEntries})
	if err != nil {
		return ""
	}
	for _, line := range page.Entries {
		stops := line.Action == "cancel" || line.Action == "bulk" && line.Params[FieldDo] == "cancel"
		if stops && line.Result == appdb.Done {
			return present.Redact(cmp.Or(line.Says, line.Who))
		}
	}
	return ""
}
