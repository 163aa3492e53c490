package pki

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// A pkiOfOthers is a root, a CA under it, and two devices.
type pkiOfOthers struct {
	root, ca   *maker
	good, gone *x509.Certificate
	clients    string // client_ca, with the root alone
}

func newOthers(t *testing.T) *pkiOfOthers {
	t.Helper()
	o := &pkiOfOthers{root: newMaker(t, "root", nil)}
	o.ca = newMaker(t, "issuing", o.root)
	o.good, o.gone = o.ca.client("good"), o.ca.client("gone")
	o.clients = file(t, "clients.pem", certificatePEM(o.root.cert.Raw))
	return o
}

// verify says what becomes of a device that brings the CA's certificate along.
func (o *pkiOfOthers) verify(i *Identity, c *x509.Certificate) error {
	return i.Verify([][]*x509.Certificate{o.ca.chain(c)})
}

func kindOf(err error) string {
	var revoked *RevokedError
	var stale *StaleError
	switch {
	case err == nil:
		return "good"
	case errors.As(err, &revoked):
		return "revoked"
	case errors.As(err, &stale):
		return "stale"
	}
	return err.Error()
}

func TestCRLFile(t *testing.T) {
	t.Parallel()
	o, at := newOthers(t), newClock().now()
	impostor, thief := newMaker(t, "issuing", o.root), newMaker(t, "issuing", o.root)
	thief.cert.SubjectKeyId = o.ca.cert.SubjectKeyId // its list claims the real one's key
	scoped := func(idp ...byte) *x509.RevocationList {
		return &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: at, NextUpdate: at.Add(days),
			ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: idp}}}
	}
	users, cas := scoped(0x30, 3, 0x81, 1, 0xff), scoped(0x30, 3, 0x82, 1, 0xff)
	for _, tt := range []struct {
		name       string
		lists      []byte
		good, gone string
	}{
		{"leaf revoked", append(crlPEM(o.ca.crl(at, o.gone)), crlPEM(o.root.crl(at))...), "good", "revoked"},
		{"CA revoked", append(crlPEM(o.ca.crl(at)), crlPEM(o.root.crl(at, o.ca.cert))...), "revoked", "revoked"},
		{"CA revoked, no list of its own", o.root.crl(at, o.ca.cert), "revoked", "revoked"},
		{"root's list alone", o.root.crl(at), "stale", "stale"},
		{"CA's list alone, in DER", o.ca.crl(at, o.gone), "stale", "revoked"},
		{"ended", append(crlPEM(o.ca.crl(at.Add(-8*days), o.gone)), crlPEM(o.root.crl(at))...), "stale", "revoked"},
		{"root's ended", append(crlPEM(o.ca.crl(at, o.gone)), crlPEM(o.root.crl(at.Add(-8*days)))...), "stale", "revoked"},
		{"not begun", append(crlPEM(o.ca.crl(at.Add(days), o.gone)), crlPEM(o.root.crl(at))...), "stale", "revoked"},
		{"an old one beside it", append(append(crlPEM(o.ca.crl(at.Add(-8*days))), crlPEM(o.ca.crl(at, o.gone))...), crlPEM(o.root.crl(at))...), "good", "revoked"},
		{"of an impostor", append(crlPEM(impostor.crl(at, o.good)), crlPEM(o.root.crl(at))...), "stale", "stale"},
		{"of a thief", append(crlPEM(thief.crl(at)), crlPEM(o.root.crl(at))...), "stale", "stale"},
		{"users alone", append(crlPEM(o.ca.crlOf(users, o.gone)), crlPEM(o.root.crl(at))...), "good", "revoked"},
		{"CAs alone", append(crlPEM(o.ca.crlOf(cas, o.gone)), crlPEM(o.root.crl(at))...), "stale", "stale"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			i := open(t, Config{Dir: t.TempDir(), ClientCA: o.clients, CRL: file(t, "crl", tt.lists), Now: newClock().now}).Identity()
			if got := kindOf(o.verify(i, o.good)); got != tt.good {
				t.Errorf("the good one is %s, want %s", got, tt.good)
			}
			if got := kindOf(o.verify(i, o.gone)); got != tt.gone {
				t.Errorf("the other is %s, want %s", got, tt.gone)
			}
		})
	}
}

func TestCRLProblems(t *testing.T) {
	t.Parallel()
	o, at := newOthers(t), newClock().now()
	with := func(id asn1.ObjectIdentifier, value ...byte) []byte {
		return o.root.crlOf(&x509.RevocationList{Number: big.NewInt(1), ThisUpdate: at, NextUpdate: at.Add(days),
			ExtraExtensions: []pkix.Extension{{Id: id, Critical: true, Value: value}}})
	}
	impostor := newMaker(t, "root", nil)
	impostor.cert.SubjectKeyId = o.root.cert.SubjectKeyId // the list claims the real one's key
	for _, tt := range []struct {
		name string
		text []byte
		want string
	}{
		{"empty", nil, "no revocation list"},
		{"text", []byte("<html>"), "no revocation list"},
		{"certificate", certificatePEM(o.root.cert.Raw), "no revocation list in PEM"},
		{"cut off", o.root.crl(at)[:100], "no revocation list"},
		{"too large", make([]byte, MaxCRL+1), "larger than"},
		{"delta", with(asn1.ObjectIdentifier{2, 5, 29, 27}, 2, 1, 1), "delta list"},
		{"some reasons", with(asn1.ObjectIdentifier{2, 5, 29, 28}, 0x30, 4, 0x83, 2, 6, 0x40), "a part of its issuer's"},
		{"indirect", with(asn1.ObjectIdentifier{2, 5, 29, 28}, 0x30, 3, 0x84, 1, 0xff), "a part of its issuer's"},
		{"unknown extension", with(asn1.ObjectIdentifier{1, 2, 3}, 5, 0), "critical extension"},
		{"forged", impostor.crl(at), "is not signed by it"},
		{"without an end", endless(t), "does not say until when"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Open(t.Context(), Config{Dir: t.TempDir(), ClientCA: o.clients, CRL: file(t, "crl", tt.text), Now: newClock().now})
			if !isProblem(err, KeyCRL, tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
	if _, err := Open(t.Context(), Config{Dir: t.TempDir(), CRL: "ftp://ca.example.com/x", Now: newClock().now}); !isProblem(err, KeyCRL, "no http or https URL") {
		t.Errorf("%v", err)
	}
}

// endless is a list without nextUpdate.
func endless(t *testing.T) []byte {
	t.Helper()
	algorithm := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}}
	der, err := asn1.Marshal(struct {
		List struct {
			Version    int
			Algorithm  pkix.AlgorithmIdentifier
			Issuer     pkix.RDNSequence
			ThisUpdate time.Time
		}
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{
		List: struct {
			Version    int
			Algorithm  pkix.AlgorithmIdentifier
			Issuer     pkix.RDNSequence
			ThisUpdate time.Time
		}{1, algorithm, pkix.Name{CommonName: "root"}.ToRDNSequence(), newClock().now()},
		Algorithm: algorithm, Signature: asn1.BitString{Bytes: []byte{0}, BitLength: 8},
	})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestIsURL(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"ca.crl": "file", "/etc/ssl/ca.crl": "file", "http://ca.example.com/ca.crl": "url", "https://ca.example.com/": "url",
		"ftp://ca.example.com/": "wrong", "http://": "wrong", "https://user:pass@ca.example.com/": "wrong", "ldap://x/y": "wrong",
	} {
		got := "file"
		if web, err := IsURL(s); err != nil {
			got = "wrong"
		} else if web {
			got = "url"
		}
		if got != want {
			t.Errorf("%s is %s, want %s", s, got, want)
		}
	}
}

// TestCRLOfTrustedMiddle: a CA in the middle that client_ca trusts by itself is
// looked up where its issuer is known too (CVE-2015-4680).
func TestCRLOfTrustedMiddle(t *testing.T) {
	t.Parallel()
	o, at := newOthers(t), newClock().now()
	lists := file(t, "crl", crlPEM(o.ca.crl(at)), crlPEM(o.root.crl(at, o.ca.cert)))
	chains := [][]*x509.Certificate{{o.good, o.ca.cert}}
	both := file(t, "both.pem", certificatePEM(o.ca.cert.Raw), certificatePEM(o.root.cert.Raw))
	i := open(t, Config{Dir: t.TempDir(), ClientCA: both, CRL: lists, Now: newClock().now}).Identity()
	if got := kindOf(i.Verify(chains)); got != "revoked" {
		t.Errorf("the middle is %s", got)
	}
	alone := file(t, "alone.pem", certificatePEM(o.ca.cert.Raw))
	i = open(t, Config{Dir: t.TempDir(), ClientCA: alone, CRL: lists, Now: newClock().now}).Identity()
	if got := kindOf(i.Verify(chains)); got != "good" {
		t.Errorf("trusted alone it is %s", got)
	}
	// However far up it is known.
	low := newMaker(t, "low", o.ca)
	all := file(t, "all.pem", certificatePEM(low.cert.Raw), certificatePEM(o.ca.cert.Raw), certificatePEM(o.root.cert.Raw))
	lists3 := file(t, "crl", crlPEM(low.crl(at)), crlPEM(o.ca.crl(at)), crlPEM(o.root.crl(at, o.ca.cert)))
	i3 := open(t, Config{Dir: t.TempDir(), ClientCA: all, CRL: lists3, Now: newClock().now}).Identity()
	if got := kindOf(i3.Verify([][]*x509.Certificate{{low.client("bob"), low.cert}})); got != "revoked" {
		t.Errorf("two above the trusted one is %s", got)
	}
	// One good chain of several is enough; none is none.
	if got := kindOf(i.Verify([][]*x509.Certificate{o.ca.chain(o.good), {o.good, o.ca.cert}})); got != "good" {
		t.Errorf("of two chains it is %s", got)
	}
	for _, none := range [][][]*x509.Certificate{nil, {}, {{}}} {
		if err := i.Verify(none); !errors.Is(err, errNoChain) {
			t.Errorf("no chain: %v", err)
		}
	}
}

func TestCRLFindings(t *testing.T) {
	t.Parallel()
	o, c := newOthers(t), newClock()
	k := open(t, Config{Dir: t.TempDir(), ClientCA: o.clients, CRL: file(t, "crl", crlPEM(o.ca.crl(c.now())), crlPEM(o.root.crl(c.now()))), Now: c.now})
	if found := k.Findings(); len(found) != 1 || said(found, `list of "issuing" is of no CA`) == nil {
		t.Errorf("%v", found)
	}
	c.add(7*days + time.Second)
	if f := said(k.Findings(), `list of "root" ended`); f == nil || !f.Wrong || f.Key != KeyCRL {
		t.Errorf("%v", k.Findings())
	}
	c.add(-9 * days)
	if f := said(k.Findings(), `list of "root" begins`); f == nil || !f.Wrong {
		t.Errorf("%v", k.Findings())
	}
	k = open(t, Config{Dir: t.TempDir(), ClientCA: o.clients, CRL: file(t, "crl", o.ca.crl(newClock().now())), Now: newClock().now})
	if f := said(k.Findings(), `no revocation list of "root"`); f == nil || !f.Wrong {
		t.Errorf("%v", k.Findings())
	}
	stale := kindOf(o.verify(k.Identity(), o.good))
	if err := o.verify(k.Identity(), o.good); stale != "stale" || !strings.Contains(err.Error(), `crl has no list of "root"`) {
		t.Errorf("%v", err)
	}
}

// A publisher is a CA's web server.
type publisher struct {
	*httptest.Server
	mu          sync.Mutex
	crl         []byte
	status      int
	asked, same int // requests, and those answered by 304
}

func newPublisher(t *testing.T, crl []byte) *publisher {
	t.Helper()
	p := &publisher{crl: crl, status: http.StatusOK}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asked++
		switch tag := http.Header.Get(r.Header, "If-None-Match"); {
		case r.URL.Path == "/moved":
			http.Redirect(w, r, "/crl", http.StatusFound)
		case r.URL.Path == "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case p.status != http.StatusOK:
			w.WriteHeader(p.status)
			_, _ = w.Write(p.crl)
		case tag != "" && tag == p.tag():
			p.same++
			w.WriteHeader(http.StatusNotModified)
		default:
			w.Header().Set("ETag", p.tag())
			_, _ = w.Write(p.crl)
		}
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *publisher) tag() string { return `"` + serialText(p.crl[len(p.crl)-8:]) + `"` }

func (p *publisher) set(status int, crl []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status, p.crl = status, crl
}

func TestCRLByURL(t *testing.T) {
	t.Parallel()
	ca, c := newMaker(t, "ca", nil), newClock()
	bob := ca.client("bob")
	p := newPublisher(t, ca.crl(c.now()))
	config := Config{Dir: t.TempDir(), ClientCA: file(t, "ca.pem", certificatePEM(ca.cert.Raw)), CRL: p.URL + "/moved", Now: c.now}
	k := open(t, config)
	state := func(k *Keeper) string { return kindOf(k.Identity().Verify([][]*x509.Certificate{ca.chain(bob)})) }
	if got := state(k); got != "good" || len(k.Findings()) > 0 {
		t.Errorf("%s, %v", got, k.Findings())
	}
	reload(t, k)
	if p.same != 1 || state(k) != "good" {
		t.Errorf("%d of %d requests were answered by 304", p.same, p.asked)
	}
	c.add(days)
	old := p.crl
	p.set(http.StatusOK, ca.crl(c.now(), bob))
	reload(t, k)
	if got := state(k); got != "revoked" {
		t.Errorf("after a new list: %s", got)
	}
	// Whoever is on the way brings back the list of yesterday.
	p.set(http.StatusOK, old)
	reload(t, k)
	if f := said(k.Findings(), "crl can't be fetched: the list"); f == nil || state(k) != "revoked" {
		t.Errorf("an old list: %s, %v", state(k), k.Findings())
	}
	for _, tt := range []struct {
		status int
		body   []byte
	}{
		{http.StatusNotFound, ca.crl(c.now())}, {http.StatusOK, []byte("<html>Welcome</html>")},
		{http.StatusOK, append(crlPEM(ca.crl(c.now())), make([]byte, MaxCRL)...)},
	} {
		p.set(tt.status, tt.body)
		reload(t, k)
		if f := said(k.Findings(), "crl can't be fetched"); f == nil || f.Wrong || !strings.Contains(f.Remedy, "the last good list is used") || state(k) != "revoked" {
			t.Errorf("%d: %s, %v", tt.status, state(k), k.Findings())
		}
	}
}

// TestCRLOutlivesRestart: the last good list holds until its end, also for a
// server that starts while the URL can't be reached.
func TestCRLOutlivesRestart(t *testing.T) {
	t.Parallel()
	ca, c := newMaker(t, "ca", nil), newClock()
	bob := ca.client("bob")
	p := newPublisher(t, ca.crl(c.now()))
	config := Config{Dir: t.TempDir(), ClientCA: file(t, "ca.pem", certificatePEM(ca.cert.Raw)), CRL: p.URL + "/crl", Now: c.now}
	open(t, config)
	p.set(http.StatusInternalServerError, nil)
	k := open(t, config)
	state := func() string { return kindOf(k.Identity().Verify([][]*x509.Certificate{ca.chain(bob)})) }
	if got := state(); got != "good" {
		t.Errorf("after a restart: %s", got)
	}
	c.add(7*days + time.Minute)
	reload(t, k)
	if f := said(k.Findings(), `list of "ca" ended`); f == nil || state() != "stale" {
		t.Errorf("after its end: %s, %v", state(), k.Findings())
	}
	// A first start without the URL serves, and lets nobody in.
	config.Dir, config.CRL = t.TempDir(), p.URL+"/round"
	k = open(t, config)
	if f := said(k.Findings(), "leads elsewhere again and again"); f == nil || state() != "stale" {
		t.Errorf("first start: %s, %v", state(), k.Findings())
	}
	if f := said(k.Findings(), "no revocation list of"); f == nil || !f.Wrong {
		t.Errorf("%v", k.Findings())
	}
}
