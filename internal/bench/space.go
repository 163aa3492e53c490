//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"sync"
	"time"

	"memberradius/internal/nexudustest/standin"
)

const (
	// spaceMembers is how many members the space at Nexudus has.
	spaceMembers = 100_000
	// spaceHook is the action that the space's webhook is for (AccessControlUpdate).
	spaceHook = 61
	// spaceSecret signs its webhooks.
	spaceSecret = "bench-hook-secret" //nolint:gosec // the stand-in's
)

// Where a space is told what to do. Everything else is Nexudus' own.
const (
	spaceOpen   = "/bench/open"
	spaceChange = "/bench/change"
	spaceCancel = "/bench/cancel"
)

// A space is the stand-in for Nexudus with spaceMembers members. Its API answers
// nothing before it is opened, so that a load can be under way when a sync begins.
type space struct {
	*standin.Server
	// contracts are the members' contracts, in the order of their logins.
	contracts []int
	opened    chan struct{}
	open      func() // may be called twice
	hooked    sync.Once
}

// serveSpace is a space at address until it is killed.
func serveSpace(address netip.AddrPort, ready func()) error {
	l, err := net.Listen("tcp", address.String())
	if err != nil {
		return err
	}
	s := newSpace(spaceMembers)
	ready()
	web := &http.Server{Handler: s.handler(), ReadHeaderTimeout: time.Minute}
	return web.Serve(l)
}

func newSpace(members int) *space {
	s := &space{Server: standin.New(), opened: make(chan struct{})}
	s.open = sync.OnceFunc(func() { close(s.opened) })
	s.HookSecret = spaceSecret
	s.Fill(members)
	for _, c := range s.Coworkers() {
		s.contracts = append(s.contracts, c.ID+1) // Fill gives each member a contract after her
	}
	return s
}

func (s *space) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+spaceOpen, func(http.ResponseWriter, *http.Request) { s.open() })
	mux.HandleFunc("POST "+spaceChange, s.told(func(_ context.Context, contracts []int, _ string) error {
		for _, id := range contracts {
			c := s.Contract(id)
			c.Plan += " by the Year"
			s.PutContract(c)
		}
		return nil
	}))
	mux.HandleFunc("POST "+spaceCancel, s.told(s.cancel))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-s.opened:
			s.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	})
	return mux
}

// told hands f the contracts that a request names by the numbers of their
// members, and the address of the hook.
func (s *space) told(f func(ctx context.Context, contracts []int, hook string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		from, err := strconv.Atoi(query.Get("from"))
		count, err2 := strconv.Atoi(query.Get("count"))
		if err != nil || err2 != nil || from < 0 || count < 1 || from > len(s.contracts)-count {
			http.Error(w, "there are no such members", http.StatusBadRequest)
			return
		}
		if err := f(r.Context(), s.contracts[from:from+count], query.Get("hook")); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	}
}

// cancel ends contracts, and then sends a webhook for each.
func (s *space) cancel(ctx context.Context, contracts []int, hook string) error {
	s.hooked.Do(func() {
		s.PutHook(standin.Hook{Business: s.Business, Name: "bench", Action: spaceHook, URL: hook, Active: true})
	})
	for _, id := range contracts {
		s.Cancel(id)
	}
	for _, id := range contracts {
		if err := s.Tell(ctx, spaceHook, s.HookBody(id)); err != nil {
			return err
		}
	}
	return nil
}

// startSpace starts a space beside the load, to which it gives way (SCHED_IDLE):
// the load's latency is what counts.
func (r *run) startSpace(ctx context.Context) (*server, error) {
	address, err := freeTCP()
	if err != nil {
		return nil, err
	}
	p, err := start(r.cores.load, r.dir, "chrt", "--idle", "0", r.self, "-role", "space", "-address", address.String())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, oursStart)
	defer cancel()
	if err := p.waitFor(ctx, readyLine); err != nil {
		p.stop()
		return nil, err
	}
	return &server{process: p, address: address}, nil
}

// An order is what a space is told: to do something with some members' contracts.
type order struct {
	path        string
	from, count int
	hook        string
}

// tell gives a space an order and returns when it is carried out.
func (s *server) tell(ctx context.Context, o order) error {
	to := url.URL{Scheme: "http", Host: s.address.String(), Path: o.path}
	to.RawQuery = url.Values{"from": {strconv.Itoa(o.from)}, "count": {strconv.Itoa(o.count)}, "hook": {o.hook}}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return s.failure(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return s.failure(fmt.Errorf("%s: %w", o.path, errors.New(response.Status)))
	}
	return nil
}
