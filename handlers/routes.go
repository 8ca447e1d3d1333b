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
func (s *Server) routes() *mux.Router {
	router := mux.NewRouter().UseEncodedPath().SkipClean(true)
	router.NotFoundHandler = handler(s.notFound).served(s)
	router.MethodNotAllowedHandler = s.methodNotAllowed(router).served(s)
	on := routing{s: s, base: router, signedIn: s.whileSignedIn, action: s.action, actions: &s.actions}
	if s.paths != "" {
		on.base = router.PathPrefix(string(s.paths)).Subrouter()
		on.base.NotFoundHandler, on.base.MethodNotAllowedHandler = router.NotFoundHandler, router.MethodNotAllowedHandler
	}
	s.actions = []string{"sign-in", "sign-out"}
	if s.gate.on {
		s.actions = append(s.actions, actionBearer)
	}
	s.routePages(on)
	s.routeControl(on)
	s.routeEmbeds(on)
	s.routeAPI(on)
	slices.Sort(s.actions)
	return router
}

// Addresses are the templates of all that answers GET, such as /runs/{run}: what
// there is to be looked at, for whoever must miss none of it.
func (s *Server) Addresses() (templates []string, err error) {
	err = s.routes().Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		methods, err := route.GetMethods()
		if err != nil || !slices.Contains(methods, http.MethodGet) {
			return nil //nolint:nilerr // a prefix of others has no methods
		}
		template, err := route.GetPathTemplate()
		templates = append(templates, template)
		return err
	})
	return templates, err
}

// routePages are the pages that people read, and the fragments of them.
func (s *Server) routePages(on routing) {
	on.get("/", s.home)
	on.get("", s.home)
	on.forms("/runs", formsOfList, s.listRuns)
	on.formsOf("/runs/{run}", formsOfRun, "run", s.hasRun, s.showRun)
	on.get("/runs/{run}/parts/why", s.showRunWhy)
	on.get("/runs/{run}/parts/{part:head|steps|outcomes|events|artifacts|family}", s.showRunPart)
	on.get("/runs/{run}/timeline", s.showRunTimeline)
	on.get("/runs/{run}/graph", s.showRunGraph)
	on.get("/runs/{run}/log", s.showLog)
	on.get("/runs/{run}/log/block", s.showLogBlock)
	on.get("/runs/{run}/log/end", s.showLogEnd)
	on.file("/runs/{run}/log.txt", s.downloadLog)
	on.file("/runs/{run}/export", s.exportRun)
	on.get("/runs/{run}/artifacts", s.showRunArtifacts)
	on.get("/runs/{run}/artifacts/{step}/{artifact}", s.showArtifact)
	on.get("/search", s.showSearch)
	on.get("/search/index", s.showSearchIndex)
	on.forms("/compare", formsOfOne, s.showCompare)
	on.get("/attention", s.showAttention)
	on.get("/attention/count", s.showAttentionCount)
	on.post("/attention/seen", actionSeen, s.markSeen)
	on.get("/pipelines", s.listPipelines)
	on.formsOf("/pipelines/{pipeline}", formsOfOne, "pipeline", s.hasPipeline, s.showPipeline)
	on.get("/pipelines/{pipeline}/trends", s.showTrends)
	on.get("/personas", s.listPersonas)
	on.get("/personas/{persona}", s.showPersona)
	on.get("/audit", s.listAudit)
	on.get("/cmd", s.showCommand)
	on.get("/complete", s.complete)
	on.get("/login", s.showLogin)
	on.base.Handle("/login", s.deadline(s.sameOrigin(s.signIn)).served(s)).Methods(http.MethodPost)
	on.base.Handle("/logout", s.deadline(s.audited("sign-out", s.sameOrigin(s.signOut))).served(s)).Methods(http.MethodPost)
	on.get("/help/keys", s.showKeys)
	on.get("/settings", s.showSettings)
	on.get("/palette", s.showPalette)
	on.get("/palette/runs", s.showPaletteRuns)
	on.get("/views", s.listViews)
	on.get("/views/{view}", s.openView)
	on.get("/api/views", s.apiViews)
	for _, root := range []string{"", "/api"} { // the latter always answers JSON
		on.post(root+"/search/rebuild", actionRebuild, s.rebuildSearch)
		on.post(root+"/views", "save view", s.saveView)
		on.post(root+"/views/{view}/rename", "rename view", s.changeView(s.renameView, "name"))
		on.post(root+"/views/{view}/move", "move view", s.changeView(s.moveView, "to"))
		on.post(root+"/views/{view}/delete", "delete view", s.changeView(s.deleteView))
		on.get(root+"/views/{view}/hook", s.showHook)
		on.post(root+"/views/{view}/hook", "set webhook", s.setHook)
		on.post(root+"/views/{view}/hook/remove", "remove webhook", s.removeHook)
		on.post(root+"/views/{view}/hook/test", "test webhook", s.testHook)
		on.post(root+"/views/{view}/hook/again", "resend webhook", s.sendHookAgain)
	}
	on.stream("/events", s.streamChanges)
	on.get("/health", s.showHealth)
	on.get("/healthz", s.health)
	on.get("/favicon.svg", s.serveIcon)
	on.get("/favicon.ico", s.favicon) // asked for beside what is no page
	on.base.PathPrefix("/static/").Handler(static.Handler(string(s.paths))).Methods(http.MethodGet, http.MethodHead)
}

// routeControl are the pages and forms that start and stop runs.
func (s *Server) routeControl(on routing) {
	on.get("/runs/{run}/cancel", s.showCancel)
	on.post("/runs/{run}/cancel", "cancel", s.stop)
	on.get("/runs/{run}/retry", s.showRetry)
	on.ask("/runs/{run}/retry/preview", s.previewRetry)
	on.post("/runs/{run}/retry", "retry", s.retry)
	on.get("/runs/{run}/resume", s.showResume)
	on.ask("/runs/{run}/resume/preview", s.previewResume)
	on.post("/runs/{run}/resume", "resume", s.resume)
	on.ask("/runs/bulk", s.rehearseBulk)
	on.get("/bulk", s.rehearseBulk)
	on.post("/bulk", "bulk", s.startBulk)
	on.get("/bulk/{bulk}", s.showBulk)
	on.post("/bulk/{bulk}/stop", "bulk stop", s.stopBulk)
	on.get("/start", s.chooseStart)
	on.get("/pipelines/{pipeline}/start", s.showStart)
	on.ask("/pipelines/{pipeline}/start/preview", s.previewStart)
	on.post("/pipelines/{pipeline}/start", "start", s.start)
}

// routeEmbeds are for the pages of others.
func (s *Server) routeEmbeds(on routing) {
	s.routeEmbed(on, "/runs", excerptRuns())
	s.routeEmbed(on, "/runs/{run}/card", excerptCard())
	s.routeEmbed(on, "/runs/{run}/timeline", excerptTimeline())
	s.routeEmbed(on, "/runs/{run}/graph", excerptGraph())
	s.routeEmbed(on, "/runs/{run}/steps", excerptSteps())
	s.routeEmbed(on, "/runs/{run}/log", excerptLog())
	s.routeEmbed(on, "/attention", excerptAttention())
	s.routeEmbed(on, "/pipelines/{pipeline}/latest", excerptLatest())
	s.routeEmbed(on, "/pipelines/{pipeline}/history", excerptHistory())
	on.get(embedRoot+"/theme.css", s.serveTheme)
	for _, root := range []string{badgeRoot, badgeRoot + "/t/{token}"} {
		on.get(root+"/pipelines/{pipeline}.svg", s.badge)
		on.get(root+"/pipelines/{pipeline}.json", s.badge)
	}
	on.get("/oembed", s.oembed)
	on.get("/share", s.showShare)
	on.get("/help/embedding", s.showEmbeddingGuide)
	on.post("/api/v1/embed-tokens", actionEmbedToken, s.apiEmbedToken)
}

// routeAPI are the same for programs.
func (s *Server) routeAPI(on routing) {
	on.json("/api/runs", s.listRuns)
	on.get("/api/search", s.apiSearch)
	on.json("/api/runs/{run}", s.showRun)
	on.get("/api/runs/{run}/artifacts/{step}/{artifact}", s.apiArtifact)
	on.stream("/api/runs/{run}/events", s.streamRunEvents)
	on.get("/api/attention", s.apiAttention)
	on.post("/api/attention/seen", actionSeen, s.markSeen)
	on.json("/api/compare", s.showCompare)
	on.get("/api/pipelines", s.apiPipelines)
	on.json("/api/pipelines/{pipeline}", s.showPipeline)
	on.post("/api/pipelines/{pipeline}/start", "start", s.start)
	on.post("/api/runs/{run}/cancel", "cancel", s.stop)
	on.post("/api/runs/{run}/retry", "retry", s.retry)
	on.post("/api/runs/{run}/resume", "resume", s.resume)
	on.get("/api/personas", s.apiPersonas)
	on.get("/api/audit", s.apiAudit)
	on.get("/api/ended", s.apiEnded)
	on.get("/api/health", s.showHealth)
}

func (s *Server) home(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, s.paths.Runs(nil), http.StatusFound)
	return nil
}

func (s *Server) favicon(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, static.URL(string(s.paths), "icon.svg"), http.StatusFound)
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
