package handlers

import (
	"net/http"
	"strings"
	"time"

	"wavedeck/store"
)

// healthResponse says whether this server can do its work. It names no paths:
// it is asked by machines that need none.
type healthResponse struct {
	Status        string `json:"status"` // "ok", or "degraded" while what is shown may be older than the database
	Database      string `json:"database"`
	SchemaVersion int    `json:"schema_version,omitempty"`
	LastEventID   int64  `json:"last_event_id"`
	Pipelines     int    `json:"pipelines"`
	Problems      int    `json:"problems"`
}

// behind reports whether what is shown may be older than the database: nobody has
// looked at that for longer than it takes to find what no notification told.
func (s *Server) behind(health store.Health) bool {
	return health.Phase == store.Ready && time.Since(health.CheckedAt) > s.budgets.Behind
}

// stale is why what is shown may be older than the database, in a few words; empty
// when it is not.
func (s *Server) stale(health store.Health) string {
	switch {
	case health.Phase != store.Ready:
		return strings.ToLower(databaseTitle(health.Phase))
	case s.behind(health):
		return "the state database was not looked at"
	case health.Stray != "":
		return "a program writes with a deleted file"
	default:
		return ""
	}
}

// health answers 200 as long as the server works: a database that is away is
// waited for, and a restart would not bring it back.
func (s *Server) health(w http.ResponseWriter, r *http.Request) error {
	health := s.store.Health()
	catalog := s.manifest.Current()
	body := healthResponse{
		Status: "ok", Database: string(health.Phase), SchemaVersion: health.SchemaVersion,
		LastEventID: health.LastEventID, Pipelines: len(catalog.Pipelines), Problems: len(catalog.Problems),
	}
	if s.stale(health) != "" {
		body.Status = "degraded"
	}
	w.Header().Set("Cache-Control", "no-store")
	s.writeJSON(w, r, http.StatusOK, body)
	return nil
}
