//go:build linux

package main

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// oursStart is how long our server may take until it is ready, with 100,000 members too.
const oursStart = 60 * time.Second

// readyPoll is how often /readyz is asked; it bounds the error of a start's time.
const readyPoll = 2 * time.Millisecond

// An ours is our own program, built for this run.
type ours struct {
	path string
	// profile is where the server writes a CPU profile; empty: nowhere.
	profile string
}

// buildOurs builds the program into dir.
func buildOurs(ctx context.Context, dir string) (*ours, error) {
	path := filepath.Join(dir, "memberradius")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", path, "memberradius/cmd/memberradius").CombinedOutput() //nolint:gosec // the path is ours
	if err != nil {
		return nil, fmt.Errorf("build memberradius: %w\n%s", err, out)
	}
	return &ours{path: path}, nil
}

// run runs a verb to its end.
func (o *ours) run(ctx context.Context, dir string, verb ...string) (string, error) {
	cmd := exec.CommandContext(ctx, o.path, verb...) //nolint:gosec // built here
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("memberradius %s: %w\n%s", strings.Join(verb, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// runOn is run on a core.
func (o *ours) runOn(ctx context.Context, core int, dir string, verb ...string) (string, error) {
	cmd := exec.CommandContext(ctx, o.path, verb...) //nolint:gosec // built here
	var out strings.Builder
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &out
	err := startPinned(cmd, core)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return "", fmt.Errorf("memberradius %s: %w\n%s", strings.Join(verb, " "), err, out.String())
	}
	return strings.TrimSpace(out.String()), nil
}

// prepare writes a configuration with free ports into a new directory below dir.
func (o *ours) prepare(dir string, site ourSite) (where string, filled ourSite, err error) {
	auth, err := freeUDP()
	if err != nil {
		return "", site, err
	}
	acct, err := freeUDP()
	if err != nil {
		return "", site, err
	}
	web, err := freeTCP()
	if err != nil {
		return "", site, err
	}
	site.Auth, site.Acct, site.HTTP = auth.String(), acct.String(), web.String()
	site.Secret, site.Plan, site.VLAN = sharedSecret, planName, vlan
	site.Session = sessionTimeout * time.Second
	if where, err = os.MkdirTemp(dir, "memberradius"); err != nil {
		return "", site, err
	}
	for _, name := range []string{"config.toml", "members.toml"} {
		if err := writeTemplate(where, name, site); err != nil {
			return "", site, fmt.Errorf("memberradius: %w", err)
		}
	}
	return where, site, nil
}

// importMembers puts the site's members into the embedded store.
func (o *ours) importMembers(ctx context.Context, where string, members int) error {
	f, err := os.OpenFile(filepath.Join(where, "members.csv"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := writeCSV(f, members); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	_, err = o.run(ctx, where, "member", "import", "members.csv")
	return err
}

// start serves what prepare has written, on the core.
func (o *ours) start(ctx context.Context, core int, where string, site ourSite) (*server, error) {
	argv := []string{o.path, "serve", "--config", "config.toml"}
	if o.profile != "" {
		argv = append(argv, "--cpuprofile", o.profile)
	}
	began := time.Now()
	p, err := start(core, where, argv...)
	if err != nil {
		return nil, fmt.Errorf("memberradius: %w", err)
	}
	s := &server{process: p}
	if err := s.waitReady(ctx, "http://"+site.HTTP+"/readyz"); err != nil {
		p.stop()
		return nil, fmt.Errorf("memberradius: %w", err)
	}
	s.ready = time.Since(began)
	s.address, err = netip.ParseAddrPort(site.Auth)
	return s, err
}

// waitReady asks url until it says 200.
func (s *server) waitReady(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, oursStart)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for tick := time.NewTicker(readyPoll); ; {
		if ready(ctx, client, url) {
			tick.Stop()
			return nil
		}
		select {
		case <-tick.C:
		case <-s.ended:
			tick.Stop()
			return s.failure(fmt.Errorf("it ended before it was ready: %w", s.err))
		case <-ctx.Done():
			tick.Stop()
			return s.failure(fmt.Errorf("%s did not say 200: %w", url, ctx.Err()))
		}
	}
}

func ready(ctx context.Context, client *http.Client, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}
