//go:build linux

package supplicant

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// An ours is our own server.
type ours struct {
	*child
	dir string
	// auth and acct are where it takes requests and reports.
	auth, acct netip.AddrPort
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
	if o.auth, err = netip.ParseAddrPort(at.Auth); err != nil {
		return netip.AddrPort{}, err
	}
	o.acct, err = netip.ParseAddrPort(at.Acct)
	return o.auth, err
}

// verbWait is how long a verb may take. A switch that does not answer has the
// operator's wait for 30 s (RFC 5080 §2.2.1: MRD).
const verbWait = 45 * time.Second

// verb runs a verb of the program and reads the JSON that it prints. A verb
// whose exit status is not 0 is an error, and may have printed some besides.
func (o *ours) verb(into any, argv ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), verbWait)
	defer cancel()
	argv = append(argv, "--json", "--config", filepath.Join(o.dir, "config.toml"))
	cmd := exec.CommandContext(ctx, shop.program, argv...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("memberradius %s: %w\n%s", strings.Join(argv, " "), err, said.Bytes())
	}
	if len(out) == 0 {
		return err
	}
	return errors.Join(err, json.Unmarshal(out, into))
}

// A judgement is what `why --json` says of one decision.
type judgement struct{ Verdict, Reason, Device, Sentence string }

// why implements contender: the operator's own way to ask.
func (o *ours) why(login, device string) (string, error) {
	var found []judgement
	if err := o.verb(&found, "why", login, "--most", "1000"); err != nil {
		return "", err
	}
	bare := strings.NewReplacer(":", "", "-", "")
	for _, j := range found {
		if strings.EqualFold(bare.Replace(j.Device), bare.Replace(device)) {
			return j.Verdict + " " + j.Reason + ": " + j.Sentence, nil
		}
	}
	return "", fmt.Errorf("memberradius why %s: %d decisions, none of them about device %s", login, len(found), device)
}
