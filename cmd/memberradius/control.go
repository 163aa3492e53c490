package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// controlSocket is the socket in the data directory by which verbs speak to
// the running server. Its mode is 0600: who can open it may do what the
// server's own user may.
const controlSocket = "control.sock"

// Limits of the control socket. A reload may wait for a slow disk.
const (
	controlHeaderTimeout = 5 * time.Second
	controlTimeout       = 30 * time.Second
	maxControlBody       = 1 << 20
	maxDecisions         = 1000
)

// A control answers the verbs of the command line.
type control struct {
	listener net.Listener
	http     *http.Server
	server   *server
}

// listenControl opens the socket in the data directory. Where a server answers
// there already it says so; what a dead one has left is removed.
func listenControl(ctx context.Context, data string, s *server) (*control, error) {
	path := filepath.Join(data, controlSocket)
	l, err := net.Listen("unix", path)
	if errors.Is(err, syscall.EADDRINUSE) {
		if err := removeStale(ctx, data, path); err != nil {
			return nil, err
		}
		l, err = net.Listen("unix", path)
	}
	switch {
	case errors.Is(err, syscall.EINVAL):
		return nil, fmt.Errorf("control socket %s: its path is longer than a socket's may be (107 octets): name another data directory", path)
	case err != nil:
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("control socket: %w", err)
	}
	c := &control{listener: l, server: s}
	c.http = &http.Server{
		Handler:           http.MaxBytesHandler(c.handler(), maxControlBody),
		ReadHeaderTimeout: controlHeaderTimeout,
		ReadTimeout:       controlTimeout,
		WriteTimeout:      controlTimeout,
		IdleTimeout:       controlTimeout,
		MaxHeaderBytes:    16 << 10,
	}
	return c, nil
}

// removeStale removes the socket of a server that is gone.
func removeStale(ctx context.Context, data, path string) error {
	var st status
	err := newControlClient(data).call(ctx, http.MethodGet, "/status", nil, &st)
	if err == nil {
		return fmt.Errorf("a server runs already with the data directory %s: process %d; stop it first, or give this one its own data directory", data, st.Process)
	}
	if !errors.Is(err, errNotRunning) {
		return fmt.Errorf("control socket %s: something holds it that does not answer as a server does: %w", path, err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("control socket: %w", err)
	}
	return nil
}

func (c *control) close() { _ = c.listener.Close() }

// serve answers until ctx ends.
func (c *control) serve(ctx context.Context) error {
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = c.http.Serve(c.listener)
	}()
	select {
	case <-done:
		return fmt.Errorf("control socket: %w", err)
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if c.http.Shutdown(end) != nil {
		_ = c.http.Close()
	}
	<-done
	return nil
}

func (c *control) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", c.status)
	mux.HandleFunc("GET /why", c.why)
	mux.HandleFunc("POST /clients/lend", c.lend)
	mux.HandleFunc("POST /clients/return", c.giveBack)
	mux.HandleFunc("POST /members/refresh", c.refresh)
	mux.HandleFunc("POST /reload", c.reload)
	mux.HandleFunc("POST /sync", c.sync)
	mux.HandleFunc("POST /sessions/kick", c.kick)
	return mux
}

// A status says what runs.
type status struct {
	Process int            `json:"process"`
	Build   build          `json:"build"`
	Started time.Time      `json:"started"`
	Config  string         `json:"config"`
	Listen  []statusListen `json:"listen"`
	HTTP    []string       `json:"http"`
	Members int            `json:"members"`
}

type statusListen struct {
	Address netip.AddrPort `json:"address"`
	For     string         `json:"for"`
	Site    string         `json:"site,omitempty"`
}

func (c *control) status(w http.ResponseWriter, _ *http.Request) {
	st := status{Process: os.Getpid(), Build: thisBuild(), Started: c.server.started}
	if cfg := c.server.config.Load(); cfg != nil && c.server.ready.Load() {
		st.Config, st.Members = cfg.File, c.server.systems.count()
		st.Listen = c.server.listens
		for _, addr := range c.server.web.Addrs() {
			st.HTTP = append(st.HTTP, addr.String())
		}
	}
	answer(w, st)
}

// A judgement is a decision of the journal, for a reader.
type judgement struct {
	Sentence string `json:"sentence"`
	decision
}

func (c *control) why(w http.ResponseWriter, r *http.Request) {
	login := r.URL.Query().Get("login")
	most, err := strconv.Atoi(r.URL.Query().Get("most"))
	if login == "" || err != nil || most < 1 {
		refuse(w, http.StatusBadRequest, errors.New("login and most are needed"))
		return
	}
	found := []judgement{}
	for _, d := range c.server.radius.Why(login, min(most, maxDecisions)) {
		found = append(found, judgement{d.Sentence(), decisionOf(&d)})
	}
	answer(w, found)
}

func (c *control) lend(w http.ResponseWriter, r *http.Request) {
	var req loanRequest
	if !read(w, r, &req) {
		return
	}
	client, err := c.server.config.Load().borrowed(&req)
	if err == nil {
		err = c.server.loans.lend(req.Addresses, client, time.Duration(req.Seconds*float64(time.Second)))
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	as := client.Config()
	answer(w, map[string]string{"client": as.Name, "site": as.Site})
}

func (c *control) giveBack(w http.ResponseWriter, r *http.Request) {
	var req loanRequest
	if read(w, r, &req) {
		c.server.loans.giveBack(req.Addresses)
		answer(w, struct{}{})
	}
}

func (c *control) refresh(w http.ResponseWriter, r *http.Request) {
	c.server.systems.wakeLetters()
	if err := c.server.systems.refresh(r.Context()); err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	answer(w, map[string]int{"members": c.server.systems.count()})
}

func (c *control) reload(w http.ResponseWriter, r *http.Request) {
	// A verb that is interrupted does not leave the reload half done.
	answer(w, c.server.reload(context.WithoutCancel(r.Context())))
}

// read decodes a request's body, strictly.
func read(w http.ResponseWriter, r *http.Request, v any) bool {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		refuse(w, http.StatusBadRequest, errors.New("the body is not what this call takes"))
		return false
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		refuse(w, http.StatusBadRequest, errors.New("more follows the body"))
		return false
	}
	return true
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// A refusal is what the control socket says instead of an answer.
type refusal struct {
	Error string `json:"error"`
}

func refuse(w http.ResponseWriter, code int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(refusal{err.Error()})
}
