package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"memberradius/member"
	"memberradius/radiusd/radiustest"
	"memberradius/radiusd/radiustest/peer"

	"software.sslmate.com/src/go-pkcs12"
)

// deviceFlags are how a device is set up, with a method of EAP.
type deviceFlags struct {
	Inner       string `enum:",pap,chap,mschap,mschapv2,eap-mschapv2,gtc" default:"" placeholder:"METHOD" help:"What is inside the tunnel: of ttls pap (default), chap, mschap, mschapv2, eap-mschapv2 or gtc, of peap mschapv2 (default) or gtc."`
	Anonymous   string `placeholder:"NAME" help:"The name outside the tunnel (default: the login)."`
	CA          string `name:"ca" type:"path" placeholder:"FILE" help:"Trust this CA only (PEM; default: any certificate is taken)."`
	ServerName  string `placeholder:"NAME" help:"Trust a server of this name only."`
	Certificate string `type:"path" placeholder:"FILE" help:"The device's own certificate, with tls: PKCS #12, or PEM."`
	Key         string `type:"path" placeholder:"FILE" help:"Its key in PEM, where the certificate's file has none."`
	TLS         string `name:"tls" enum:",1.0,1.1,1.2,1.3" default:"" placeholder:"VERSION" help:"Speak this version of TLS only: 1.0, 1.1, 1.2 or 1.3 (default: 1.2 and 1.3)."`
	Fragment    int    `placeholder:"N" help:"Send up to N octets of TLS a packet (default: 1000)."`
	MTU         int    `name:"mtu" placeholder:"N" help:"The access point's Framed-MTU (default: 1400)."`
}

// options reads the files that the flags name, a certificate's with method tls only.
func (c *deviceFlags) options(p *program, method radiustest.Method, passwordFile string) (*radiustest.EAP, error) {
	if !method.EAP() {
		return nil, nil
	}
	o := &radiustest.EAP{
		Inner: peer.Inner(c.Inner), Anonymous: c.Anonymous, ServerName: c.ServerName,
		FragmentSize: c.Fragment, MTU: c.MTU,
	}
	version := map[string]uint16{"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}[c.TLS]
	o.MinTLS, o.MaxTLS = version, version
	if c.CA != "" {
		text, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, fmt.Errorf("--ca: %w", err)
		}
		o.CA = x509.NewCertPool()
		if !o.CA.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("--ca: %s has no certificate in PEM", c.CA)
		}
	}
	if method != radiustest.TLS {
		return o, nil
	}
	if c.Certificate == "" {
		return nil, errors.New("EAP-TLS needs a certificate of the device's own: --certificate FILE")
	}
	var err error
	if o.Certificate, err = c.readCertificate(p, passwordFile); err != nil {
		return nil, fmt.Errorf("--certificate: %w", err)
	}
	return o, nil
}

// readCertificate reads a certificate with its key, whose password is asked for
// where it is PKCS #12.
func (c *deviceFlags) readCertificate(p *program, passwordFile string) (*tls.Certificate, error) {
	text, err := os.ReadFile(c.Certificate)
	if err != nil {
		return nil, err
	}
	if block, _ := pem.Decode(text); block == nil {
		password, err := p.password(passwordFile, filepath.Base(c.Certificate))
		if err != nil {
			return nil, err
		}
		return readPKCS12(text, password)
	}
	key := text
	if c.Key != "" {
		if key, err = os.ReadFile(c.Key); err != nil {
			return nil, fmt.Errorf("key: %w", err)
		}
	}
	pair, err := tls.X509KeyPair(text, key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Certificate, err)
	}
	return &pair, nil
}

func readPKCS12(text []byte, password member.Secret) (*tls.Certificate, error) {
	key, leaf, chain, err := pkcs12.DecodeChain(text, string(password))
	if err != nil {
		return nil, fmt.Errorf("PKCS #12: %w", err)
	}
	pair := &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
	for _, issuer := range chain {
		if issuer.CheckSignatureFrom(issuer) != nil { // a root goes without saying
			pair.Certificate = append(pair.Certificate, issuer.Raw)
		}
	}
	return pair, nil
}

// again logs in a second time, by what the first login has left.
func (c *testCmd) again(ctx context.Context, nas *radiustest.NAS, r *radiustest.Request) (*radiustest.Reply, error) {
	reply, err := nas.Do(ctx, r)
	if err == nil && reply.OK() && !reply.EAP.Resumed() {
		reply.Faults = append(reply.Faults, "the server did not resume the TLS session: it held a full handshake")
	}
	return reply, err
}

// An eapOutcome is what came of a test by EAP.
type eapOutcome struct {
	Rounds      int                `json:"rounds"`
	Outer       string             `json:"outer_identity"`
	Step        string             `json:"step"`
	Offered     []string           `json:"offered,omitempty"`
	TLS         string             `json:"tls,omitempty"`
	CipherSuite string             `json:"cipher_suite,omitempty"`
	Curve       string             `json:"curve,omitempty"`
	Resumed     bool               `json:"resumed"`
	Bound       bool               `json:"crypto_binding"`
	Certificate *serverCertificate `json:"certificate,omitempty"`
	Message     string             `json:"message,omitempty"`
	Diagnosis   *peer.Diagnosis    `json:"diagnosis,omitempty"`
}

// A serverCertificate is what the server showed.
type serverCertificate struct {
	Subject string    `json:"subject"`
	Issuer  string    `json:"issuer"`
	Names   []string  `json:"dns_names"`
	Until   time.Time `json:"until"`
	// Checked says that a CA or a name was given, and it matched.
	Checked bool `json:"checked"`
}

// eapOutcome tells of a conversation that ended well or broke; nil where there was none.
func (c *testCmd) eapOutcome(r *radiustest.Reply, failed error) *eapOutcome {
	var broken *radiustest.EAPError
	var found *radiustest.Conversation
	switch {
	case r != nil:
		found = r.EAP
	case errors.As(failed, &broken):
		found = broken.Conversation
	}
	if found == nil {
		return nil
	}
	o := &eapOutcome{
		Rounds: found.Rounds, Outer: found.Outer, Step: string(found.Step), Message: found.Message, Diagnosis: found.Diagnosis,
	}
	for _, t := range found.Offered {
		o.Offered = append(o.Offered, t.String())
	}
	t := found.Tunnel
	if t == nil {
		return o
	}
	o.TLS, o.CipherSuite, o.Curve = tls.VersionName(t.Version), tls.CipherSuiteName(t.CipherSuite), strings.TrimPrefix(t.Curve.String(), "Curve")
	o.Resumed, o.Bound = t.Resumed, t.Bound
	if len(t.Certificates) > 0 {
		leaf := t.Certificates[0]
		o.Certificate = &serverCertificate{
			leaf.Subject.String(), leaf.Issuer.String(), leaf.DNSNames, leaf.NotAfter.UTC(), c.CA != "" || c.ServerName != "",
		}
	}
	return o
}

func (o *eapOutcome) print(p *program) {
	if o == nil {
		return
	}
	p.printf("EAP: %d rounds as %q, as far as %s\n", o.Rounds, o.Outer, o.Step)
	if o.TLS != "" {
		how := "full handshake"
		if o.Resumed {
			how = "resumed"
		}
		p.printf("%s, %s, %s, %s\n", o.TLS, o.CipherSuite, o.Curve, how)
	}
	if c := o.Certificate; c != nil {
		p.printf("Server's certificate: %s for %s, until %s; %s\n", visible(c.Subject), visible(strings.Join(c.Names, ", ")),
			c.Until.Format(time.DateOnly), c.trust())
	}
	if o.Bound {
		p.printf("Crypto-Binding: right, nobody sits between tunnel and password\n")
	}
	if o.Message != "" {
		p.printf("The server says: %s\n", visible(o.Message))
	}
	if o.Diagnosis != nil {
		p.printf("%s: %s\n", whose(o.Diagnosis.Party), visible(o.Diagnosis.Text))
	}
}

func (c *serverCertificate) trust() string {
	if c.Checked {
		return "trusted"
	}
	return "taken as it is, since neither --ca nor --server-name was given"
}

// whose says in a word who is to look at it.
func whose(p peer.Party) string {
	switch p {
	case peer.PartyDevice:
		return "The device's side"
	case peer.PartyLogin:
		return "The login"
	case peer.PartyNetwork:
		return "The network between"
	default:
		return "The server's side"
	}
}
