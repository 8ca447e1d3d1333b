package handlers

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"wavedeck/handlers/webhook"
	"wavedeck/runner"
	"wavedeck/store"
	"wavedeck/store/appdb"
	"wavedeck/store/manifest"
	"wavedeck/store/prices"
	"wavedeck/store/search"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// Config is what a Server works with.
type Config struct {
	Store    *store.Store
	Manifest *manifest.Source
	Desk     *appdb.DB        // our own files; nil: nothing is kept
	ReadOnly bool             // every action is refused
	Engine   runner.Engine    // carries out runs; nil: none can be started or stopped
	BasePath string           // "" or "/deck": where the console is mounted
	Hosts    []string         // names in the Host header that are answered; empty: any
	AnyIP    bool             // any address in the Host header is answered too: only names can be pointed here by others
	Token    string           // what visitors must have; empty: nobody is asked
	Embed    EmbedConfig      // which other sites may show parts of it
	Proxies  []netip.Prefix   // addresses of proxies whose X-Forwarded headers are believed
	Prices   *prices.File     // what tokens cost; nil: no costs are estimated
	Search   *search.Index    // of the events; nil: their text is not searched
	Notices  []views.Notice   // shown on every page, e.g. that this is a demonstration
	Webhooks *webhook.Guard   // which addresses hooks of views may go to; nil: those of the public internet
	Log      *slog.Logger     // nil drops it
	Now      func() time.Time // nil is time.Now
	Budgets  Budgets          // times that are allowed
	Limits   Limits           // how much is done at once

	// OpenFiles is how many files and connections this process has, and how many it
	// may have, 0 where that is not known; nil asks the kernel.
	OpenFiles func() (used, most int)

	common *common // of the console at another prefix; nil: its own
}

// common is what consoles at several prefixes share: that a proxy can have another
// one made takes no limit away.
type common struct {
	gate           *gate
	wake, hookWake waker
	elsewhere      *rate.Limiter // entries in the audit log about pages of other sites
	answers        *answers
	streams        atomic.Int64  // that are open
	renderings     chan struct{} // holds one for each that goes on
}

func newCommon(token string, l Limits) *common {
	l = l.withDefaults()
	return &common{
		gate: newGate(token, l), wake: make(waker, 1), hookWake: make(waker, 1),
		elsewhere: rate.NewLimiter(rate.Every(guessEvery), guessBurst), answers: newAnswers(),
		renderings: make(chan struct{}, l.Renderings),
	}
}

// Server answers requests. It holds caches only: another server on the same
// database gives the same answers.
type Server struct {
	store       *store.Store
	manifest    *manifest.Source
	desk        *appdb.DB
	readOnly    bool
	engine      runner.Engine // nil: none
	wake        waker         // tells Work that there is something to do
	hookWake    waker         // likewise, of messages of hooks
	hooks       *webhook.Sender
	hookGuard   *webhook.Guard
	acted       atomic.Uint64 // actions so far: what was answered before them is stale
	actions     []string      // names in the audit log
	paths       views.Paths
	hosts       map[string]bool
	prices      *prices.File
	search      *search.Index // nil: there is none
	anyIP       bool
	gate        *gate
	proxies     proxies
	notices     []views.Notice
	log         *slog.Logger
	now         func() time.Time
	budgets     Budgets
	openFiles   func() (used, most int)
	answers     *answers
	processLogs indexes
	handler     http.Handler
	marks       seenMarks
	embed       EmbedConfig
	mounts      *mounts
	elsewhere   *rate.Limiter // entries in the audit log about pages of other sites
	started     time.Time     // of this process, for the page of health
	streams     *atomic.Int64 // that are open
	renderings  chan struct{} // of bodies of artifacts
	frame       frame         // what stands around each page
	peers       peers
}

// frame is what a page shows of features other than its own.
type frame struct {
	attention func(context.Context) int // how many runs need attention
	canRun    func() bool               // whether runs can be started and stopped here
	notices   func() []views.Notice     // banners beside those of the state database
}

// peers are what one feature needs of another.
type peers struct {
	runHead      func(ctx context.Context, r *http.Request, run string) (views.RunView, error)
	plainLog     handler                                                       // a run's log as text
	exportLog    func(ctx context.Context, d wave.RunDetail, to logSink) error // into the file of a run
	logPart      func(ctx context.Context, r *http.Request, run string, asked url.Values) (view views.LogView, kept url.Values, err error)
	attention    func(context.Context) ([]store.Attention, error)
	addAttention func(context.Context, *views.AttentionView) error
	failExcerpt  func(w http.ResponseWriter, r *http.Request, told *httpError)
}

// New builds a Server. It starts nothing: streams end with their requests, and
// actions on many runs and messages of hooks are carried out by Work.
func New(c Config) *Server {
	if c.common == nil {
		c.common = newCommon(c.Token, c.Limits)
	}
	s := &Server{
		store: c.Store, manifest: c.Manifest, desk: c.Desk, readOnly: c.ReadOnly, engine: c.Engine, paths: views.Paths(c.BasePath),
		anyIP: c.AnyIP, proxies: c.Proxies, gate: c.common.gate, wake: c.common.wake, hookWake: c.common.hookWake,
		elsewhere: c.common.elsewhere, answers: c.common.answers, streams: &c.common.streams, renderings: c.common.renderings,
		prices: c.Prices, search: c.Search, notices: c.Notices, log: c.Log, now: c.Now, budgets: c.Budgets.withDefaults(), openFiles: c.OpenFiles, embed: c.Embed,
		mounts: newMounts(c),
	}
	if s.openFiles == nil {
		s.openFiles = openFiles
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.desk == nil {
		s.desk = appdb.Open(context.Background(), "")
	}
	if s.hookGuard = c.Webhooks; s.hookGuard == nil {
		s.hookGuard, _ = webhook.NewGuard() // without an argument there is no error
	}
	s.hooks = webhook.NewSender(s.hookGuard, "wavedeck")
	s.started = s.now()
	if len(c.Hosts) > 0 {
		s.hosts = map[string]bool{}
		for _, h := range c.Hosts {
			s.hosts[strings.ToLower(h)] = true
		}
	}
	s.frame = frame{attention: s.attentionCount, canRun: s.canRun, notices: s.priceNotice}
	s.peers = peers{
		runHead: s.runHead, plainLog: s.plainLog, exportLog: s.exportLog, logPart: s.logPart,
		attention: s.attention, addAttention: s.addAttention, failExcerpt: s.failExcerpt,
	}
	s.handler = s.wrapped(s.routes())
	return s
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if prefix := s.proxies.prefix(r); prefix != "" {
		s.serveBehind(w, r, prefix)
		return
	}
	s.handler.ServeHTTP(w, r)
}

// waker wakes one that sleeps.
type waker chan struct{}

func (w waker) up() {
	select {
	case w <- struct{}{}:
	default: // it is awake
	}
}

// Work does what goes on without a request until ctx ends: actions on many runs,
// and the messages of hooks.
func (s *Server) Work(ctx context.Context) error {
	var work sync.WaitGroup
	work.Go(func() { s.workBulk(ctx) })
	work.Go(func() { s.watchHooks(ctx) })
	work.Go(func() { s.sendHooks(ctx) })
	work.Wait()
	return nil
}

func (s *Server) version() version {
	_, priced, _ := s.prices.Current()
	return version{state: s.store.Version(), manifest: s.manifest.Current().Generation, acted: s.acted.Load(), priced: priced}
}

// Definition is what the manifest says of a pipeline's steps, for the store.
func Definition(source *manifest.Source) func(string) []wave.StepDef {
	return func(pipeline string) []wave.StepDef {
		p, ok := source.Current().Pipeline(pipeline)
		if !ok {
			return nil
		}
		steps := make([]wave.StepDef, len(p.Steps))
		for i, step := range p.Steps {
			steps[i] = wave.StepDef{
				ID: step.ID, Kind: string(step.Kind), Persona: step.Persona, Dependencies: step.Dependencies,
			}
		}
		return steps
	}
}

// deadline ends the work of an answer that takes too long.
func (s *Server) deadline(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), s.budgets.Answer)
		defer cancel()
		return h(w, r.WithContext(ctx))
	}
}
