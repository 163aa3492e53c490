package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"memberradius/web/api"
	"memberradius/web/me"
	"memberradius/web/portal"
	"memberradius/web/webhook"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/netutil"
)

// Limits of every connection. A client that sends its header octet by octet, or
// keeps idle connections, can't hold one for long; what asks for metrics sends
// no body and small headers.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 60 * time.Second
	maxHeaderBytes    = 16 << 10
	maxBody           = 256 << 10
	maxConnections    = 1024 // of each address
	shutdownTimeout   = 5 * time.Second
)

// Config is what New needs.
type Config struct {
	// Listen is the operator's address, as "127.0.0.1:8080"; empty serves none.
	Listen string
	// Public are addresses for guests and member systems.
	Public []string
	// Certificate and Key are PEM files for Public; empty serves it without
	// TLS, for a proxy that has its own.
	Certificate, Key string
	// Metrics is what /metrics shows.
	Metrics prometheus.Gatherer
	// Ready says why the server can't be used at this moment; nil is that it
	// can. It answers at once: it never waits for a member system.
	Ready func() error
	// Degraded says what does not work while logins do; nil, and a nil answer: all
	// does. It answers at once.
	Degraded func() error
	// ErrorLog gets what net/http has to say of broken connections.
	ErrorLog *log.Logger

	// PublicURL is where members and member systems reach us, as
	// "https://wifi.example.com"; "": as they did.
	PublicURL string
	// TrustedProxies are the operator's own: X-Forwarded-For and
	// X-Forwarded-Proto count from these alone.
	TrustedProxies []netip.Prefix
	// API is the operator's, on Listen alone. Nil: it is not served, and so with
	// the next three. PublicURL and Proxies of all four are filled in by New.
	API *api.Config
	// Webhook takes what member systems push, on every address.
	Webhook *webhook.Config
	// Me are members' personal pages, on every address.
	Me *me.Config
	// Portal are the pages that let guests in, on every address.
	Portal *portal.Config
}

// A Server serves HTTP on its addresses.
type Server struct {
	config    Config
	tls       *tls.Config
	parts     parts
	listeners []net.Listener
	servers   []*http.Server
}

// New checks c and reads the certificate. It opens no socket.
func New(c Config) (*Server, error) {
	if c.Metrics == nil || c.Ready == nil {
		return nil, errors.New("web: Metrics and Ready must be set")
	}
	if c.ErrorLog == nil {
		c.ErrorLog = log.New(io.Discard, "", 0)
	}
	s := &Server{config: c}
	if err := s.parts.make(&c); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	if c.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(c.Certificate, c.Key)
		if err != nil {
			return nil, fmt.Errorf("web: certificate and key of [http]: %w", err)
		}
		s.tls = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	return s, nil
}

// Listen opens the addresses. An error names the one that could not be had.
func (s *Server) Listen() error {
	if s.config.Listen != "" {
		if err := s.listen(s.config.Listen, nil, s.operator()); err != nil {
			return err
		}
	}
	for _, address := range s.config.Public {
		if err := s.listen(address, s.tls, s.public()); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) listen(address string, secure *tls.Config, h http.Handler) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		s.Close()
		return fmt.Errorf("web: %s: %w", address, err)
	}
	l = netutil.LimitListener(l, maxConnections)
	if secure != nil {
		l = tls.NewListener(l, secure)
	}
	s.listeners = append(s.listeners, l)
	s.servers = append(s.servers, &http.Server{
		Handler:           guard(h),
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          s.config.ErrorLog,
	})
	return nil
}

// Addrs returns the addresses that Listen has opened, the operator's first.
func (s *Server) Addrs() []net.Addr {
	addrs := make([]net.Addr, len(s.listeners))
	for i, l := range s.listeners {
		addrs[i] = l.Addr()
	}
	return addrs
}

// Serve answers until ctx ends, and then finishes what is in work.
func (s *Server) Serve(ctx context.Context) error {
	errs := make(chan error, len(s.servers))
	var running sync.WaitGroup
	for i, server := range s.servers {
		running.Go(func() {
			if err := server.Serve(s.listeners[i]); !errors.Is(err, http.ErrServerClosed) {
				errs <- fmt.Errorf("web: %s: %w", s.listeners[i].Addr(), err)
			}
		})
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-errs:
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	for _, server := range s.servers {
		if server.Shutdown(end) != nil {
			_ = server.Close()
		}
	}
	running.Wait()
	return err
}

// Close gives back the addresses of a server that is not served.
func (s *Server) Close() {
	for _, l := range s.listeners {
		_ = l.Close()
	}
	s.listeners, s.servers = nil, nil
}
