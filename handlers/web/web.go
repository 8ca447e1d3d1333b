// Package web is what every handler answers with: errors, formats, caching, streams,
// headers, the policy towards other sites, proxies, and the layout of a page. It knows
// no feature.
package web

import (
	"log/slog"
	"time"

	"wavedeck/store"
	"wavedeck/store/appdb"
	"wavedeck/store/manifest"
	"wavedeck/store/prices"
	"wavedeck/views"
)

// Kit is what handlers read, and how they answer. A feature's Handler embeds it.
type Kit struct {
	Store    *store.Store
	Manifest *manifest.Source
	Data     *appdb.DB    // the console's own
	Prices   *prices.File // what tokens cost; nil: no costs are estimated
	Paths    views.Paths  // of this console's pages
	Log      *slog.Logger
	Now      func() time.Time
	Budgets  Budgets
	ReadOnly bool // every action is refused
	Access   Access
	Frame    Frame
	Shared   *Shared
}
