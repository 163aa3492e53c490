package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/netip"
	"os"
	"os/signal"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"memberradius/radiusd"
	"memberradius/web"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/sirupsen/logrus"
)

type serveCmd struct {
	CPUProfile string `name:"cpuprofile" hidden:"" placeholder:"FILE" help:"Write a CPU profile while the server runs."`
}

// Help implements kong.HelpProvider.
func (serveCmd) Help() string {
	return "SIGHUP reads the configuration again; one that is wrong leaves the old one in place. " +
		"SIGTERM and Ctrl-C end the server after what is in work.\n\n" +
		example("memberradius serve --config /etc/memberradius/config.toml")
}

// Run runs the server until a signal ends it.
func (c *serveCmd) Run(p *program) error {
	cfg, found, err := loadConfig(p.Config)
	if err != nil {
		return err
	}
	if found.bad() {
		found.print(p.stderr)
		return errFindings
	}
	if err := forbidCoreDumps(); err != nil {
		return err
	}
	if c.CPUProfile != "" {
		stop, err := profile(c.CPUProfile)
		if err != nil {
			return err
		}
		defer stop()
	}
	logger := newLogger(p.stderr, cfg.Log)
	found.log(logger)
	s, err := newServer(p.ctx, cfg, logger)
	if err != nil {
		return err
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	return s.run(p.ctx, hangup)
}

func profile(path string) (stop func(), err error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("cpuprofile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("cpuprofile: %w", err)
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}, nil
}

// A server is the running whole: RADIUS, HTTP, the control socket, and the
// member systems behind them.
type server struct {
	log     *logrus.Logger
	systems *systems
	online  *online
	loans   *loans
	radius  *radiusd.Server
	web     *web.Server
	wpa     *wpa // nil: no EAP
	control *control
	started time.Time
	ready   atomic.Bool
	listens []statusListen // where RADIUS is bound; not changed after open

	reloading sync.Mutex
	closed    bool // under reloading
	config    atomic.Pointer[config]
	tables    atomic.Pointer[radiusd.Tables] // that answer now
}

// newServer opens everything that c names, and binds the addresses. Whatever
// can't be had is an error that says what to do, and nothing stays open.
func newServer(ctx context.Context, c *config, log *logrus.Logger) (*server, error) {
	if err := makeData(c.Server.Data, log); err != nil {
		return nil, err
	}
	s := &server{log: log, systems: newSystems(c.Server.Data, log), loans: &loans{now: time.Now}, started: time.Now()}
	if err := s.open(ctx, c); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *server) open(ctx context.Context, c *config) (err error) {
	// The control socket comes first: it tells of a server that runs already.
	if s.control, err = listenControl(ctx, c.Server.Data, s); err != nil {
		return err
	}
	if found := s.openWPA(ctx, c); found.bad() {
		found.log(s.log)
		return errFindings
	}
	tables, commit, found := s.build(ctx, c)
	if found.bad() {
		found.log(s.log)
		return errFindings
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		s.systems.meters, newMemberMeters(s.systems), newTolerance(s.config.Load))
	if s.wpa != nil {
		registry.MustRegister(s.wpa.watch)
	}
	s.config.Store(c)
	if s.online, err = s.openOnline(ctx, c, registry); err != nil {
		return err
	}
	if err := s.openRadius(ctx, c, tables, registry); err != nil {
		return err
	}
	if err := s.openWeb(c, registry); err != nil {
		return err
	}
	commit()
	s.tables.Store(&tables)
	s.systems.follow(&follower{s.online.membersChanged, s.online.doorsClosed, s.online.anybodyChanged})
	return nil
}

// openRadius binds the ports of RADIUS. The ledger and the limits are open already.
func (s *server) openRadius(ctx context.Context, c *config, tables radiusd.Tables, registry *prometheus.Registry) error {
	identity, err := identityKey(c.Server.Data)
	if err != nil {
		return err
	}
	s.radius, err = radiusd.New(radiusd.Config{
		Listen:      c.Server.Listen,
		Tables:      tables,
		RejectDelay: c.Server.RejectDelay,
		Journal:     c.Server.Journal,
		IdentityKey: identity,
		Log:         s.log,
		Metrics:     registry,

		Warden:        s.online.presence,
		Recorder:      s.online.ledger,
		Conversations: c.EAP.Conversations,
	})
	if err != nil {
		return err
	}
	if err := s.radius.Listen(ctx); err != nil {
		return explainInUse(err, "udp", addressesOf(c.Server.Listen))
	}
	for i, addr := range s.radius.Addrs() {
		l := c.Server.Listen[i]
		s.listens = append(s.listens, statusListen{addr, roleWord(l.Role), l.Site})
	}
	return nil
}

func (s *server) openWeb(c *config, registry *prometheus.Registry) error {
	sign, err := c.signer()
	if err != nil {
		return err
	}
	fault := func(err error) { s.log.WithError(err).Error("a request over HTTP met a fault of this server") }
	operators, hooks, members := s.webParts(c, sign, fault)
	s.web, err = web.New(web.Config{
		Listen:      c.HTTP.Listen,
		Public:      c.HTTP.Public,
		Certificate: c.HTTP.Certificate,
		Key:         c.HTTP.Key,
		Metrics:     registry,
		Ready:       s.readiness,
		Degraded:    s.degraded,
		ErrorLog:    log.New(debugWriter{s.log}, "", 0),

		PublicURL: c.HTTP.PublicURL, TrustedProxies: c.HTTP.TrustedProxies,
		API: operators, Webhook: hooks, Me: members, Portal: s.portal(fault),
	})
	if err != nil {
		return err
	}
	if err := s.web.Listen(); err != nil {
		return explainInUse(err, "tcp", c.HTTP.addresses())
	}
	return nil
}

func (s *server) readiness() error {
	if !s.ready.Load() {
		return errors.New("the server is starting or stopping")
	}
	return nil
}

// degraded says what does not work while logins do.
func (s *server) degraded() error {
	return errors.Join(s.systems.unread(), s.online.ledger.Fault())
}

// run serves until ctx ends or a socket fails, and then finishes what is in work.
func (s *server) run(ctx context.Context, hangup <-chan os.Signal) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer s.close()
	var parts sync.WaitGroup
	errs := make(chan error, 3)
	for _, serve := range []func(context.Context) error{s.radius.Serve, s.web.Serve, s.control.serve} {
		parts.Go(func() {
			defer cancel()
			errs <- serve(ctx)
		})
	}
	parts.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangup:
				_ = s.reload(ctx)
			}
		}
	})
	if s.wpa != nil {
		parts.Go(func() { _ = s.wpa.watch.run(ctx) })
	}
	parts.Go(func() { tuneGarbage(ctx, s.systems.syncing) })
	parts.Go(func() { s.deliver(ctx) })
	s.sayStart()
	s.ready.Store(true)
	<-ctx.Done()
	s.ready.Store(false)
	s.log.Info("stopping: what is in work is finished first")
	parts.Wait()
	close(errs)
	var err error
	for e := range errs {
		err = errors.Join(err, e)
	}
	s.log.Info("stopped")
	return err
}

// close gives everything back that is open. A reload that is under way ends first.
func (s *server) close() {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	s.closed = true
	if s.control != nil {
		s.control.close()
	}
	s.systems.follow(nil)
	s.online.close()
	s.systems.shut()
}

// sayStart logs what the operator looks for first.
func (s *server) sayStart() {
	c := s.config.Load()
	for _, l := range s.listens {
		fields := logrus.Fields{"address": l.Address.String(), "for": l.For}
		if l.Site != "" {
			fields["site"] = l.Site
		}
		s.log.WithFields(fields).Info("listening for RADIUS")
	}
	for _, addr := range s.web.Addrs() {
		s.log.WithField("address", addr.String()).Info("listening for HTTP")
	}
	s.log.WithFields(s.sizes(c)).Info("serving")
}

// sizes counts what a configuration holds.
func (s *server) sizes(c *config) logrus.Fields {
	return logrus.Fields{
		"config": c.File, "clients": len(c.Clients), "sites": len(c.Sites), "plans": len(c.Plans),
		"backends": strings.Join(names(c.Backends, func(b backendConfig) string { return b.Name }), ","),
		"members":  s.systems.count(),
	}
}

func roleWord(r radiusd.Role) string {
	if r == radiusd.Acct {
		return "acct"
	}
	return "auth"
}

func addressesOf(listens []radiusd.Listen) []netip.AddrPort {
	out := make([]netip.AddrPort, len(listens))
	for i, l := range listens {
		out[i] = l.Address
	}
	return out
}

// addresses returns where HTTP is served.
func (h *httpConfig) addresses() []netip.AddrPort {
	var out []netip.AddrPort
	for _, s := range append([]string{h.Listen}, h.Public...) {
		if a, err := netip.ParseAddrPort(s); err == nil {
			out = append(out, a)
		}
	}
	return out
}
