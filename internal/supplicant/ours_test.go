//go:build linux

package supplicant

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// An ours is our own server.
type ours struct {
	*child
	dir string
	// within runs a command elsewhere, such as in a network namespace.
	within []string
}

var _ contender = (*ours)(nil)

// start implements contender.
func (o *ours) start(dir string, s *setting) (netip.AddrPort, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startWait)
	defer cancel()
	at := newSite(dir, s)
	var err error
	if at.Auth, at.Acct, at.HTTP, err = freePorts(ctx); err != nil {
		return netip.AddrPort{}, err
	}
	for _, name := range []string{"config.toml", "members.toml"} {
		if err := at.write(name); err != nil {
			return netip.AddrPort{}, err
		}
	}
	o.dir = dir
	if o.child, err = startChild(dir, append(slices.Clone(o.within), shop.program, "serve")...); err != nil {
		return netip.AddrPort{}, err
	}
	keep(o.child)
	if err := o.waitFor(ctx, "msg=serving"); err != nil {
		return netip.AddrPort{}, err
	}
	return netip.ParseAddrPort(at.Auth)
}

// A judgement is what `why --json` says of one decision.
type judgement struct{ Verdict, Reason, Device, Sentence string }

// why implements contender: the operator's own way to ask.
func (o *ours) why(login, device string) (string, error) {
	cmd := exec.Command(shop.program, "why", login, "--json", "--most", "1000", "--config", filepath.Join(o.dir, "config.toml"))
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("memberradius why %s: %w", login, err)
	}
	var found []judgement
	if err := json.Unmarshal(out, &found); err != nil {
		return "", fmt.Errorf("memberradius why %s: %w", login, err)
	}
	bare := strings.NewReplacer(":", "", "-", "")
	for _, j := range found {
		if strings.EqualFold(bare.Replace(j.Device), bare.Replace(device)) {
			return j.Verdict + " " + j.Reason + ": " + j.Sentence, nil
		}
	}
	return "", fmt.Errorf("memberradius why %s: %d decisions, none of them about device %s", login, len(found), device)
}
