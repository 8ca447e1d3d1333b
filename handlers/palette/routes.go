package palette

import (
	"wavedeck/handlers/web"
)

// Routes adds the addresses of the command line, completion, the palette, and the pages of keys and settings.
func (h *Handler) Routes(on web.Router) {
	on.Get("/cmd", h.showCommand)
	on.Get("/complete", h.complete)
	on.Get("/help/keys", h.showKeys)
	on.Get("/settings", h.showSettings)
	on.Get("/palette", h.showPalette)
	on.Get("/palette/runs", h.showPaletteRuns)
}
