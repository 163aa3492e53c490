package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// How long certificates hold.
const (
	// CALife is how long a private CA holds: as long as the devices that were
	// told to trust it may be in use.
	CALife = 20 * 365 * 24 * time.Hour
	// ServerLife is how long a server certificate holds. Apple's devices take
	// no server certificate of more than 825 days, whoever issued it.
	ServerLife = 820 * 24 * time.Hour
	// RenewBefore is how long before its end a server certificate that was
	// made here is made anew by itself.
	RenewBefore = 30 * 24 * time.Hour
	// backdate is how far the clocks of devices may be behind ours.
	backdate = time.Hour
)

// firstYear is the year of this code: small machines without a clock of their
// own start in 1970 until they have found the time.
const firstYear = 2026

// organization stands in the subject of all that is made here.
const organization = "memberradius"

// maxCommonName is ub-common-name, in characters (RFC 5280 appendix A.1).
const maxCommonName = 64

// An Authority is the private CA of one folder. Several, also those of other
// processes, may be open at the same time: whoever changes something holds the
// folder's lock. Its methods may be called by several goroutines.
type Authority struct {
	folder folder
	now    func() time.Time
	cert   *x509.Certificate
	key    crypto.Signer
}

// OpenAuthority opens the private CA of c.Dir, and makes it where there is none.
func OpenAuthority(c Config) (*Authority, error) {
	c = c.withDefaults()
	a := &Authority{folder: folder(c.Dir), now: c.Now}
	if err := a.folder.make(); err != nil {
		return nil, err
	}
	unlock, err := a.folder.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	err = a.read()
	if errors.Is(err, fs.ErrNotExist) {
		err = a.create(firstName(c.ServerName))
	}
	if err == nil {
		err = a.publish()
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

// ReadAuthority opens the private CA of c.Dir, and changes nothing. Where there
// is none the error is fs.ErrNotExist.
func ReadAuthority(c Config) (*Authority, error) {
	c = c.withDefaults()
	a := &Authority{folder: folder(c.Dir), now: c.Now}
	if err := a.read(); err != nil {
		return nil, err
	}
	return a, nil
}

// Certificate returns the CA's own certificate: what devices are told to trust.
func (a *Authority) Certificate() *x509.Certificate { return a.cert }

// File returns the path of the CA's certificate in PEM, without its key.
func (a *Authority) File() string { return a.folder.path(caPublic) }

// ServerFile returns the path of the server's certificate that was made here, with its key.
func (a *Authority) ServerFile() string { return a.folder.path(serverFile) }

func (a *Authority) read() error {
	path := a.folder.path(caFile)
	pair, chain, err := readPair(path, path)
	if errors.Is(err, fs.ErrNotExist) {
		return err
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	if err == nil && (!ok || !chain[0].IsCA) {
		err = errors.New("it is no CA")
	}
	if err != nil {
		return problem("", "the private CA can't be used: "+path, "put the file back from a backup; without it every device must be told a new CA", err)
	}
	a.cert, a.key = chain[0], key
	return nil
}

// create makes the CA. Where one was before, which devices trust, it refuses.
func (a *Authority) create(name string) error {
	for _, left := range []string{serverFile, issuedFile, crlFile} {
		if a.folder.has(left) {
			return problem("", fmt.Sprintf("%s is missing, and %s beside it says that there was a private CA", a.folder.path(caFile), left),
				fmt.Sprintf("put it back from a backup; if it is lost, move %s away, and tell every device the CA that is made then", a.folder), nil)
		}
	}
	now := a.now()
	if now.Year() < firstYear {
		return problem("", fmt.Sprintf("this machine's clock says %s: a CA that is made now would have ended before it began", day(now)), "set the clock, and start again", nil)
	}
	key, serial, err := newKey()
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               subject("Wi-Fi CA of " + name),
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(CALife),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return fmt.Errorf("pki: private CA: %w", err)
	}
	text, err := pairPEM(der, key)
	if err != nil {
		return err
	}
	if err := a.folder.write(caFile, 0o600, text); err != nil {
		return err
	}
	return a.read()
}

// publish writes what follows from the CA's other files, where it is missing.
func (a *Authority) publish() error {
	if !a.folder.has(caPublic) {
		if err := a.folder.write(caPublic, 0o644, certificatePEM(a.cert.Raw)); err != nil {
			return err
		}
	}
	return a.publishCRL()
}

// server returns the server's certificate, made here. It is made anew where
// there is none, where its end is near and where it is for another name; news
// says so.
func (a *Authority) server(name string) (pair tls.Certificate, news []Finding, err error) {
	unlock, err := a.folder.lock()
	if err != nil {
		return pair, nil, err
	}
	defer unlock()
	pair, err = a.readServer()
	if errors.Is(err, fs.ErrNotExist) {
		pair, err = a.makeServer(firstName(name))
		return pair, nil, err
	}
	if err != nil {
		return pair, nil, err
	}
	has := serverName(pair.Leaf)
	switch {
	case name != "" && name != has:
		news = []Finding{{Key: KeyServerName, What: fmt.Sprintf("the server's certificate was for %q, and was made anew for %q", has, name),
			Remedy: "devices that expect the old name refuse this one: tell them the new one"}}
	case pair.Leaf.NotAfter.Sub(a.now()) < RenewBefore && a.cert.NotAfter.Sub(pair.Leaf.NotAfter) > time.Hour:
		news = []Finding{{What: "the server's certificate was near its end, and was made anew by itself",
			Remedy: "nothing is to be done: it is of the same CA, and devices do not ask again"}}
		name = has
	default:
		return pair, nil, nil
	}
	pair, err = a.makeServer(name)
	return pair, news, err
}

// readServer reads the server's certificate, made here before.
func (a *Authority) readServer() (tls.Certificate, error) {
	path := a.folder.path(serverFile)
	pair, chain, err := readPair(path, path)
	if errors.Is(err, fs.ErrNotExist) {
		return pair, err
	}
	if err == nil {
		err = chain[0].CheckSignatureFrom(a.cert)
	}
	if err != nil {
		return pair, problem("", "the server's certificate can't be used: "+path, "remove the file: a new one is made under the same CA, and devices do not ask again", err)
	}
	return pair, nil
}

// Renew makes a new server certificate, for the name of the one before
// where name is empty.
func (a *Authority) Renew(name string) error {
	unlock, err := a.folder.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if old, err := a.readServer(); err == nil && name == "" {
		name = serverName(old.Leaf)
	}
	_, err = a.makeServer(firstName(name))
	return err
}

func (a *Authority) makeServer(name string) (pair tls.Certificate, err error) {
	key, serial, err := newKey()
	if err != nil {
		return pair, err
	}
	now := a.now()
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      subject(name),
		DNSNames:     []string{name},
		NotBefore:    now.Add(-backdate),
		NotAfter:     earlier(now.Add(ServerLife), a.cert.NotAfter),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := a.sign(template, key)
	if err != nil {
		return pair, err
	}
	text, err := pairPEM(der, key)
	if err != nil {
		return pair, err
	}
	if err := a.folder.write(serverFile, 0o600, text); err != nil {
		return pair, err
	}
	return a.readServer()
}

// sign makes a certificate that holds now, of a key that is not the CA's.
func (a *Authority) sign(template *x509.Certificate, key crypto.Signer) ([]byte, error) {
	if !template.NotAfter.After(a.now()) {
		return nil, problem("", fmt.Sprintf("the private CA ended on %s", day(a.cert.NotAfter)),
			fmt.Sprintf("move %s away and restart: a new CA is made, which every device must be told", a.folder), nil)
	}
	template.BasicConstraintsValid = true
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("pki: certificate: %w", err)
	}
	return der, nil
}

// newKey makes a P-256 key, and the serial number of its certificate: 127
// random bits, positive and at most 20 octets (RFC 5280 section 4.1.2.2).
func newKey() (*ecdsa.PrivateKey, *big.Int, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("pki: key: %w", err)
	}
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return nil, nil, fmt.Errorf("pki: serial number: %w", err)
	}
	b[0] = b[0]&0x3f | 0x40 // always of the same length, never negative
	return key, new(big.Int).SetBytes(b[:]), nil
}

// subject is never empty: Go and others refuse a certificate whose only names
// stand in a critical subjectAltName that they can't read.
func subject(name string) pkix.Name {
	s := pkix.Name{Organization: []string{organization}}
	if utf8.RuneCountInString(name) <= maxCommonName {
		s.CommonName = name
	}
	return s
}

// serverName is the name that devices compare.
func serverName(c *x509.Certificate) string {
	if c != nil && len(c.DNSNames) > 0 {
		return c.DNSNames[0]
	}
	return ""
}

// firstName is the name of a first certificate.
func firstName(name string) string {
	if name != "" {
		return name
	}
	host, err := os.Hostname()
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if err != nil || host == "localhost" || strings.HasPrefix(host, "localhost.") || !isHost(host) {
		return "radius.local"
	}
	if !strings.Contains(host, ".") {
		return host + ".local"
	}
	return host
}

// isHost says whether s can be a dNSName: labels of letters, digits and
// hyphens, of at most 63 octets (RFC 1123 section 2.1).
func isHost(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, func(r rune) bool {
				return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
			}) {
			return false
		}
	}
	return true
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
