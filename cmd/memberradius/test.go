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
	"memberradius/radiusd"
	"memberradius/radiusd/radiustest"
	"memberradius/radiusd/radiustest/peer"
)

type testCmd struct {
	Login        string `arg:"" help:"The login to try."`
	Method       string `enum:"pap,mschapv2,mschap,chap,mac,peap,ttls,tls,eap-mschapv2" default:"pap" help:"pap, mschapv2, mschap, chap, mac (the login is a device's address), or of EAP peap, ttls, tls, eap-mschapv2."`
	PasswordFile string `type:"path" placeholder:"FILE" help:"Read the password (with tls: of the certificate's file) from the first line of this file, not from the terminal or standard input."`
	deviceFlags
	Resume bool `help:"Log in twice, and show the second time: it must resume the TLS session of the first."`
	target
	SSID string `name:"ssid" placeholder:"NAME" help:"The network that the device is said to use."`
	MAC  string `name:"mac" placeholder:"ADDRESS" help:"The device's address."`

	begin time.Time
}

// Help implements kong.HelpProvider.
func (testCmd) Help() string {
	return "One real request goes to the running server, from this machine; it needs no [[client]]. " +
		"With a method of EAP it is a whole login, as a device holds it. Exit status 0 is Access-Accept, and nothing about it wrong.\n\n" +
		example("memberradius test bob@example.com --method mschapv2 --ssid Members",
			"memberradius test bob@example.com --method peap --ca data/pki/ca.crt --server-name radius.example.com",
			"memberradius test bob@example.com --method tls --certificate bob.p12 --password-file passphrase --tls 1.3 --resume")
}

// loanSlack is how long a loan outlasts what it is for.
const loanSlack = time.Minute

// Run tries a login.
func (c *testCmd) Run(p *program) error {
	station, err := c.station()
	if err != nil {
		return err
	}
	control, cfg, err := p.running()
	if err != nil {
		return err
	}
	server, err := c.server(p.ctx, control, cfg)
	if err != nil {
		return err
	}
	request, err := c.request(p, station)
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
	c.begin = time.Now()
	reply, err := nas.Do(p.ctx, request)
	if err == nil && reply.OK() && c.Resume {
		reply, err = c.again(p.ctx, nas, request)
	}
	var silence *radiustest.NoReplyError
	var broken *radiustest.EAPError
	if err != nil && !errors.As(err, &silence) && !errors.As(err, &broken) {
		return err
	}
	o := c.outcome(p, control, reply, err)
	o.Server = server
	return o.report(p)
}

// station is the device; nil where nobody says. With method mac it is the login too.
func (c *testCmd) station() (net.HardwareAddr, error) {
	flag, text := "--mac", c.MAC
	if text == "" && radiustest.Method(c.Method) == radiustest.MAC {
		flag, text = "the login", c.Login
	}
	if text == "" {
		return nil, nil
	}
	mac, ok := radiusd.ParseMAC(text)
	if !ok {
		return nil, fmt.Errorf("%s %q is no device's address: write it as aa:bb:cc:dd:ee:ff", flag, text)
	}
	return net.ParseMAC(mac)
}

// request is what the flags say, with a password from where they say.
func (c *testCmd) request(p *program, station net.HardwareAddr) (*radiustest.Request, error) {
	r := &radiustest.Request{
		Method: radiustest.Method(c.Method), Login: c.Login,
		AccessPoint: radiustest.AccessPoint{Identifier: "memberradius-test", SSID: c.SSID, Station: station},
	}
	if c.Resume && !r.Method.Tunnel() {
		return nil, fmt.Errorf("--resume: %s has no TLS session; peap, ttls and tls have", c.Method)
	}
	var err error
	if r.Method != radiustest.TLS && r.Method != radiustest.MAC {
		if r.Password, err = p.password(c.PasswordFile, c.Login); err != nil {
			return nil, err
		}
	}
	if r.EAP, err = c.options(p, r.Method, c.PasswordFile); err == nil && r.EAP != nil && c.Resume {
		r.EAP.Session = &peer.Session{}
	}
	return r, err
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
	MessageAuthenticator string      `json:"message_authenticator,omitempty"`
	Success              string      `json:"mschap2_success,omitempty"`
	Keys                 string      `json:"mppe_keys,omitempty"`
	MSCHAPError          string      `json:"mschap_error,omitempty"`
	EAP                  *eapOutcome `json:"eap,omitempty"`
	Faults               []string    `json:"faults,omitempty"`
	Error                string      `json:"error,omitempty"`
	Why                  string      `json:"why,omitempty"`

	ok bool
}

// outcome gathers what to say, and asks the server why.
func (c *testCmd) outcome(p *program, control *controlClient, r *radiustest.Reply, failed error) *outcome {
	o := &outcome{Login: c.Login, Method: c.Method, EAP: c.eapOutcome(r, failed)}
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
		if r.Code == radiustest.AccessAccept && (c.Method == "mschapv2" || r.EAP != nil) {
			o.Keys = r.Keys.String()
		}
		if r.Code == radiustest.AccessAccept && c.Method == "mschapv2" {
			o.Success = r.Success.String()
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
	o.Why = c.why(&q, control, o.EAP)
	return o
}

// why returns what the server says of this login, "" where it says nothing. A
// decision from before is about another one; who never came to say inside the
// tunnel who she is stands there under the name outside.
func (c *testCmd) why(p *program, control *controlClient, found *eapOutcome) string {
	names := []string{c.Login}
	if found != nil && found.Outer != c.Login {
		names = append(names, found.Outer)
	}
	for _, name := range names {
		decisions, err := p.decisions(control, name, 1)
		if err == nil && len(decisions) > 0 && !decisions[0].At.Before(c.begin) {
			return decisions[0].Sentence
		}
	}
	return ""
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
	o.EAP.print(p)
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
