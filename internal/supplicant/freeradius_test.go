//go:build linux

package supplicant

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
)

// freeradiusModules is where Debian puts FreeRADIUS's modules.
const freeradiusModules = "/usr/lib/freeradius"

// A freeradius is the oracle.
type freeradius struct{ *child }

var _ contender = (*freeradius)(nil)

// start implements contender.
func (f *freeradius) start(dir string, s *setting) (netip.AddrPort, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startWait)
	defer cancel()
	path, err := exec.LookPath("freeradius")
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("freeradius is not installed (Debian: apt-get install freeradius): %w", err)
	}
	at := newSite(dir, s)
	auth, _, _, err := freePorts(ctx)
	if err != nil {
		return netip.AddrPort{}, err
	}
	address, err := netip.ParseAddrPort(auth)
	if err != nil {
		return netip.AddrPort{}, err
	}
	at.Modules, at.Port = freeradiusModules, address.Port()
	for _, name := range []string{"radiusd.conf", "users"} {
		if err := at.write(name); err != nil {
			return netip.AddrPort{}, err
		}
	}
	err = errors.Join(os.WriteFile(filepath.Join(dir, "dictionary"), nil, 0o600), os.Mkdir(filepath.Join(dir, "tickets"), 0o700))
	if err != nil {
		return netip.AddrPort{}, err
	}
	if f.child, err = startChild(dir, path, "-f", "-xx", "-l", "stdout", "-d", dir); err != nil {
		return netip.AddrPort{}, err
	}
	keep(f.child)
	return address, f.waitFor(ctx, "Ready to process requests")
}

// why implements contender; FreeRADIUS has no journal.
func (f *freeradius) why(string, string) (string, error) { return "", nil }
