package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"memberradius/member"
	"memberradius/radiusd/radiustest"
)

type loadCmd struct {
	Mode         string  `enum:"pap,mschapv2,mschap" default:"pap" help:"pap, mschapv2 or mschap."`
	Rate         float64 `placeholder:"N" help:"Open loop: N requests a second, whatever comes back."`
	InFlight     int     `placeholder:"N" help:"Closed loop: N requests are always out (default: 64)."`
	Seconds      float64 `placeholder:"N" help:"Stop after N seconds (default: 10, unless --count is given)."`
	Count        uint64  `placeholder:"N" help:"Stop after N requests."`
	Users        string  `type:"path" xor:"who" placeholder:"FILE" help:"Logins and passwords, one of each a line with a comma or tab between."`
	Login        string  `xor:"who" help:"The one login to use."`
	PasswordFile string  `type:"path" placeholder:"FILE" help:"Read its password from the first line of this file, not from the terminal or standard input."`
	target
}

// Help implements kong.HelpProvider.
func (loadCmd) Help() string {
	return "Real logins go to the running server, which asks its member systems for each: one that sells passes may charge for them. " +
		"In an open loop latency counts from when a request was due.\n\n" +
		example("memberradius load --mode mschapv2 --rate 2000 --seconds 30 --users users.csv",
			"memberradius load --in-flight 512 --login bob@example.com < password.txt")
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
		AccessPoint: radiustest.AccessPoint{Identifier: "memberradius-load"},
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
	case c.Login != "":
		var password member.Secret
		password, err = p.password(c.PasswordFile, c.Login)
		l.Users = []radiustest.User{{Login: c.Login, Password: password}}
	default:
		err = errors.New("whom to log in? --login LOGIN, or --users FILE for many")
	}
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

// progress writes over one line of the terminal.
func progress(p *program, s radiustest.Snapshot) {
	_, _ = fmt.Fprintf(p.stderr, "\r\x1b[K%4.0fs  %9.0f/s  p50 %-8s p99 %-8s accepted %d  rejected %d  lost %d",
		s.Elapsed.Seconds(), s.Rate, short(s.P50), short(s.P99), s.Accepted, s.Rejected, s.Lost)
}

func short(d time.Duration) string {
	if d < time.Millisecond {
		return d.Round(time.Microsecond).String()
	}
	return d.Round(10 * time.Microsecond).String()
}

// A loadReport is a result as JSON has it.
type loadReport struct {
	Mode     string  `json:"mode"`
	Seconds  float64 `json:"seconds"`
	Rate     float64 `json:"replies_per_second"`
	Sent     uint64  `json:"sent"`
	Accepted uint64  `json:"accepted"`
	Rejected uint64  `json:"rejected"`
	Lost     uint64  `json:"lost"`
	Late     uint64  `json:"late"`
	Wrong    uint64  `json:"wrong"`
	Verified uint64  `json:"verified"`
	// Latency is in milliseconds, by quantile.
	Latency struct {
		Mean float64 `json:"mean"`
		P50  float64 `json:"p50"`
		P90  float64 `json:"p90"`
		P99  float64 `json:"p99"`
		P999 float64 `json:"p99.9"`
		Max  float64 `json:"max"`
	} `json:"latency_ms"`
	Behind float64 `json:"generator_behind_ms"`
}

// report prints a result. Requests that were lost, refused or answered wrongly
// are exit status 1: what was measured is not what was meant.
func (c *loadCmd) report(p *program, r *radiustest.Result) error {
	if p.JSON {
		if err := p.printJSON(reportOf(r)); err != nil {
			return err
		}
	} else {
		h := &r.Latency
		p.printf("%s: %.0f replies/s over %.1f s (%d sent, %d accepted, %d rejected, %d lost, %d wrong)\n",
			r.Mode, r.Rate, r.Elapsed.Seconds(), r.Sent, r.Accepted, r.Rejected, r.Lost, r.Wrong)
		p.printf("latency: mean %s, p50 %s, p90 %s, p99 %s, p99.9 %s, max %s\n", short(h.Mean()),
			short(h.Quantile(.5)), short(h.Quantile(.9)), short(h.Quantile(.99)), short(h.Quantile(.999)), short(h.Max()))
		if r.Behind > 0 {
			p.printf("the generator itself was up to %s behind its schedule\n", short(r.Behind))
		}
	}
	if r.Accepted != r.Sent {
		return errQuiet
	}
	return nil
}

func reportOf(r *radiustest.Result) *loadReport {
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	o := &loadReport{
		Mode: string(r.Mode), Seconds: r.Elapsed.Seconds(), Rate: r.Rate, Sent: r.Sent, Accepted: r.Accepted,
		Rejected: r.Rejected, Lost: r.Lost, Late: r.Late, Wrong: r.Wrong, Verified: r.Verified, Behind: ms(r.Behind),
	}
	h, l := &r.Latency, &o.Latency
	l.Mean, l.P50, l.P90, l.P99, l.P999, l.Max = ms(h.Mean()), ms(h.Quantile(.5)), ms(h.Quantile(.9)), ms(h.Quantile(.99)), ms(h.Quantile(.999)), ms(h.Max())
	return o
}
