package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"memberradius/member"
	"memberradius/radiusd/radiustest"
)

type loadCmd struct {
	Mode         string  `enum:"pap,mschapv2,mschap,chap,peap,ttls,tls,eap-mschapv2" default:"pap" help:"pap, mschapv2, mschap, chap, or of EAP peap, ttls, tls, eap-mschapv2: then a request is a whole login."`
	Rate         float64 `placeholder:"N" help:"Open loop: N requests a second, whatever comes back."`
	InFlight     int     `placeholder:"N" help:"Closed loop: N requests are always out (default: 64)."`
	Seconds      float64 `placeholder:"N" help:"Stop after N seconds (default: 10, unless --count is given)."`
	Count        uint64  `placeholder:"N" help:"Stop after N requests."`
	Users        string  `type:"path" xor:"who" placeholder:"FILE" help:"Logins and passwords, one of each a line with a comma or tab between."`
	Login        string  `xor:"who" help:"The one login to use."`
	PasswordFile string  `type:"path" placeholder:"FILE" help:"Read its password from the first line of this file, not from the terminal or standard input."`
	Resume       bool    `help:"With EAP: log everybody in once, and measure logins that resume their TLS sessions."`
	deviceFlags
	target
}

// Help implements kong.HelpProvider.
func (loadCmd) Help() string {
	return "Real logins go to the running server, which asks its member systems for each: one that sells passes may charge for them. " +
		"In an open loop latency counts from when a request was due.\n\n" +
		example("memberradius load --mode mschapv2 --rate 2000 --seconds 30 --users users.csv",
			"memberradius load --in-flight 512 --login bob@example.com < password.txt",
			"memberradius load --mode peap --tls 1.2 --users users.csv --resume")
}

const defaultLoadSeconds = 10

// Run drives the server.
func (c *loadCmd) Run(p *program) error {
	l, err := c.load(p)
	if err != nil {
		return err
	}
	control, cfg, err := p.running()
	if err != nil {
		return err
	}
	if l.Server, err = c.server(p.ctx, control, cfg); err != nil {
		return err
	}
	secret, err := newSecret(p.rand)
	if err != nil {
		return err
	}
	l.Secret, l.Dictionary = member.Secret(secret), cfg.Dictionary
	length := l.Duration
	if length == 0 {
		length = maxLoanTime - loanSlack
	}
	var loan *borrowed
	defer func() { loan.giveBack(p.ctx) }()
	l.Opened = func(sockets []netip.AddrPort) (err error) {
		loan, err = c.borrow(p.ctx, control, sockets, l.Secret, length+loanSlack)
		return err
	}
	if _, ok := terminal(p.stderr); ok {
		l.Progress = func(s radiustest.Snapshot) { progress(p, s) }
	}
	if l.Mode.EAP() && os.Getenv("GOGC") == "" {
		// A login's TLS leaves much garbage, and the generator must not be what is measured.
		defer debug.SetGCPercent(debug.SetGCPercent(400))
	}
	result, err := l.Run(p.ctx)
	if l.Progress != nil {
		_, _ = fmt.Fprint(p.stderr, "\r\x1b[K")
	}
	if result == nil || result.Replies == 0 && err != nil {
		return err
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return c.report(p, result)
}

// load is what the flags say.
func (c *loadCmd) load(p *program) (*radiustest.Load, error) {
	l := &radiustest.Load{
		Mode: radiustest.Method(c.Mode), Rate: c.Rate, InFlight: c.InFlight, Count: c.Count,
		Duration:    time.Duration(c.Seconds * float64(time.Second)),
		AccessPoint: radiustest.AccessPoint{Identifier: "memberradius-load"}, Resume: c.Resume,
	}
	if c.Seconds < 0 || c.Rate < 0 || c.InFlight < 0 {
		return nil, errors.New("--seconds, --rate and --in-flight can't be negative")
	}
	if l.Duration == 0 && l.Count == 0 {
		l.Duration = defaultLoadSeconds * time.Second
	}
	if l.Duration > maxLoanTime-loanSlack {
		return nil, fmt.Errorf("--seconds: a load lasts up to %s", maxLoanTime-loanSlack)
	}
	var err error
	switch {
	case c.Users != "":
		l.Users, err = readUsers(c.Users)
	case c.Login != "" && l.Mode == radiustest.TLS:
		l.Users = []radiustest.User{{Login: c.Login}}
	case c.Login != "":
		var password member.Secret
		password, err = p.password(c.PasswordFile, c.Login)
		l.Users = []radiustest.User{{Login: c.Login, Password: password}}
	default:
		err = errors.New("whom to log in? --login LOGIN, or --users FILE for many")
	}
	if err != nil {
		return nil, err
	}
	l.EAP, err = c.options(p, l.Mode, c.PasswordFile)
	return l, err
}

// readUsers reads logins and passwords, one of each a line.
func readUsers(path string) ([]radiustest.User, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("users: %w", err)
	}
	defer func() { _ = f.Close() }()
	var users []radiustest.User
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimRight(lines.Text(), "\r")
		if line == "" || line[0] == '#' {
			continue
		}
		at := strings.IndexAny(line, ",\t")
		if at < 1 || at == len(line)-1 {
			return nil, fmt.Errorf("users: %s:%d: a login and a password with a comma or tab between are needed", path, n)
		}
		users = append(users, radiustest.User{Login: line[:at], Password: member.Secret(line[at+1:])})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("users: %s: %w", path, err)
	}
	if len(users) == 0 {
		return nil, fmt.Errorf("users: %s: nobody is in it", path)
	}
	return users, nil
}
