package web

import (
	"strings"
	"time"

	"wavedeck/store"
)

// Behind reports whether what is shown may be older than the database: it was not
// checked for longer than it takes to find a change without a notification.
func (k *Kit) Behind(health store.Health) bool {
	return health.Phase == store.Ready && time.Since(health.CheckedAt) > k.Budgets.Behind
}

// Stale is why what is shown may be older than the database, in a few words; empty
// when it is not.
func (k *Kit) Stale(health store.Health) string {
	switch {
	case health.Phase != store.Ready:
		return strings.ToLower(databaseTitle(health.Phase))
	case k.Behind(health):
		return "the state database was not looked at"
	case health.Stray != "":
		return "a program writes with a deleted file"
	default:
		return ""
	}
}
