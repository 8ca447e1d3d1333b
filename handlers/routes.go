package handlers

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"wavedeck/static"
)

// routes lists everything that is answered. Names with slashes or dots in them
// are one path segment each, so paths are matched as they were sent.
func (s *Server) routes() http.Handler {
	router := mux.NewRouter().UseEncodedPath().SkipClean(true)
	router.NotFoundHandler = handler(s.notFound).served(s)
	router.MethodNotAllowedHandler = s.methodNotAllowed(router).served(s)
	base := router
	if s.paths != "" {
		base = router.PathPrefix(string(s.paths)).Subrouter()
		base.NotFoundHandler, base.MethodNotAllowedHandler = router.NotFoundHandler, router.MethodNotAllowedHandler
	}
	get := func(path string, h handler) {
		base.Handle(path, deadline(h).served(s)).Methods(http.MethodGet, http.MethodHead)
	}
	stream := func(path string, h handler) {
		base.Handle(path, s.whileSignedIn(h).served(s)).Methods(http.MethodGet)
	}
	// post is for what changes something. Action is its name in the audit log.
	s.actions = []string{"sign-in", "sign-out"}
	post := func(path, action string, h handler) {
		if !slices.Contains(s.actions, action) {
			s.actions = append(s.actions, action)
		}
		base.Handle(path, deadline(s.action(action, h)).served(s)).Methods(http.MethodPost)
	}
	// embed is for what pages of others may show: as a document in a frame or as a
	// fragment, to who may read the console or to who holds a token for it.
	embed := func(path string, e excerptOf) {
		for _, root := range []string{embedRoot, fragmentRoot} {
			h := s.whileSignedIn(s.excerpt(e, root == embedRoot)).served(s)
			base.Handle(root+path, h).Methods(http.MethodGet, http.MethodHead)
			base.Handle(root+"/t/{token}"+path, h).Methods(http.MethodGet, http.MethodHead)
		}
	}
	// ask is for a question that is too long for an address. It changes nothing.
	ask := func(path string, h handler) {
		base.Handle(path, deadline(h).served(s)).Methods(http.MethodPost)
	}

	get("/", s.home)
	get("", s.home)
	get("/runs", s.listRuns)
	get("/runs/{run}", s.showRun)
	get("/runs/{run}/parts/why", s.showRunWhy)
	get("/runs/{run}/parts/{part:head|steps|outcomes|events|artifacts|family}", s.showRunPart)
	get("/runs/{run}/timeline", s.showRunTimeline)
	get("/runs/{run}/graph", s.showRunGraph)
	get("/runs/{run}/log", s.showLog)
	get("/runs/{run}/log/block", s.showLogBlock)
	get("/runs/{run}/log/end", s.showLogEnd)
	base.Handle("/runs/{run}/log.txt", handler(s.downloadLog).served(s)).Methods(http.MethodGet, http.MethodHead)
	get("/runs/{run}/artifacts", s.showRunArtifacts)
	get("/runs/{run}/artifacts/{step}/{artifact}", s.showArtifact)
	get("/compare", s.showCompare)
	get("/attention", s.showAttention)
	get("/attention/count", s.showAttentionCount)
	post("/attention/seen", actionSeen, s.markSeen)
	get("/pipelines", s.listPipelines)
	get("/pipelines/{pipeline}", s.showPipeline)
	get("/runs/{run}/cancel", s.showCancel)
	post("/runs/{run}/cancel", "cancel", s.stop)
	get("/runs/{run}/retry", s.showRetry)
	ask("/runs/{run}/retry/preview", s.previewRetry)
	post("/runs/{run}/retry", "retry", s.retry)
	get("/runs/{run}/resume", s.showResume)
	ask("/runs/{run}/resume/preview", s.previewResume)
	post("/runs/{run}/resume", "resume", s.resume)
	get("/start", s.chooseStart)
	get("/pipelines/{pipeline}/start", s.showStart)
	ask("/pipelines/{pipeline}/start/preview", s.previewStart)
	post("/pipelines/{pipeline}/start", "start", s.start)
	get("/pipelines/{pipeline}/trends", s.showTrends)
	get("/personas", s.listPersonas)
	get("/personas/{persona}", s.showPersona)
	get("/audit", s.listAudit)
	get("/cmd", s.showCommand)
	get("/complete", s.complete)
	get("/login", s.showLogin)
	base.Handle("/login", deadline(s.sameOrigin(s.signIn)).served(s)).Methods(http.MethodPost)
	base.Handle("/logout", deadline(s.audited("sign-out", s.sameOrigin(s.signOut))).served(s)).Methods(http.MethodPost)
	get("/help/keys", s.showKeys)
	get("/settings", s.showSettings)
	get("/palette", s.showPalette)
	get("/palette/runs", s.showPaletteRuns)
	get("/views", s.listViews)
	get("/views/{view}", s.openView)
	get("/api/views", s.apiViews)
	for _, root := range []string{"", "/api"} { // the latter always answers JSON
		post(root+"/views", "save view", s.saveView)
		post(root+"/views/{view}/rename", "rename view", s.changeView(s.renameView, "name"))
		post(root+"/views/{view}/move", "move view", s.changeView(s.moveView, "to"))
		post(root+"/views/{view}/delete", "delete view", s.changeView(s.deleteView))
	}
	stream("/events", s.streamChanges)

	embed("/runs", excerptRuns())
	embed("/runs/{run}/card", excerptCard())
	embed("/runs/{run}/timeline", excerptTimeline())
	embed("/runs/{run}/graph", excerptGraph())
	embed("/runs/{run}/steps", excerptSteps())
	embed("/runs/{run}/log", excerptLog())
	embed("/attention", excerptAttention())
	embed("/pipelines/{pipeline}/latest", excerptLatest())
	embed("/pipelines/{pipeline}/history", excerptHistory())
	get(embedRoot+"/theme.css", s.serveTheme)
	for _, root := range []string{badgeRoot, badgeRoot + "/t/{token}"} {
		get(root+"/pipelines/{pipeline}.svg", s.badge)
		get(root+"/pipelines/{pipeline}.json", s.badge)
	}
	get("/oembed", s.oembed)
	get("/share", s.showShare)
	get("/help/embedding", s.showEmbeddingGuide)
	post("/api/v1/embed-tokens", actionEmbedToken, s.apiEmbedToken)

	get("/api/runs", s.apiRuns)
	get("/api/runs/{run}", s.apiRun)
	get("/api/runs/{run}/artifacts/{step}/{artifact}", s.apiArtifact)
	stream("/api/runs/{run}/events", s.streamRunEvents)
	get("/api/attention", s.apiAttention)
	post("/api/attention/seen", actionSeen, s.markSeen)
	get("/api/compare", s.apiCompare)
	get("/api/pipelines", s.apiPipelines)
	get("/api/pipelines/{pipeline}", s.apiPipeline)
	post("/api/pipelines/{pipeline}/start", "start", s.start)
	post("/api/runs/{run}/cancel", "cancel", s.stop)
	post("/api/runs/{run}/retry", "retry", s.retry)
	post("/api/runs/{run}/resume", "resume", s.resume)
	get("/api/personas", s.apiPersonas)
	get("/api/audit", s.apiAudit)

	get("/healthz", s.health)
	base.PathPrefix("/static/").Handler(static.Handler(string(s.paths))).Methods(http.MethodGet, http.MethodHead)
	slices.Sort(s.actions)
	return router
}

func (s *Server) home(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, s.paths.Runs(nil), http.StatusFound)
	return nil
}

func (s *Server) notFound(http.ResponseWriter, *http.Request) error {
	return &httpError{
		status: http.StatusNotFound, text: "there is no such page",
		next: "The runs are at " + s.paths.Runs(nil) + ".",
	}
}

// methods are those that some address answers.
//
//nolint:gochecknoglobals // a list cannot be a constant
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// methodNotAllowed names the methods that the router knows for the address.
func (s *Server) methodNotAllowed(router *mux.Router) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		var allowed []string
		for _, method := range methods {
			other := r.Clone(r.Context())
			other.Method = method
			var match mux.RouteMatch
			if router.Match(other, &match) && match.MatchErr == nil {
				allowed = append(allowed, method)
			}
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		return &httpError{
			status: http.StatusMethodNotAllowed, text: r.Method + " is not possible here",
			next: "This address answers " + strings.Join(allowed, " and ") + ".",
		}
	}
}
