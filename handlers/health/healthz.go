package health

import (
	"net/http"
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

// health answers 200 as long as the server works: a database that is away is
// waited for, and a restart would not bring it back.
func (h *Handler) health(w http.ResponseWriter, r *http.Request) error {
	health := h.Store.Health()
	catalog := h.Manifest.Current()
	body := healthResponse{
		Status: "ok", Database: string(health.Phase), SchemaVersion: health.SchemaVersion,
		LastEventID: health.LastEventID, Pipelines: len(catalog.Pipelines), Problems: len(catalog.Problems),
	}
	if h.Stale(health) != "" {
		body.Status = "degraded"
	}
	w.Header().Set("Cache-Control", "no-store")
	h.WriteJSON(w, r, http.StatusOK, body)
	return nil
}
