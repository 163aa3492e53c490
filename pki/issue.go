package pki

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// ErrNotIssued says that no certificate in force was issued here for a login or
// with a serial number.
var ErrNotIssued = errors.New("pki: no certificate in force was issued here for that login or with that serial number")

// A Password opens a PKCS#12 file. It prints as [redacted]; string(p) is the
// one way to the text.
type Password string

const redacted = "[redacted]"

// Format implements fmt.Formatter for every verb.
func (Password) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText implements encoding.TextMarshaler, and so JSON.
func (Password) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// An Issued is a client certificate that was just made, with its key, which is
// nowhere else.
type Issued struct {
	Record
	// Certificate is the certificate itself.
	Certificate *x509.Certificate
	// PKCS12 holds certificate, key and the CA's certificate, under Password
	// (RFC 7292): AES-256-CBC and HMAC-SHA-256, which current
	// systems read; Legacy is for older ones.
	PKCS12 []byte
	// Password is 80 random bits.
	Password Password

	ca  *x509.Certificate
	key *ecdsa.PrivateKey
}

// Legacy returns the same as PKCS12 for devices that can't read that: 3DES and
// HMAC-SHA-1. Both are weak; the password's length is what keeps it shut.
func (i *Issued) Legacy() ([]byte, error) { return i.encode(pkcs12.Legacy) }

func (i *Issued) encode(e *pkcs12.Encoder) ([]byte, error) {
	file, err := e.Encode(i.key, i.Certificate, []*x509.Certificate{i.ca}, string(i.Password))
	if err != nil {
		return nil, fmt.Errorf("pki: PKCS#12: %w", err)
	}
	return file, nil
}

// Issue makes a client certificate for a login, and records it. It holds for
// valid, but not longer than the CA.
func (a *Authority) Issue(login string, valid time.Duration) (*Issued, error) {
	template, err := clientTemplate(login)
	if err != nil {
		return nil, err
	}
	if valid <= 0 {
		return nil, fmt.Errorf("pki: a certificate that holds for %s is of no use", valid)
	}
	key, serial, err := newKey()
	if err != nil {
		return nil, err
	}
	now := a.now()
	template.SerialNumber = serial
	template.NotBefore, template.NotAfter = now.Add(-backdate), earlier(now.Add(valid), a.cert.NotAfter)
	der, err := a.sign(template, key)
	if err != nil {
		return nil, err
	}
	i := &Issued{ca: a.cert, key: key, Password: newPassword()}
	if i.Certificate, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("pki: certificate: %w", err)
	}
	i.Record = Record{Serial: serialText(serial.Bytes()), Login: login, Issued: now.UTC(), Until: i.Certificate.NotAfter}
	if i.PKCS12, err = i.encode(pkcs12.Modern); err != nil {
		return nil, err
	}
	if err := a.record(&i.Record); err != nil {
		return nil, err
	}
	return i, nil
}

// record comes before the certificate is handed out: one that nobody knows of
// could not be revoked by its login.
func (a *Authority) record(r *Record) error {
	unlock, err := a.folder.lock()
	if err != nil {
		return err
	}
	defer unlock()
	_, whole, err := a.readJournal()
	if err != nil {
		return err
	}
	return a.append(whole, journalLine{Serial: r.Serial, Login: r.Login, Issued: r.Issued, Until: r.Until})
}

// clientTemplate says in a certificate whom it is for, so that Login reads it back.
func clientTemplate(login string) (*x509.Certificate, error) {
	if !plainLogin(login) {
		return nil, fmt.Errorf("pki: no certificate can be for %.64q: a login is text of 1 to %d octets, without control characters and without space at its ends", login, maxLogin)
	}
	t := &x509.Certificate{
		Subject:     subject(login),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if isEmail(login) {
		t.EmailAddresses = []string{login}
		return t, nil
	}
	san, err := encodeUPN(login)
	if err != nil {
		return nil, fmt.Errorf("pki: UPN: %w", err)
	}
	t.ExtraExtensions = []pkix.Extension{{Id: oidSAN(), Value: san}}
	return t, nil
}

// newPassword makes one that can be typed on a telephone: lower-case letters
// and digits in groups, without 0, 1, 8 and 9.
func newPassword() Password {
	text := strings.ToLower(rand.Text())
	return Password(text[0:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:16])
}

// Revoke revokes every certificate in force of a login, or the one with a
// serial number. Where there is none it returns ErrNotIssued; one that is
// revoked already is no error.
func (a *Authority) Revoke(which string) error {
	unlock, err := a.folder.lock()
	if err != nil {
		return err
	}
	defer unlock()
	records, whole, err := a.readJournal()
	if err != nil {
		return err
	}
	now := a.now().UTC()
	var lines []journalLine
	known := false
	for _, r := range records {
		if !r.Is(which) || now.After(r.Until) {
			continue
		}
		known = true
		if r.Revoked.IsZero() {
			lines = append(lines, journalLine{Serial: r.Serial, Revoked: now})
		}
	}
	if !known {
		return ErrNotIssued
	}
	// The journal comes first: publishCRL makes up for what a crash leaves out.
	if len(lines) > 0 {
		if err := a.append(whole, lines...); err != nil {
			return err
		}
	}
	return a.publishCRL()
}

// Is says whether which is the record's login, in whatever case, or its serial number.
func (r *Record) Is(which string) bool {
	if strings.EqualFold(r.Login, which) {
		return true
	}
	octets, ok := parseSerial(which)
	return ok && serialText(octets) == r.Serial
}

// publishCRL writes the CA's revocation list where it is missing or lacks what
// the journal says is revoked. What a list says that the journal does not stays.
// The folder's lock is held.
func (a *Authority) publishCRL() error {
	records, _, err := a.readJournal()
	if err != nil {
		return err
	}
	old, err := a.readCRL()
	if err != nil {
		return err
	}
	entries, number := []x509.RevocationListEntry(nil), int64(1)
	has := map[string]bool{}
	if old != nil {
		for _, e := range old.RevokedCertificateEntries {
			has[serialText(e.SerialNumber.Bytes())] = true
			entries = append(entries, x509.RevocationListEntry{SerialNumber: e.SerialNumber, RevocationTime: e.RevocationTime})
		}
		number = old.Number.Int64() + 1
	}
	missing := false
	for _, r := range records {
		if r.Revoked.IsZero() || has[r.Serial] {
			continue
		}
		octets, _ := parseSerial(r.Serial)
		entries = append(entries, x509.RevocationListEntry{SerialNumber: new(big.Int).SetBytes(octets), RevocationTime: r.Revoked})
		missing = true
	}
	if old != nil && !missing {
		return nil
	}
	return a.signCRL(entries, number)
}

// signCRL writes a list that holds as long as the CA: it changes in place
// whenever something is revoked, and nobody has to fetch it in time.
func (a *Authority) signCRL(entries []x509.RevocationListEntry, number int64) error {
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number:                    big.NewInt(number),
		ThisUpdate:                a.now(),
		NextUpdate:                a.cert.NotAfter,
		RevokedCertificateEntries: entries,
	}, a.cert, a.key)
	if err != nil {
		return fmt.Errorf("pki: revocation list: %w", err)
	}
	return a.folder.write(crlFile, 0o644, crlPEM(der))
}
