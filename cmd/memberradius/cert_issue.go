package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"memberradius/pki"
)

// dayFlag is how many days a certificate holds.
type dayFlag int

// Validate implements kong's check of a flag.
func (d dayFlag) Validate() error {
	if d < 1 || d > 7300 {
		return errors.New("a number of days from 1 to 7300 is needed")
	}
	return nil
}

type certIssueCmd struct {
	Login  string  `arg:"" help:"Whom for: the login that the member systems know."`
	Days   dayFlag `default:"365" placeholder:"N" help:"How many days it holds (default ${default})."`
	Out    string  `placeholder:"FILE" help:"Where to write it (default: LOGIN.p12 here)."`
	Legacy bool    `help:"In the old encryption (3DES), for devices that say the password is wrong."`
}

// Help implements kong.HelpProvider.
func (certIssueCmd) Help() string {
	return "The file holds her certificate, its key, which is nowhere else, and the CA's certificate. Hand file and password over by different ways. " +
		"With it she is asked for at her member system as with a password.\n\n" +
		example("memberradius cert issue bob@example.com --days 90 --out bob.p12")
}

// Run makes a client certificate.
func (v certIssueCmd) Run(p *program) error {
	c, err := p.wholeConfig()
	if err != nil {
		return err
	}
	if err := c.takes(p); err != nil {
		return err
	}
	a, err := c.authority()
	if err != nil {
		return err
	}
	name := v.Out
	if name == "" {
		name = fileName(v.Login) + ".p12"
	}
	// The file comes first, so that no certificate is made that nobody gets.
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("certificate: %w; say where to by --out FILE", err)
	}
	issued, err := v.fill(f, a)
	if err != nil {
		_ = os.Remove(name)
		return err
	}
	if p.JSON {
		return p.printJSON(map[string]any{"done": "issued", "login": issued.Login, "serial": issued.Serial, "not_after": issued.Until, "file": name, "password": string(issued.Password)})
	}
	p.printf("issued: %s (serial %s), until %s\nfile: %s\npassword: %s\nIt is shown this once.\n", issued.Login, issued.Serial, when(&issued.Until), name, string(issued.Password))
	return nil
}

// fill makes the certificate and writes it.
func (v certIssueCmd) fill(f *os.File, a *pki.Authority) (*pki.Issued, error) {
	issued, err := a.Issue(v.Login, time.Duration(v.Days)*24*time.Hour)
	var file []byte
	if err == nil {
		file = issued.PKCS12
	}
	if err == nil && v.Legacy {
		file, err = issued.Legacy()
	}
	if err == nil {
		_, err = f.Write(file)
	}
	return issued, errors.Join(err, f.Close())
}

// takes says whether the server would let anybody in by certificates made here.
func (c *config) takes(p *program) error {
	i, err := c.look(p.ctx)
	if err != nil {
		return err
	}
	if c.EAP.PKI.ClientCA != "" {
		a, err := pki.ReadAuthority(c.EAP.PKI)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err != nil || !i.Takes(a.Certificate()) {
			return fmt.Errorf("client_ca in %s names other CAs, so the server would refuse what is made here: take the line out, or add the private CA's certificate to that file (`memberradius cert ca` where the server's is made here too)", c.File)
		}
	}
	if !slices.Contains(c.EAP.Methods, "tls") {
		_, _ = fmt.Fprintf(p.stderr, "memberradius: [eap] methods does not list \"tls\": no device can use the certificate yet\n")
	}
	return nil
}

// fileName makes of a login a name that is one on every system, and hidden on none.
func fileName(login string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("@._-+", r) {
			return r
		}
		return '_'
	}, login)
	if strings.TrimLeft(name, ".-") == "" {
		return "member"
	}
	return strings.TrimLeft(name, ".-")
}

type certRevokeCmd struct {
	Which string `arg:"" name:"login|serial" help:"Whose certificates, or the serial number of one."`
}

// Help implements kong.HelpProvider.
func (certRevokeCmd) Help() string {
	return "A running server refuses them at once. Her password, if she has one, still works: `member disable` lets her in no more.\n\n" +
		example("memberradius cert revoke bob@example.com", "memberradius cert revoke 4f0c8a51d2b3e6974f0c8a51d2b3e697")
}

// Run revokes certificates.
func (v certRevokeCmd) Run(p *program) error {
	c, err := p.wholeConfig()
	if err != nil {
		return err
	}
	a, err := pki.ReadAuthority(c.EAP.PKI)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errNoCertificate
	case err != nil:
		return err
	}
	err = a.Revoke(v.Which)
	if errors.Is(err, pki.ErrNotIssued) {
		return fmt.Errorf("no certificate that still holds was issued here to %q or with that serial number; `memberradius cert show LOGIN` lists a member's", v.Which)
	}
	if err != nil {
		return err
	}
	p.announceCert(c)
	records, err := issuedTo(a, v.Which)
	if err != nil {
		return err
	}
	revoked := slices.DeleteFunc(records, func(r pki.Record) bool { return r.Revoked.IsZero() })
	if p.JSON {
		return p.printJSON(revoked)
	}
	for i := range revoked {
		p.printf("revoked: %s (serial %s)\n", revoked[i].Login, revoked[i].Serial)
	}
	return nil
}

// issuedTo returns the certificates of a login, or the one with a serial number.
func issuedTo(a *pki.Authority, which string) ([]pki.Record, error) {
	records, err := a.Issued()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(records, func(r pki.Record) bool { return !r.Is(which) }), nil
}
