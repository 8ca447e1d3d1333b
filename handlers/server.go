// Package handlers answers HTTP requests. It is the only package that knows all features:
// it makes them, hands each what it takes of another, and puts the middleware around them.
package handlers

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"wavedeck/handlers/actions"
	"wavedeck/handlers/attention"
	"wavedeck/handlers/audit"
	"wavedeck/handlers/auth"
	"wavedeck/handlers/catalog"
	"wavedeck/handlers/compare"
	"wavedeck/handlers/embed"
	"wavedeck/handlers/health"
	"wavedeck/handlers/logs"
	"wavedeck/handlers/palette"
	"wavedeck/handlers/rundetail"
	"wavedeck/handlers/runs"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/savedviews"
	"wavedeck/handlers/search"
	"wavedeck/handlers/web"
	"wavedeck/handlers/webhook"
	"wavedeck/handlers/webhooks"
	"wavedeck/runner"
	"wavedeck/store"
	"wavedeck/store/appdb"
	"wavedeck/store/manifest"
	"wavedeck/store/prices"
	searchindex "wavedeck/store/search"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// Config is what a Server works with.
type Config struct {
	Store    *store.Store
	Manifest *manifest.Source
	Data     *appdb.DB          // our own files; nil: nothing is kept
	ReadOnly bool               // every action is refused
	Engine   runner.Engine      // carries out runs; nil: none can be started or stopped
	BasePath string             // "" or "/deck": where the console is mounted
	Hosts    []string           // names in the Host header that are answered; empty: any
	AnyIP    bool               // any address in the Host header is answered too: only names can be pointed here by others
	Token    string             // what visitors must have; empty: nobody is asked
	Embed    web.EmbedConfig    // which other sites may show parts of it
	Proxies  []netip.Prefix     // addresses of proxies whose X-Forwarded headers are believed
	Prices   *prices.File       // what tokens cost; nil: no costs are estimated
	Search   *searchindex.Index // of the events; nil: their text is not searched
	Banners  []views.Banner     // shown on every page, e.g. that this is a demonstration
	Webhooks *webhook.Guard     // which addresses webhooks of views may go to; nil: those of the public internet
	Log      *slog.Logger       // nil drops it
	Now      func() time.Time   // nil is time.Now
	Budgets  web.Budgets        // times that are allowed
	Limits   web.Limits         // how much is done at once

	// OpenFiles is how many files and connections this process has, and how many it
	// may have, 0 where that is not known; nil asks the kernel.
	OpenFiles func() (used, most int)

	common *common // of the console at another prefix; nil: its own
}

// common is what consoles at several prefixes share: that a proxy can have another
// one made takes no limit away.
type common struct {
	authenticator *auth.Authenticator
	wakeBulk      web.Signal
	wakeWebhooks  web.Signal
	elsewhere     *rate.Limiter // entries in the audit log about pages of other sites
	shared        *web.Shared
	rundetail     rundetail.Limits
}

func newCommon(c Config) *common {
	l := c.Limits.WithDefaults()
	files := c.OpenFiles
	if files == nil {
		files = health.OpenFiles
	}
	return &common{
		authenticator: auth.NewAuthenticator(c.Token, l), wakeBulk: make(web.Signal, 1), wakeWebhooks: make(web.Signal, 1),
		elsewhere: rate.NewLimiter(rate.Every(auth.LoginEvery), auth.LoginBurst),
		shared:    &web.Shared{Answers: web.NewAnswers(), OpenFiles: files},
		rundetail: rundetail.Limits{Renderings: make(chan struct{}, l.Renderings), ExportBytes: l.Export},
	}
}

// Server answers requests. It holds caches only: another server on the same
// database gives the same answers.
type Server struct {
	*web.Kit
	features
	common        *common
	handler       http.Handler
	prefixServers *prefixServers
}

// features answer for the addresses. None knows another; those with a name here give
// something to others, guard all of them, or work without a request.
type features struct {
	all       []feature
	auth      *auth.Handler
	actions   *actions.Handler
	attention *attention.Handler
	embed     *embed.Handler
	webhooks  *webhooks.Handler
	runs      *runs.Handler
}

// feature answers for some addresses.
type feature interface{ Routes(on web.Router) }

// New builds a Server. It starts nothing: streams end with their requests, and
// actions on many runs and messages of webhooks are carried out by Work.
func New(c Config) *Server {
	if c.common == nil {
		c.common = newCommon(c)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Data == nil {
		c.Data = appdb.Open(context.Background(), "")
	}
	kit := &web.Kit{
		Store: c.Store, Manifest: c.Manifest, Data: c.Data, Prices: c.Prices, Paths: views.Paths(c.BasePath), Log: c.Log, Now: c.Now,
		Budgets: c.Budgets.WithDefaults(), ReadOnly: c.ReadOnly, Access: accessOf(c), Shared: c.common.shared,
	}
	s := &Server{Kit: kit, features: newFeatures(c, kit), common: c.common, prefixServers: newPrefixServers(c)}
	kit.Frame = web.Frame{
		Attention: s.attention.AttentionCount, CanRun: s.runs.CanRun, Gated: c.common.authenticator.On,
		FailFragment: s.embed.FailFragment, TokenName: s.embed.TokenName,
		Banners: func() []views.Banner { return slices.Concat(c.Banners, kit.PriceBanner()) },
	}
	s.handler = s.wrapped(s.routes())
	return s
}

func accessOf(c Config) web.Access {
	a := web.Access{AnyIP: c.AnyIP, Proxies: c.Proxies, Embed: c.Embed}
	if len(c.Hosts) > 0 {
		a.Hosts = map[string]bool{}
		for _, h := range c.Hosts {
			a.Hosts[strings.ToLower(h)] = true
		}
	}
	return a
}

// newFeatures makes the features, and hands each what it takes of another.
func newFeatures(c Config, kit *web.Kit) features {
	reader := runview.New(kit, c.Engine)
	guard := c.Webhooks
	if guard == nil {
		guard, _ = webhook.NewGuard() // without an argument there is no error
	}
	log := logs.New(reader)
	detail := rundetail.New(reader, rundetail.From{PlainLog: log.PlainLog, ExportLog: log.ExportLog}, c.common.rundetail)
	f := features{
		auth: auth.New(&audit.Trail{Kit: kit, Elsewhere: c.common.elsewhere}, c.common.authenticator),
		runs: runs.New(reader), attention: attention.New(reader), actions: actions.New(reader, detail.RunHead, c.common.wakeBulk),
	}
	f.embed = embed.New(reader, embed.From{LogPart: log.LogPart, AddAttention: f.attention.AddAttention})
	f.webhooks = &webhooks.Handler{
		Reader: reader, Sender: webhook.NewSender(guard, "wavedeck"), Guard: guard,
		Wake: c.common.wakeWebhooks, Attention: f.attention.Attention,
	}
	f.all = []feature{
		f.runs, detail, log, f.actions, f.attention, catalog.New(reader, f.actions.StartRefusal), compare.New(reader), search.New(reader, c.Search),
		palette.New(reader), savedviews.New(reader), f.webhooks, f.embed, f.auth.Trail, f.auth,
		&health.Handler{Kit: kit, Engine: c.Engine, Index: c.Search, Started: c.Now()},
	}
	return f
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if prefix := s.Access.Proxies.Prefix(r); prefix != "" {
		s.serveBehind(w, r, prefix)
		return
	}
	s.handler.ServeHTTP(w, r)
}

// Work does what goes on without a request until ctx ends: actions on many runs,
// and the messages of webhooks.
func (s *Server) Work(ctx context.Context) error {
	var work sync.WaitGroup
	work.Go(func() { s.actions.Run(ctx) })
	work.Go(func() { s.webhooks.Run(ctx) })
	work.Wait()
	return nil
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
