package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"wavedeck/handlers"
	"wavedeck/handlers/connlimit"
	"wavedeck/handlers/present"
	"wavedeck/handlers/web"
	"wavedeck/store"
	"wavedeck/store/appdb"
	"wavedeck/store/manifest"
	"wavedeck/store/prices"
	"wavedeck/store/search"
	"wavedeck/views"
)

type serveCommand struct {
	projectFlags
	listenFlags
	dataFlags
	engineFlags
	Prices string `placeholder:"FILE" group:"console" help:"Prices of tokens, in YAML or JSON, for estimated costs. Format: docs/states.md."`
}

// Run serves until ctx ends.
func (c *serveCommand) Run(ctx context.Context, io stdio) error {
	source, err := c.open()
	if err != nil {
		return err
	}
	var priced *prices.File
	if c.Prices != "" {
		if priced, err = prices.Open(c.Prices); err != nil {
			return err
		}
	}
	return site{
		source: source, prices: priced, listen: c.listenFlags, data: c.at(source.Current().Project.Root), engine: c.Engine,
		log: io.log(c.LogFormat), out: io.out, err: io.err,
	}.serve(ctx)
}

// site is a project that is served.
type site struct {
	source  *manifest.Source
	prices  *prices.File // nil: none are given
	listen  listenFlags
	data    dataFlags
	engine  engineName
	runs    runOptions // of those that are started here; the log is added
	notices []views.Banner
	log     *slog.Logger
	out     io.Writer                   // gets the address, on one line
	err     io.Writer                   // gets a token that was made, on one line
	beside  func(context.Context) error // if set, runs as long as the server; its end is the server's only if it is an error
}

// Limits of a connection. That for writing is the console's: each piece of an answer
// has its own, since a stream lasts.
const (
	readHeaderTimeout = 5 * time.Second
	idleTimeout       = 90 * time.Second
	maxHeader         = 32 << 10
)

// openGrace is how long requests are held back for the database to open: no
// longer than a reader would wait anyway.
const openGrace = 2 * time.Second

// How long answers may go on after the server was told to end, and how long
// connections then have to close.
const (
	answerGrace = 300 * time.Millisecond
	closeGrace  = 1500 * time.Millisecond
)

// serve returns when ctx has ended and everything that it started has too. That is
// no error.
func (s site) serve(ctx context.Context) (err error) {
	secure, err := s.listen.tls(s.log)
	if err != nil {
		return err
	}
	listener, err := s.listener(ctx)
	if err != nil {
		return err
	}
	guard, err := s.data.guard()
	if err != nil {
		return err
	}
	token := s.token()
	db := store.Open(s.source.Current().Project.DB, store.Options{
		Definition: handlers.Definition(s.source), Log: s.log, Shown: present.RedactWhole, Across: present.RedactEvents(),
		Locate: func() string { return s.source.Current().Project.DB },
	})
	own := appdb.Open(ctx, s.data.Data)
	defer func() { err = errors.Join(err, own.Close()) }()
	if problem := own.Problem(); problem != "" {
		s.log.Warn("failed to open the data folder: nothing is stored", "err", problem)
	}
	index := s.index(db)
	if index != nil {
		defer func() { err = errors.Join(err, index.Close()) }()
	}
	s.runs.Log = s.log
	engine := s.engine.start(s.source, s.runs, s.data.Data)
	defer func() { err = errors.Join(err, engine.Close()) }()
	s.log.Info("selected the engine for runs started here", "engine", engine.Name())
	group, ctx := errgroup.WithContext(ctx)
	// What answers need outlives the signal by as long as they may go on.
	answering, endAnswers := context.WithCancel(context.WithoutCancel(ctx))
	defer endAnswers()
	console := handlers.New(handlers.Config{ //nolint:contextcheck // each request brings its own
		Store: db, Manifest: s.source, Data: own, ReadOnly: s.data.ReadOnly, Engine: engine, BasePath: string(s.listen.BasePath),
		Hosts: s.hosts(), AnyIP: s.listen.Bind.addr().IsUnspecified(), Token: token,
		Embed: s.listen.config(), Proxies: s.listen.proxies(),
		Prices: s.prices, Search: index, Banners: append(platformNotices(), s.notices...), Webhooks: guard, Log: s.log, Budgets: web.Budgets{Search: s.data.SearchWithin},
	})
	server := &http.Server{
		Handler:     console,
		BaseContext: func(net.Listener) context.Context { return answering },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if connlimit.Over(c) {
				return web.Crowded(ctx)
			}
			return ctx
		},
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	group.Go(func() error { return unlessEnded(answering, db.Follow(answering)) })
	group.Go(func() error { s.source.Run(answering); return nil })
	group.Go(func() error { return unlessEnded(ctx, console.Work(ctx)) })
	if index != nil {
		group.Go(func() error { index.Run(ctx); return nil })
	}
	if s.beside != nil {
		group.Go(func() error { return unlessEnded(ctx, s.beside(ctx)) })
	}
	group.Go(func() error {
		awaitState(ctx, db)
		serve, scheme := server.Serve, "http"
		if secure != nil {
			server.TLSConfig = secure
			serve, scheme = func(l net.Listener) error { return server.ServeTLS(l, "", "") }, "https"
		}
		fmt.Fprintf(s.out, "%s://%s%s/\n", scheme, listener.Addr(), s.listen.BasePath)
		if err := serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		defer endAnswers()
		return shutdown(context.WithoutCancel(ctx), server, endAnswers)
	})
	return group.Wait()
}

// index is that of the events, nil when none is wanted.
func (s site) index(db *store.Store) *search.Index {
	if s.data.Search == "off" {
		return nil
	}
	return search.Open(db, search.Options{Dir: s.data.Data, Shown: present.RedactMessage, Form: present.MessageVersion, Log: s.log})
}

// awaitState waits until it is known whether there is a database, but not long:
// whoever asks at once, or comes back to a server that was restarted, should not
// be told that nobody looked. Connections wait in the listener's queue meanwhile.
func awaitState(ctx context.Context, db *store.Store) {
	sub := db.Subscribe()
	defer sub.Close()
	late := time.NewTimer(openGrace)
	defer late.Stop()
	for db.Health().Phase == store.Closed {
		select {
		case <-sub.Ready():
			sub.Take()
		case <-late.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// shutdown lets the answers in flight end, which streams never do by themselves.
func shutdown(ctx context.Context, server *http.Server, endAnswers func()) error {
	defer time.AfterFunc(answerGrace, endAnswers).Stop()
	ctx, cancel := context.WithTimeout(ctx, closeGrace)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return server.Close() // whoever does not read its answer waits no longer
	}
	return nil
}

func (s site) listener(ctx context.Context) (net.Listener, error) {
	at := netip.AddrPortFrom(s.listen.Bind.addr(), s.listen.Port)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", at.String())
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listen on %s: the port is in use; choose another one with --port, or a free one with --port 0", at)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("listen on %s: permission denied for this port; choose one from 1024 up", at)
	case err != nil:
		return nil, fmt.Errorf("listen on %s: %w", at, err)
	}
	if s.listen.Connections == 0 {
		return listener, nil
	}
	proxies := s.listen.proxies()
	return connlimit.New(listener, int(s.listen.Connections), func(addr netip.Addr) bool {
		return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(addr) })
	}), nil
}

// hosts are the names that a browser has for the server. To any other a page
// elsewhere could have pointed its own name here.
func (s site) hosts() []string {
	hosts := []string{"localhost", "127.0.0.1", "::1", s.listen.Bind.addr().WithZone("").String()}
	if name, err := os.Hostname(); err == nil && !s.listen.Bind.addr().IsLoopback() {
		hosts = append(hosts, name)
	}
	if public, err := url.Parse(string(s.listen.PublicURL)); err == nil && public.Host != "" {
		hosts = append(hosts, public.Hostname())
	}
	for _, name := range s.listen.Host {
		hosts = append(hosts, string(name))
	}
	return hosts
}

// token is what visitors must have: the one that was given, or where other
// machines can come in, one that is made now and told once.
func (s site) token() string {
	given := string(s.listen.Token)
	if s.listen.Bind.addr().IsLoopback() {
		return given
	}
	if s.listen.TLSCert == "" {
		s.log.Warn("the token is sent without TLS: set --tls-cert and --tls-key, or use a proxy with TLS")
	}
	if given != "" {
		if len(given) < 16 {
			s.log.Warn("the token is short enough to be guessed: use 32 random characters")
		}
		return given
	}
	var random [32]byte
	_, _ = rand.Read(random[:]) // it never fails: the program would end
	made := base64.RawURLEncoding.EncodeToString(random[:])
	fmt.Fprintf(s.err, "wavedeck: sign in with the token %s\n", made)
	return made
}

// unlessEnded drops an error that is only the end of ctx.
func unlessEnded(ctx context.Context, err error) error {
	select {
	case <-ctx.Done():
		return nil
	default:
		return err
	}
}
