package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"memberradius/member"
	"memberradius/radiusd/radiustest"
)

type testCmd struct {
	Login        string `arg:"" help:"The login to try."`
	Method       string `enum:"pap,mschapv2,mschap,chap" default:"pap" help:"pap, mschapv2, mschap or chap."`
	PasswordFile string `type:"path" placeholder:"FILE" help:"Read the password from the first line of this file, not from the terminal or standard input."`
	target
	SSID string `name:"ssid" placeholder:"NAME" help:"The network that the device is said to use."`
	MAC  string `name:"mac" placeholder:"ADDRESS" help:"The device's address."`
}

// Help implements kong.HelpProvider.
func (testCmd) Help() string {
	return "One real request goes to the running server, from this machine; it needs no [[client]]. " +
		"Exit status 0 is Access-Accept.\n\n" +
		example("memberradius test bob@example.com --method mschapv2 --ssid Members")
}

// loanSlack is how long a loan outlasts what it is for.
const loanSlack = time.Minute

// Run tries a login.
func (c *testCmd) Run(p *program) error {
	var station net.HardwareAddr
	if c.MAC != "" {
		var err error
		if station, err = net.ParseMAC(c.MAC); err != nil || len(station) != 6 {
			return fmt.Errorf("--mac %q is no device's address: write it as aa:bb:cc:dd:ee:ff", c.MAC)
		}
	}
	control, cfg, err := p.running()
	if err != nil {
		return err
	}
	server, err := c.server(p.ctx, control, cfg)
	if err != nil {
		return err
	}
	password, err := p.password(c.PasswordFile, c.Login)
	if err != nil {
		return err
	}
	secret, err := newSecret(p.rand)
	if err != nil {
		return err
	}
	nas := &radiustest.NAS{
		Server: server, Local: netip.AddrPortFrom(server.Addr(), 0),
		Secret: member.Secret(secret), Dictionary: cfg.Dictionary,
	}
	if err := nas.Open(p.ctx); err != nil {
		return err
	}
	defer func() { _ = nas.Close() }()
	loan, err := c.borrow(p.ctx, control, []netip.AddrPort{nas.Addr()}, nas.Secret, loanSlack)
	if err != nil {
		return err
	}
	defer loan.giveBack(p.ctx)
	reply, err := nas.Do(p.ctx, &radiustest.Request{
		Method: radiustest.Method(c.Method), Login: c.Login, Password: password,
		AccessPoint: radiustest.AccessPoint{Identifier: "memberradius-test", SSID: c.SSID, Station: station},
	})
	var silence *radiustest.NoReplyError
	if err != nil && !errors.As(err, &silence) {
		return err
	}
	o := c.outcome(p, control, reply, err)
	o.Server = server
	return o.report(p)
}

// password reads the password of login from a file, the terminal or standard input.
func (p *program) password(file, login string) (member.Secret, error) {
	if file == "" {
		return p.readPassword("Password of " + strconv.Quote(login) + ": ")
	}
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("password: %w", err)
	}
	defer func() { _ = f.Close() }()
	return firstLine(f)
}

// An outcome is what came of a test.
type outcome struct {
	Login        string                 `json:"login"`
	Method       string                 `json:"method"`
	Server       netip.AddrPort         `json:"server"`
	Reply        string                 `json:"reply"` // empty: none came
	Milliseconds float64                `json:"milliseconds,omitempty"`
	Tries        int                    `json:"tries,omitempty"`
	Attributes   []radiustest.Attribute `json:"attributes,omitempty"`
	// Of these each is right, wrong or missing.
	MessageAuthenticator string   `json:"message_authenticator,omitempty"`
	Success              string   `json:"mschap2_success,omitempty"`
	Keys                 string   `json:"mppe_keys,omitempty"`
	MSCHAPError          string   `json:"mschap_error,omitempty"`
	Faults               []string `json:"faults,omitempty"`
	Error                string   `json:"error,omitempty"`
	Why                  string   `json:"why,omitempty"`

	ok bool
}

// outcome gathers what to say, and asks the server why.
func (c *testCmd) outcome(p *program, control *controlClient, r *radiustest.Reply, failed error) *outcome {
	o := &outcome{Login: c.Login, Method: c.Method}
	if r == nil {
		o.Error = failed.Error()
	} else {
		o.ok = r.OK()
		o.Reply, o.Attributes, o.Faults, o.Tries = r.Code.String(), r.Attributes, r.Faults, r.Tries
		o.Milliseconds = float64(r.Took) / float64(time.Millisecond)
		o.MessageAuthenticator = "missing"
		if r.Signed {
			o.MessageAuthenticator = radiustest.Right.String()
		}
		if r.Code == radiustest.AccessAccept && c.Method == "mschapv2" {
			o.Success, o.Keys = r.Success.String(), r.Keys.String()
		}
		if r.Error != nil {
			o.MSCHAPError = r.Error.String()
		}
	}
	if o.ok {
		return o
	}
	// Also where ctx has ended: then the reason is wanted most.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), 2*time.Second)
	defer cancel()
	q := *p
	q.ctx = ctx
	if found, err := q.decisions(control, c.Login, 1); err == nil && len(found) > 0 {
		o.Why = found[0].Sentence
	}
	return o
}

// report prints the outcome; anything but an Access-Accept without a fault is
// exit status 1.
func (o *outcome) report(p *program) error {
	var err error
	if p.JSON {
		err = p.printJSON(o)
	} else {
		o.print(p)
	}
	if err == nil && !o.ok {
		err = errQuiet
	}
	return err
}

func (o *outcome) print(p *program) {
	if o.Reply == "" {
		p.printf("%s\n", o.Error)
	} else {
		p.printf("%s in %.2f ms from %s\n", o.Reply, o.Milliseconds, o.Server)
	}
	width := 0
	for _, a := range o.Attributes {
		width = max(width, len(a.Name))
	}
	for _, a := range o.Attributes {
		p.printf("  %-*s = %s%s\n", width, a.Name, visible(a.Value), lasting(a.Name, a.Value))
	}
	for _, check := range []struct{ name, value, about string }{
		{"Message-Authenticator", o.MessageAuthenticator, "the reply is the server's"},
		{"MS-CHAP2-Success", o.Success, "the server knows the password too"},
		{"Session keys (MPPE)", o.Keys, "device and access point will understand each other"},
		{"MS-CHAP-Error", o.MSCHAPError, ""},
	} {
		switch {
		case check.value == radiustest.Right.String():
			p.printf("%s: right, %s\n", check.name, check.about)
		case check.value != "":
			p.printf("%s: %s\n", check.name, visible(check.value))
		}
	}
	for _, fault := range o.Faults {
		p.printf("fault: %s\n", fault)
	}
	if o.Why != "" {
		p.printf("%s\n", o.Why)
	}
}

// lasting says in brackets what an attribute in seconds comes to, and nothing
// of others. Who stays for days need not know the seconds.
func lasting(name, value string) string {
	switch name {
	case "Session-Timeout", "Idle-Timeout", "Acct-Interim-Interval":
	default:
		return ""
	}
	n, err := strconv.Atoi(value)
	d := time.Duration(n) * time.Second
	switch {
	case err != nil || d < time.Minute:
		return ""
	case d >= 48*time.Hour:
		return fmt.Sprintf(" (%d days)", int(d.Hours()/24))
	}
	text := d.String()
	for _, none := range []string{"m0s", "h0m"} { // 12h0m0s is 12h
		if strings.HasSuffix(text, none) {
			text = text[:len(text)-2]
		}
	}
	return " (" + text + ")"
}

// visible escapes what a terminal must not get raw.
func visible(s string) string {
	quoted := strconv.Quote(s)
	if quoted[1:len(quoted)-1] == s {
		return s
	}
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
