package pki

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// An Identity is what the server shows to devices, and takes of them. It does
// not change: a reload makes another.
type Identity struct {
	// Certificate is the server's, with Leaf set, the chain behind it, and an
	// OCSP response where one is good. The private CA's own certificate is not
	// sent: devices have it, and it would cost a round trip.
	Certificate tls.Certificate
	// CA is what a device must trust: the private CA, or the last certificate
	// of the operator's chain; nil where that has none but the server's own.
	CA *x509.Certificate
	// ClientCAs are the CAs whose certificates devices may show; nil: none.
	ClientCAs *x509.CertPool
	// Made says that the server's certificate was made here.
	Made bool

	clientCAs   []*x509.Certificate
	revocations *revocations
	found       []Finding // while it was loaded
	now         func() time.Time
}

// Verify says whether a device's certificate is not revoked. The chains are
// those that TLS has verified; one is enough of which no certificate is revoked
// and, with Config.CRL, each is covered by a list in force. Else the error is a
// *RevokedError or a *StaleError. It is to be asked again at each resumption.
func (i *Identity) Verify(chains [][]*x509.Certificate) error { return i.revocations.check(chains) }

// ServerName returns the name that devices compare: the certificate's first dNSName.
func (i *Identity) ServerName() string { return serverName(i.Certificate.Leaf) }

// Takes says whether devices may show certificates of this CA.
func (i *Identity) Takes(ca *x509.Certificate) bool {
	return slices.ContainsFunc(i.clientCAs, ca.Equal)
}

// An Expiry is when a certificate ends.
type Expiry struct {
	// Name is "server", "ca" or "client_ca".
	Name string
	// NotAfter is its end; of several, the earliest.
	NotAfter time.Time
}

// Expiries says when the certificates end: the server's, those behind it, and
// those of the CAs that devices' certificates are of.
func (i *Identity) Expiries() []Expiry {
	var out []Expiry
	add := func(name string, of []*x509.Certificate) {
		if len(of) == 0 {
			return
		}
		first := of[0].NotAfter
		for _, c := range of {
			first = earlier(first, c.NotAfter)
		}
		out = append(out, Expiry{name, first})
	}
	if i.Certificate.Leaf != nil {
		add("server", []*x509.Certificate{i.Certificate.Leaf})
	}
	add("ca", i.chain())
	add("client_ca", i.clientCAs)
	return out
}

// chain returns the CAs behind the server's certificate, as far as they are known.
func (i *Identity) chain() []*x509.Certificate {
	var out []*x509.Certificate
	for n, der := range i.Certificate.Certificate {
		if n == 0 {
			continue
		}
		if c, err := x509.ParseCertificate(der); err == nil {
			out = append(out, c)
		}
	}
	if len(out) == 0 && i.CA != nil {
		out = append(out, i.CA)
	}
	return out
}

// findings says what is to be known now.
func (i *Identity) findings() []Finding {
	out := slices.Clone(i.found)
	keys := map[string]string{}
	if !i.Made {
		keys["server"], keys["ca"] = KeyCertificate, KeyCertificate
	}
	keys["client_ca"] = KeyClientCA
	// What ends together is said once, and of the CA, which takes the rest along.
	ends := i.Expiries()
	slices.SortStableFunc(ends, func(a, b Expiry) int { return strings.Compare(a.Name, b.Name) })
	seen := map[time.Time]bool{}
	for _, e := range ends {
		f, near := expiryFinding(e, i.now(), i.Made)
		if near && !seen[e.NotAfter] {
			f.Key = keys[e.Name]
			out = append(out, f)
		}
		seen[e.NotAfter] = true
	}
	if i.revocations != nil {
		out = append(out, i.revocations.findings()...)
	}
	return out
}

// expiryFinding warns 30, 7 and 1 days before the end. The text is the same for
// all of such a stage, so that a log which says each text once says three.
func expiryFinding(e Expiry, now time.Time, made bool) (Finding, bool) {
	what := map[string]string{"server": "the server's certificate", "ca": "the CA of the server's certificate", "client_ca": "a CA of devices' certificates"}[e.Name]
	f := Finding{Remedy: map[string]string{
		"server":    "get a new certificate, put it in place of the old one, and send SIGHUP",
		"ca":        "get a certificate of a CA that lasts, and tell every device the new CA before the old one ends",
		"client_ca": "put the new CA beside the old one, and issue members new certificates",
	}[e.Name]}
	switch {
	case made && e.Name == "server":
		f.Remedy = "`memberradius cert renew` makes a new one under the same CA"
	case made && e.Name == "ca":
		f.Remedy = "plan a day on which every device is told a new CA: move the folder of the private CA away and restart, and a new one is made"
	}
	if !now.Before(e.NotAfter) {
		f.What, f.Wrong = fmt.Sprintf("%s ended on %s: devices refuse it, or are refused", what, day(e.NotAfter)), true
		return f, true
	}
	for _, days := range []int{1, 7, 30} {
		if e.NotAfter.Sub(now) <= time.Duration(days)*24*time.Hour {
			f.What = fmt.Sprintf("%s ends on %s, within %s", what, e.NotAfter.UTC().Format("2006-01-02 15:04 UTC"), counted(days))
			return f, true
		}
	}
	return f, false
}

func counted(days int) string {
	if days == 1 {
		return "a day"
	}
	return fmt.Sprintf("%d days", days)
}

// minRSA is the least size of an RSA key that current devices take.
const minRSA = 2048

// checkServer says what devices would refuse of an operator's own certificate
// and its chain.
func checkServer(chain []*x509.Certificate, now time.Time) error {
	leaf := chain[0]
	switch {
	case now.After(leaf.NotAfter):
		return fmt.Errorf("it ended on %s", day(leaf.NotAfter))
	case now.Add(skew).Before(leaf.NotBefore):
		return fmt.Errorf("it begins on %s only", day(leaf.NotBefore))
	case len(leaf.DNSNames) == 0:
		return errors.New("it has no dNSName, which devices compare")
	case !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageServerAuth):
		return errors.New("it is not for TLS servers (extended key usage serverAuth), and Windows refuses it")
	}
	if key, ok := leaf.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() < minRSA {
		return fmt.Errorf("its RSA key has %d bits, and %d are the least that devices take", key.N.BitLen(), minRSA)
	}
	for n := 1; n < len(chain); n++ {
		below, c := chain[n-1], chain[n]
		if !bytes.Equal(below.RawIssuer, c.RawSubject) {
			return fmt.Errorf("certificate %d of the file, %s, is not the issuer of the one before it, which is %q: put the server's first, then its issuer, then that one's", n+1, nameOf(c), below.Issuer.CommonName)
		}
		if err := below.CheckSignatureFrom(c); err != nil {
			return fmt.Errorf("certificate %d of the file, %s, did not sign the one before it: %w", n+1, nameOf(c), err)
		}
	}
	return nil
}

// weighServer says what works and could be better.
func weighServer(chain []*x509.Certificate, name string) []Finding {
	leaf := chain[0]
	var found []Finding
	warn := func(what, remedy string) {
		found = append(found, Finding{What: what, Remedy: remedy, Key: KeyCertificate})
	}
	switch key := leaf.PublicKey.(type) {
	case *rsa.PublicKey:
		warn(fmt.Sprintf("the server's certificate has an RSA key of %d bits", key.N.BitLen()), "a P-256 key makes logins 5 to 6 times faster: ask for a certificate with one")
	case *ecdsa.PublicKey:
	default:
		warn("the server's certificate has a key that most devices can't use", "ask for a certificate with a P-256 key")
	}
	if name != "" && !slices.Contains(leaf.DNSNames, name) {
		found = append(found, Finding{Key: KeyServerName, What: fmt.Sprintf("server_name is %q, and the certificate is for %s", name, strings.Join(leaf.DNSNames, ", ")),
			Remedy: "write the certificate's name, which devices compare, or take server_name out"})
	}
	if strings.HasPrefix(leaf.DNSNames[0], "*") {
		warn("the server's certificate is for a wildcard name", "Windows refuses those for Wi-Fi: ask for a certificate with a whole name")
	}
	if len(chain) == 1 && !selfIssued(leaf) {
		warn("the file of the server's certificate has no chain", "put the certificates of its issuers behind it: devices can't find them by themselves")
	}
	for _, c := range chain[1:] {
		if !c.IsCA {
			warn(fmt.Sprintf("%s in the chain is no CA", nameOf(c)), "devices refuse such a chain: ask the CA for the right one")
		}
	}
	return found
}
