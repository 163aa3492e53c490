package pki

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// MaxCRL is the most octets that a file or a URL of revocation lists may have.
const MaxCRL = 16 << 20

// A list is a revocation list as certificates are looked up in it.
type list struct {
	name     string // of the issuer, for people
	issuer   []byte // its subject in DER
	keyID    []byte // its key identifier; empty: the list has none
	from, to time.Time
	revoked  map[string]time.Time // by serial number
	covers   scope
	by       *x509.Certificate    // who signed it; nil: not known yet
	unproved *x509.RevocationList // where by is nil
}

// A scope is which certificates of its issuer a list speaks of; the zero value
// is all of them (RFC 5280 section 5.2.5).
type scope struct{ usersOnly, casOnly bool }

func (s scope) has(c *x509.Certificate) bool {
	return (!s.usersOnly || !c.IsCA) && (!s.casOnly || c.IsCA)
}

// decodeLists reads revocation lists: one in DER, or any number in PEM.
func decodeLists(text []byte) ([]*list, error) {
	if !bytes.Contains(text, []byte("-----BEGIN ")) {
		l, err := decodeList(text)
		if err != nil {
			return nil, err
		}
		return []*list{l}, nil
	}
	var all []*list
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != pemCRL {
			continue
		}
		l, err := decodeList(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("list %d: %w", len(all)+1, err)
		}
		all = append(all, l)
	}
	if len(all) == 0 {
		return nil, errors.New("there is no revocation list in PEM in it (-----BEGIN X509 CRL-----)")
	}
	return all, nil
}

func decodeList(der []byte) (*list, error) {
	crl, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, fmt.Errorf("it is no revocation list: %w", err)
	}
	return newList(crl)
}

func newList(crl *x509.RevocationList) (*list, error) {
	if crl.NextUpdate.IsZero() {
		return nil, errors.New("it does not say until when it holds (nextUpdate)")
	}
	l := &list{
		name: crl.Issuer.CommonName, issuer: crl.RawIssuer, keyID: crl.AuthorityKeyId,
		from: crl.ThisUpdate, to: crl.NextUpdate,
		revoked: make(map[string]time.Time, len(crl.RevokedCertificateEntries)), unproved: crl,
	}
	if l.name == "" {
		l.name = crl.Issuer.String()
	}
	if err := l.readExtensions(crl); err != nil {
		return nil, err
	}
	// A reason does not matter: certificateHold refuses as well, and
	// removeFromCRL stands in delta lists alone.
	for _, e := range crl.RevokedCertificateEntries {
		l.revoked[string(e.SerialNumber.Bytes())] = e.RevocationTime
	}
	return l, nil
}

// readExtensions refuses lists that say less than they seem to: a list with a
// critical extension that is not understood must not be used (RFC 5280 section 5.2).
func (l *list) readExtensions(crl *x509.RevocationList) error {
	for _, e := range crl.Extensions {
		switch {
		case e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 27}):
			return errors.New("it is a delta list, which says only what is new: use the full one")
		case e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 28}):
			var ok bool
			if l.covers, ok = decodeScope(e.Value); !ok {
				return errors.New("it speaks of a part of its issuer's certificates, or of others': use the full one")
			}
		case e.Critical:
			return fmt.Errorf("it has a critical extension that is not known here: %s", e.Id)
		}
	}
	return nil
}

// decodeScope reads an issuingDistributionPoint. Lists of some reasons only, of
// other issuers' certificates and of attribute certificates are not taken. Where
// the list is to be found does not matter: it was found.
func decodeScope(der []byte) (s scope, ok bool) {
	in := cryptobyte.String(der)
	var body cryptobyte.String
	if !in.ReadASN1(&body, tag.SEQUENCE) || !in.Empty() {
		return s, false
	}
	for !body.Empty() {
		var value cryptobyte.String
		var t tag.Tag
		if !body.ReadAnyASN1(&value, &t) {
			return scope{}, false
		}
		set := len(value) == 1 && value[0] == 0xff
		unset := len(value) == 1 && value[0] == 0
		switch t {
		case tag.Tag(0).ContextSpecific().Constructed(): // distributionPoint
		case tag.Tag(1).ContextSpecific():
			s.usersOnly, ok = set, set || unset
		case tag.Tag(2).ContextSpecific():
			s.casOnly, ok = set, set || unset
		case tag.Tag(4).ContextSpecific(), tag.Tag(5).ContextSpecific():
			ok = unset
		default:
			return scope{}, false
		}
		if t != tag.Tag(0).ContextSpecific().Constructed() && !ok {
			return scope{}, false
		}
	}
	return s, !s.usersOnly || !s.casOnly
}

// named says whether the list may be of this issuer, by name and key identifier.
func (l *list) named(issuer *x509.Certificate) bool {
	return bytes.Equal(l.issuer, issuer.RawSubject) &&
		(len(l.keyID) == 0 || len(issuer.SubjectKeyId) == 0 || bytes.Equal(l.keyID, issuer.SubjectKeyId))
}

// of says whether this issuer signed the list.
func (l *list) of(issuer *x509.Certificate) bool {
	switch {
	case !l.named(issuer):
		return false
	case l.by != nil:
		return bytes.Equal(l.by.RawSubjectPublicKeyInfo, issuer.RawSubjectPublicKeyInfo)
	}
	return l.unproved.CheckSignatureFrom(issuer) == nil
}

// prove finds among the CAs who signed the list. That none of them is its
// issuer is no error: a device may bring the issuer's certificate. That one of
// them is, and did not sign it, is.
func (l *list) prove(cas []*x509.Certificate) error {
	var err error
	for _, ca := range cas {
		if !l.named(ca) {
			continue
		}
		if err = l.unproved.CheckSignatureFrom(ca); err == nil {
			l.by, l.unproved = ca, nil
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("the list of %q is not signed by it: %w", l.name, err)
	}
	return nil
}

// skew is how far a CA's clock may be ahead of ours.
const skew = 10 * time.Minute

// holds says whether the list is in force.
func (l *list) holds(now time.Time) bool { return !now.After(l.to) && !now.Add(skew).Before(l.from) }

// older says whether one of the lists is older than one of the same issuer in
// held: whoever is on the way could bring back what was revoked.
func older(lists, held []*list) error {
	for _, l := range lists {
		for _, h := range held {
			if l.by != nil && h.by != nil && l.of(h.by) && l.covers == h.covers && l.from.Before(h.from) {
				return fmt.Errorf("the list of %q is of %s, and the one in force of %s", l.name, l.from.UTC().Format(time.RFC3339), h.from.UTC().Format(time.RFC3339))
			}
		}
	}
	return nil
}

// readCRL reads the private CA's own list; nil where there is none.
func (a *Authority) readCRL() (*x509.RevocationList, error) {
	path := a.folder.path(crlFile)
	text, err := readFile(path, maxJournal)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var crl *x509.RevocationList
	if err == nil {
		block, _ := pem.Decode(text)
		if block == nil || block.Type != pemCRL {
			err = errors.New("it is no revocation list in PEM")
		} else if crl, err = x509.ParseRevocationList(block.Bytes); err == nil {
			err = crl.CheckSignatureFrom(a.cert)
		}
	}
	if err != nil {
		return nil, problem("", path+" can't be used", "remove it: it is made anew of what issued.log says is revoked", err)
	}
	return crl, nil
}

// list returns the private CA's own list; nil where there is none.
func (a *Authority) list() (*list, error) {
	crl, err := a.readCRL()
	if crl == nil || err != nil {
		return nil, err
	}
	l, err := newList(crl)
	if err != nil {
		return nil, err
	}
	return l, l.prove([]*x509.Certificate{a.cert})
}

func crlPEM(der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: pemCRL, Bytes: der}) }
