package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"memberradius/pki"
)

// eapConfig is [eap]: WPA-Enterprise. It holds its defaults where the file has
// no such table.
type eapConfig struct {
	// Methods are offered in this order; empty: no EAP at all.
	Methods []string
	// TLSMax is the highest version of TLS that each of eapTunnels offers.
	TLSMax map[string]uint16
	// Resume is how long a device may come back without a full handshake; 0: never.
	Resume time.Duration
	// AllowNoEMS takes TLS 1.2 without Extended Master Secret (RFC 7627).
	AllowNoEMS bool
	// Conversations is how many may be under way at the same time.
	Conversations int
	// PKI is where the certificates are.
	PKI pki.Config
}

// pkiFolder is where in the data directory the private CA lies.
const pkiFolder = "pki"

// What [eap] says where it does not.
const (
	defaultResume        = 12 * time.Hour
	defaultConversations = 16384
)

// Limits of [eap]. RFC 8446 section 4.6.1: a ticket lives for at most 7 days. A
// waiting conversation takes about 20 KB, so that the most is 20 GB.
const (
	maxResume        = 7 * 24 * time.Hour
	maxConversations = 1 << 20
)

// eapMethods are the words of methods; eapTunnels those of tls_max.
func eapMethods() []string { return []string{"peap", "ttls", "tls", "mschapv2"} }
func eapTunnels() []string { return []string{"peap", "ttls", "tls"} }

func (c *config) readEAP(t *table) {
	c.EAP = eapConfig{
		Methods:       t.eapMethods(),
		TLSMax:        t.tlsMax(),
		Resume:        t.duration("resume", defaultResume, time.Minute),
		AllowNoEMS:    t.flag("allow_no_ems"),
		Conversations: t.number("conversations", defaultConversations, 1, maxConversations),
		PKI: pki.Config{
			Dir:         filepath.Join(c.Server.Data, pkiFolder),
			ServerName:  t.text("server_name", ""),
			Certificate: t.filePath("certificate", ""),
			Key:         t.filePath("key", ""),
			ClientCA:    t.filePath("client_ca", ""),
			CRL:         t.crl(),
			OCSP:        t.filePath("ocsp", ""),
		},
	}
	e := &c.EAP
	if (e.PKI.Certificate == "") != (e.PKI.Key == "") {
		t.wrong("certificate", "certificate and key belong together", "set both, or neither: a certificate is made here then")
	}
	if e.Resume > maxResume {
		t.wrong("resume", fmt.Sprintf("resume is %s", e.Resume), `at most "168h" is allowed (RFC 8446 section 4.6.1); "12h" is good`)
	}
	for _, key := range []string{"client_ca", "crl"} {
		if t.text(key, "") != "" && !slices.Contains(e.Methods, "tls") && !slices.Contains(e.Methods, "ttls") {
			t.note(key, key+" has no effect", `only EAP-TLS has certificates of members: add "tls" to methods, or take the line out`)
		}
	}
	t.end()
}

// eapMethods reads methods, the default where the key is not there.
func (t *table) eapMethods() []string {
	list := t.texts("methods")
	if list == nil {
		return eapTunnels()
	}
	if len(list) == 0 {
		t.warn("methods", "methods is empty: no device can join by WPA-Enterprise", `write methods = ["peap", "ttls", "tls"]`)
	}
	for i, m := range list {
		path := fmt.Sprintf("methods[%d]", i)
		switch {
		case !slices.Contains(eapMethods(), m):
			t.wrong(path, fmt.Sprintf("method %q is unknown", m), "use some of "+strings.Join(eapMethods(), ", "))
		case slices.Index(list, m) < i:
			t.wrong(path, fmt.Sprintf("method %q stands twice", m), "name each once, the one to offer first at the front")
		case m == "mschapv2":
			t.warn(path, "EAP-MSCHAPv2 without a tunnel shows passwords' hashes to whoever listens at the access point", `devices that can do it can do "peap": take "mschapv2" out`)
		}
	}
	return list
}

// tlsMax reads the table tls_max. Many devices do PEAP and TTLS badly on TLS
// 1.3, and EAP-TLS well, which the defaults heed.
func (t *table) tlsMax() map[string]uint16 {
	m := t.child("tls_max")
	m.label = "[eap] tls_max"
	out := map[string]uint16{}
	for _, method := range eapTunnels() {
		fallback := "1.2"
		if method == "tls" {
			fallback = "1.3"
		}
		out[method] = tls.VersionTLS12
		if m.word(method, fallback, []string{"1.2", "1.3"}) == "1.3" {
			out[method] = tls.VersionTLS13
		}
	}
	m.end()
	return out
}

// crl reads a file's path or a URL.
func (t *table) crl() string {
	s := t.text("crl", "")
	web, err := pki.IsURL(s)
	if err != nil {
		t.wrong("crl", "crl: "+err.Error(), `write it as "http://ca.example.com/ca.crl", or name a file`)
	}
	if web {
		return s
	}
	return t.filePath("crl", "")
}

// crossEAP warns where one secret serves PAP and 802.1X: what PAP hides with it
// can be guessed, and helps with the keys that are hidden with it too (RFC 3580
// section 5.3, rule E13).
func (c *config) crossEAP(r *reader) {
	if len(c.EAP.Methods) == 0 {
		return
	}
	const what, remedy = "client %q: one secret serves PAP and WPA-Enterprise", "give the access point a [[client]] and a secret for each, or leave one of them out of methods"
	for i := range c.Clients {
		cl := &c.Clients[i]
		at := fmt.Sprintf("client[%d].methods", i)
		switch {
		case cl.Methods == nil:
			r.add(note, at, fmt.Sprintf(what+": methods is not set, and takes both", cl.Name), remedy)
		case slices.Contains(cl.Methods, "pap") && slices.Contains(cl.Methods, "eap"):
			r.add(warn, at, fmt.Sprintf(what+" (RFC 3580)", cl.Name), remedy)
		}
	}
}

// eapFindings says what is wrong with the certificates, and makes none. A CRL
// is fetched where online is set.
func (c *config) eapFindings(ctx context.Context, online bool) findings {
	if len(c.EAP.Methods) == 0 {
		return nil
	}
	p := c.EAP.PKI
	if web, err := pki.IsURL(p.CRL); web && err == nil && !online {
		p.CRL = ""
	}
	_, found, problems := pki.Inspect(ctx, p)
	var out findings
	for _, problem := range problems {
		out = append(out, c.pkiFinding(wrong, problem.Finding))
	}
	for _, f := range found {
		out = append(out, c.pkiFinding(warn, f))
	}
	return out
}

// pkiFinding says where in the file what pki found is set.
func (c *config) pkiFinding(l level, f pki.Finding) finding {
	return finding{File: c.File, Line: c.lines.line(join("eap", f.Key)), Level: l, What: "[eap]: " + f.What, Remedy: f.Remedy}
}

// pkiFindings says what an error of pki.Open or Keeper.Reconfigure means for the operator.
func (c *config) pkiFindings(err error) findings {
	if err == nil {
		return nil
	}
	var p *pki.Problem
	if !errors.As(err, &p) {
		p = &pki.Problem{Finding: pki.Finding{What: err.Error(), Remedy: "see that the server's user may use the folder " + c.EAP.PKI.Dir}}
	}
	return findings{c.pkiFinding(wrong, p.Finding)}
}
