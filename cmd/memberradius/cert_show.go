package main

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha1" // Windows names certificates by it
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"text/tabwriter"
	"time"

	"memberradius/pki"
)

type certShowCmd struct {
	Login string `arg:"" optional:"" help:"Show the certificates that were issued to her."`
}

// Help implements kong.HelpProvider.
func (certShowCmd) Help() string {
	return example("memberradius cert show", "memberradius cert show bob@example.com")
}

// Run shows the server's certificate, or a member's.
func (v certShowCmd) Run(p *program) error {
	c, err := p.wholeConfig()
	if err != nil {
		return err
	}
	if v.Login != "" {
		return c.showIssued(p, v.Login)
	}
	i, err := c.look(p.ctx)
	if err != nil {
		return err
	}
	if i.Certificate.Leaf == nil {
		return errNoCertificate
	}
	view := c.certView(i)
	if p.JSON {
		return p.printJSON(view)
	}
	return view.print(p.stdout)
}

// A certView is what an operator needs to set up devices.
type certView struct {
	ServerName string     `json:"server_name"`
	Made       bool       `json:"made_here"`
	Names      []string   `json:"names"`
	Server     certFacts  `json:"server"`
	CA         *certFacts `json:"ca,omitempty"`
	Methods    []string   `json:"methods"`
	Stapled    bool       `json:"ocsp_stapled"`
}

// certFacts are those of one certificate.
type certFacts struct {
	Subject   string    `json:"subject"`
	File      string    `json:"file"`
	Key       string    `json:"key"`
	Serial    string    `json:"serial"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	SHA256    string    `json:"sha256"`
	SHA1      string    `json:"sha1"`
}

func (c *config) certView(i *pki.Identity) *certView {
	v := &certView{ServerName: i.ServerName(), Made: i.Made, Names: i.Certificate.Leaf.DNSNames, Methods: c.EAP.Methods,
		Server: factsOf(i.Certificate.Leaf), Stapled: i.Certificate.OCSPStaple != nil}
	v.Server.File = c.EAP.PKI.Certificate
	if i.CA != nil {
		ca := factsOf(i.CA)
		ca.File = c.EAP.PKI.Certificate
		v.CA = &ca
	}
	if a, err := pki.ReadAuthority(c.EAP.PKI); err == nil && i.Made {
		v.Server.File, v.CA.File = a.ServerFile(), a.File()
	}
	return v
}

func factsOf(c *x509.Certificate) certFacts {
	sum := sha1.Sum(c.Raw) // a name, not a proof
	subject := c.Subject.CommonName
	if subject == "" {
		subject = c.Subject.String()
	}
	return certFacts{Subject: subject, Key: keyWords(c), Serial: fmt.Sprintf("%x", c.SerialNumber.Bytes()),
		NotBefore: c.NotBefore, NotAfter: c.NotAfter, SHA256: fingerprintSHA256(c), SHA1: colons(sum[:])}
}

func fingerprintSHA256(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return colons(sum[:])
}

func keyWords(c *x509.Certificate) string {
	switch key := c.PublicKey.(type) {
	case *ecdsa.PublicKey:
		return key.Curve.Params().Name
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA-%d", key.N.BitLen())
	}
	return c.PublicKeyAlgorithm.String()
}

// print writes what people type into devices.
func (v *certView) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	section := func(title string, lines ...[2]string) {
		_, _ = fmt.Fprintf(w, "%s\n", title)
		for _, l := range lines {
			_, _ = fmt.Fprintf(w, "  %s\t%s\n", l[0], l[1])
		}
	}
	section("Server certificate", append([][2]string{{"names", strings.Join(v.Names, ", ")}}, v.Server.lines()...)...)
	if v.CA != nil {
		section("CA certificate, which devices trust", append([][2]string{{"name", v.CA.Subject}}, v.CA.lines()...)...)
	}
	section("Android", v.android()...)
	section("Windows", v.windows()...)
	section("Apple", [2]string{"asked to trust", "compare the server certificate's SHA-256 above, or hand out a profile with the CA and the name"})
	return w.Flush()
}

func (f *certFacts) lines() [][2]string {
	return [][2]string{
		{"file", dash(f.File)}, {"key", f.Key}, {"valid", fmt.Sprintf("from %s until %s (%s)", when(&f.NotBefore), when(&f.NotAfter), lasts(f.NotAfter))},
		{"SHA-256", f.SHA256}, {"SHA-1", f.SHA1},
	}
}

// trust says which CA to choose, and why not another.
func (v *certView) trust() (android, windows string) {
	switch {
	case v.Made:
		return "install " + v.CA.File + " as a Wi-Fi certificate first, and choose it. \"Use system certificates\" can't work: those are the CAs of the web, and this one is private",
			fmt.Sprintf("%q; install %s for the computer under Trusted Root Certification Authorities first", v.CA.Subject, v.CA.File)
	case v.CA != nil:
		return fmt.Sprintf("\"Use system certificates\" if %q leads to a CA of the web, else install that CA and choose it", v.CA.Subject),
			fmt.Sprintf("the root of %q", v.CA.Subject)
	}
	return "the CA that issued the certificate", "the CA that issued the certificate"
}

func (v *certView) android() [][2]string {
	ca, _ := v.trust()
	status := "Do not validate (nothing is stapled)"
	if v.Stapled {
		status = "Request certificate status"
	}
	return [][2]string{
		{"EAP method", strings.ToUpper(strings.Join(v.Methods, ", "))}, {"Phase 2", "MSCHAPV2 (PEAP); PAP or MSCHAPV2 (TTLS)"},
		{"CA certificate", ca}, {"Online certificate status", status}, {"Domain", v.ServerName},
		{"Identity", "the member's login"}, {"Anonymous identity", "anonymous, or nothing"},
	}
}

func (v *certView) windows() [][2]string {
	_, ca := v.trust()
	return [][2]string{
		{"Verify the server's identity", "yes"}, {"Connect to these servers", v.ServerName}, {"Trusted root", ca},
		{"Thumbprint shown when asked", strings.ReplaceAll(v.Server.SHA1, ":", "")},
	}
}

// showIssued lists the certificates of a member.
func (c *config) showIssued(p *program, login string) error {
	a, err := pki.ReadAuthority(c.EAP.PKI)
	if errors.Is(err, fs.ErrNotExist) {
		return errNoCertificate
	}
	if err != nil {
		return err
	}
	records, err := issuedTo(a, login)
	if err != nil {
		return err
	}
	if len(records) == 0 {
		return fmt.Errorf("no certificate was issued here to %q; `memberradius cert issue` makes one", login)
	}
	if p.JSON {
		return p.printJSON(records)
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "SERIAL\tLOGIN\tISSUED\tUNTIL\tSTATE")
	for i := range records {
		r := &records[i]
		state := "good"
		switch {
		case !r.Revoked.IsZero():
			state = "revoked " + when(&r.Revoked)
		case time.Now().After(r.Until):
			state = "ended"
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Serial, r.Login, when(&r.Issued), when(&r.Until), state)
	}
	return w.Flush()
}
