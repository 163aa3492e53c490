//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// freeradiusStart is how long FreeRADIUS may take until it serves.
const freeradiusStart = 30 * time.Second

// A freeradius is an installed FreeRADIUS, and how it is run here.
type freeradius struct {
	path, modules string
	// single says that it serves faster without its thread pool (-s).
	single bool
}

// findFreeradius returns the FreeRADIUS of this machine, or an error that says
// what to install.
func findFreeradius(modules string) (*freeradius, error) {
	for _, name := range []string{"freeradius", "radiusd", "/usr/sbin/freeradius", "/usr/sbin/radiusd"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(modules, "rlm_mschap.so")); err != nil {
			return nil, fmt.Errorf("freeradius: %w; say with -modules where its modules are", err)
		}
		return &freeradius{path: path, modules: modules}, nil
	}
	return nil, errors.New("freeradius is not installed (Debian: apt-get install freeradius)")
}

// hasREST says whether rlm_rest is installed, which Debian packages apart.
func (f *freeradius) hasREST() bool {
	_, err := os.Stat(filepath.Join(f.modules, "rlm_rest.so"))
	return err == nil
}

// hasSQLite says whether rlm_sql can write to SQLite.
func (f *freeradius) hasSQLite() bool {
	_, err := os.Stat(filepath.Join(f.modules, "rlm_sql_sqlite.so"))
	return err == nil
}

// version returns the first line of what it says of itself.
func (f *freeradius) version(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, f.path, "-v").CombinedOutput() //nolint:gosec // the path was looked up
	line, _, _ := strings.Cut(string(out), "\n")
	if _, version, ok := strings.Cut(line, "Version "); err == nil && ok {
		number, _, _ := strings.Cut(version, ",")
		return "FreeRADIUS " + number
	}
	return "FreeRADIUS, version unknown"
}

// start serves members on the core, from a new directory below dir.
func (f *freeradius) start(ctx context.Context, core int, dir string, site freeradiusSite) (*server, error) {
	address, err := freeUDP()
	if err != nil {
		return nil, err
	}
	if site.Dir, err = os.MkdirTemp(dir, "freeradius"); err != nil {
		return nil, err
	}
	site.Port, site.Modules, site.Secret = address.Port(), f.modules, sharedSecret
	site.VLAN, site.SessionTimeout = vlan, sessionTimeout
	files := []string{"radiusd.conf", "users"}
	if site.Accounting != nil {
		files = []string{"radiusd.conf", "radacct.sql"}
	}
	for _, name := range files {
		if err := writeTemplate(site.Dir, name, site); err != nil {
			return nil, fmt.Errorf("freeradius: %w", err)
		}
	}
	if err := os.WriteFile(filepath.Join(site.Dir, "dictionary"), nil, 0o600); err != nil {
		return nil, fmt.Errorf("freeradius: %w", err)
	}
	argv := []string{f.path, "-f", "-l", "stdout", "-d", site.Dir}
	if f.single {
		argv = append(argv, "-s")
	}
	p, err := start(core, site.Dir, argv...)
	if err != nil {
		return nil, fmt.Errorf("freeradius: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, freeradiusStart)
	defer cancel()
	if err := p.waitFor(ctx, "Ready to process requests"); err != nil {
		p.stop()
		return nil, fmt.Errorf("freeradius: %w", err)
	}
	return &server{process: p, address: address}, nil
}

// A server is one that is being measured.
type server struct {
	*process
	address netip.AddrPort
	// ready is how long it took from start to serving, where that is measured.
	ready time.Duration
}
