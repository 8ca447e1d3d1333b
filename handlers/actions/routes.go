package actions

import "wavedeck/handlers/web"

// Routes adds the addresses of starting, stopping, retrying and resuming runs.
func (h *Handler) Routes(on web.Router) {
	on.Get("/runs/{run}/cancel", h.showCancel)
	on.Post("/runs/{run}/cancel", "cancel", h.stop)
	on.Post("/runs/{run}/gates/{step}/answer", actAnswer, answers{h}.answer)
	on.Post("/api/runs/{run}/gates/{step}/answer", actAnswer, answers{h}.answer)
	on.Get("/runs/{run}/retry", h.showRetry)
	on.PostSafe("/runs/{run}/retry/preview", h.previewRetry)
	on.Post("/runs/{run}/retry", "retry", h.retry)
	on.Get("/runs/{run}/resume", h.showResume)
	on.PostSafe("/runs/{run}/resume/preview", h.previewResume)
	on.Post("/runs/{run}/resume", "resume", h.resume)
	on.PostSafe("/runs/bulk", h.bulk.rehearseBulk)
	on.Get("/bulk", h.bulk.rehearseBulk)
	on.Post("/bulk", "bulk", h.bulk.startBulk)
	on.Get("/bulk/{bulk}", h.bulk.showBulk)
	on.Post("/bulk/{bulk}/stop", "bulk stop", h.bulk.stopBulk)
	on.Get("/start", h.chooseStart)
	on.Get("/pipelines/{pipeline}/start", h.showStart)
	on.PostSafe("/pipelines/{pipeline}/start/preview", h.previewStart)
	on.Post("/pipelines/{pipeline}/start", "start", h.start)
	on.Post("/api/pipelines/{pipeline}/start", "start", h.start)
	on.Post("/api/runs/{run}/cancel", "cancel", h.stop)
	on.Post("/api/runs/{run}/retry", "retry", h.retry)
	on.Post("/api/runs/{run}/resume", "resume", h.resume)
}
