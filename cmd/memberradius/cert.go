package main

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"memberradius/pki"
)

// certCmd is the certificates of WPA-Enterprise: what devices are told is in
// cert_show.go, members' own certificates are in cert_issue.go.
type certCmd struct {
	Show   certShowCmd   `cmd:"" help:"Show the server's certificate, and what to type into devices; or a member's certificates."`
	Renew  certRenewCmd  `cmd:"" help:"Make a new server certificate under the same CA."`
	CA     certCACmd     `cmd:"" name:"ca" help:"Write the CA's certificate, which devices must trust."`
	Issue  certIssueCmd  `cmd:"" help:"Make a client certificate for a member (EAP-TLS)."`
	Revoke certRevokeCmd `cmd:"" help:"Revoke a member's certificates, or one."`
}

// authority opens the private CA, and makes it on first use.
func (c *config) authority() (*pki.Authority, error) {
	if err := os.MkdirAll(c.Server.Data, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	return pki.OpenAuthority(c.EAP.PKI)
}

// look reads the certificates without making any, and without asking for a
// revocation list over the network.
func (c *config) look(ctx context.Context) (*pki.Identity, error) {
	e := c.EAP.PKI
	e.CRL = ""
	i, _, problems := pki.Inspect(ctx, e)
	if len(problems) > 0 {
		return nil, problems[0]
	}
	return i, nil
}

// errNoCertificate says what to do before the first start.
var errNoCertificate = errors.New("no certificate has been made yet: start the server once, or make it now by `memberradius cert renew`")

// announceCert tells a running server to read its certificates again. It need
// not succeed: the server looks by itself too, a little later.
func (p *program) announceCert(c *config) {
	var found findings
	err := newControlClient(c.Server.Data).call(p.ctx, http.MethodPost, "/reload", nil, &found)
	switch {
	case errors.Is(err, errNotRunning):
	case err != nil:
		_, _ = fmt.Fprintf(p.stderr, "memberradius: it is done, but the running server has not taken it yet: %v; it looks again within %s\n", err, certEvery)
	case found.bad():
		found.print(p.stderr)
		_, _ = fmt.Fprintf(p.stderr, "memberradius: it is done, but the running server did not read its configuration again; it looks again within %s\n", certEvery)
	}
}

type certRenewCmd struct{}

// Help implements kong.HelpProvider.
func (certRenewCmd) Help() string {
	return "Devices trust the CA and compare the name; both stay, so that no device asks again. " +
		"A certificate made here is renewed by itself 30 days before its end, too.\n\n" + example("memberradius cert renew")
}

// Run makes a new server certificate.
func (certRenewCmd) Run(p *program) error {
	c, err := p.wholeConfig()
	if err != nil {
		return err
	}
	if c.EAP.PKI.Certificate != "" {
		return fmt.Errorf("the server's certificate is your own (%s): put a new one in its place, and send the server SIGHUP", c.EAP.PKI.Certificate)
	}
	a, err := c.authority()
	if err != nil {
		return err
	}
	if err := a.Renew(c.EAP.PKI.ServerName); err != nil {
		return err
	}
	i, err := c.look(p.ctx)
	if err != nil {
		return err
	}
	p.announceCert(c)
	leaf := i.Certificate.Leaf
	if p.JSON {
		return p.printJSON(map[string]any{"done": "renewed", "server_name": i.ServerName(), "not_after": leaf.NotAfter, "ca_sha256": fingerprintSHA256(i.CA)})
	}
	p.printf("renewed: %s, until %s\n", i.ServerName(), when(&leaf.NotAfter))
	return nil
}

type certCACmd struct {
	Out string `placeholder:"FILE" help:"Write it there instead of to standard output."`
	DER bool   `name:"der" help:"As DER (.cer), which some devices want, instead of PEM."`
}

// Help implements kong.HelpProvider.
func (certCACmd) Help() string {
	return "It is no secret: mail it, put it on a page, or hand it to a device management.\n\n" +
		example("memberradius cert ca --out wifi-ca.crt", "memberradius cert ca --der --out wifi-ca.cer")
}

// Run writes the CA's certificate.
func (v certCACmd) Run(p *program) error {
	c, err := p.wholeConfig()
	if err != nil {
		return err
	}
	i, err := c.look(p.ctx)
	switch {
	case err != nil:
		return err
	case i.CA == nil && i.Made:
		return errNoCertificate
	case i.CA == nil:
		return fmt.Errorf("%s holds no CA behind the server's certificate: ask whoever issued it", c.EAP.PKI.Certificate)
	}
	text := i.CA.Raw
	if !v.DER {
		text = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.CA.Raw})
	}
	if v.Out == "" {
		if _, ok := terminal(p.stdout); ok && v.DER {
			return errors.New("DER is not for a terminal: say where to by --out FILE")
		}
		_, err := p.stdout.Write(text)
		return err
	}
	// The mode is as wide as umask lets it: everybody may have a CA's certificate.
	if err := os.WriteFile(v.Out, text, 0o644); err != nil { //nolint:gosec // G306: it is public
		return fmt.Errorf("CA certificate: %w", err)
	}
	if p.JSON {
		return p.printJSON(map[string]string{"done": "written", "file": v.Out, "sha256": fingerprintSHA256(i.CA)})
	}
	p.printf("written: %s\nSHA-256 %s\n", v.Out, fingerprintSHA256(i.CA))
	return nil
}

// lasts says how long there is until t.
func lasts(t time.Time) string {
	left := time.Until(t)
	if left <= 0 {
		return "ended"
	}
	return counted(int(left.Hours()/24), "day") + " left"
}

// colons writes octets as certificates' fingerprints are compared.
func colons(octets []byte) string {
	parts := make([]string, len(octets))
	for i, b := range octets {
		parts[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(parts, ":")
}
