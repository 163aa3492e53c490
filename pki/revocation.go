package pki

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// A RevokedError says that a certificate of a device's chain is revoked.
type RevokedError struct {
	// Subject and Serial (hexadecimal) say which, Issuer who revoked it, Time when.
	Subject, Serial, Issuer string
	Time                    time.Time
}

// Error implements error.
func (e *RevokedError) Error() string {
	return fmt.Sprintf("pki: the certificate %s (serial %s) was revoked by %q on %s", e.Subject, e.Serial, e.Issuer, day(e.Time))
}

// A StaleError says that it can't be known whether a certificate of a device's
// chain is revoked: there is no revocation list of its issuer in force. Nobody
// is let in then.
type StaleError struct {
	// Subject says which certificate, Issuer whose list is needed.
	Subject, Issuer string
	// Until is when the last list ended; zero: there is no list.
	Until time.Time
}

// Error implements error.
func (e *StaleError) Error() string {
	if e.Until.IsZero() {
		return fmt.Sprintf("pki: whether the certificate %s is revoked is not known: crl has no list of %q", e.Subject, e.Issuer)
	}
	return fmt.Sprintf("pki: whether the certificate %s is revoked is not known: the list of %q ended on %s", e.Subject, e.Issuer, e.Until.UTC().Format(time.RFC3339))
}

// revocations is what is known of revoked certificates.
type revocations struct {
	now   func() time.Time
	lists []*list
	// demanded says that every certificate must be covered (Config.CRL); else
	// only those of the private CA are.
	demanded bool
	own      *x509.Certificate
	cas      []*x509.Certificate // those that devices' chains may end at
	// parents says which of cas issued another of them, which is known by its DER.
	parents map[string]*x509.Certificate
}

// maxChain bounds how far a chain is followed upwards.
const maxChain = 10

// errNoChain says that a device's certificate led to no CA that is trusted.
var errNoChain = errors.New("pki: the certificate's chain was not verified")

// check looks up every certificate of at least one of the chains.
func (r *revocations) check(chains [][]*x509.Certificate) error {
	if len(chains) == 0 {
		return errNoChain
	}
	var worst error
	for _, chain := range chains {
		err := r.checkChain(chain)
		if err == nil {
			return nil
		}
		// That one is revoked says more than that another can't be looked up.
		var revoked *RevokedError
		if worst == nil || errors.As(err, &revoked) {
			worst = err
		}
	}
	return worst
}

func (r *revocations) checkChain(chain []*x509.Certificate) error {
	if len(chain) == 0 {
		return errNoChain
	}
	var stale error
	for i, c := range chain {
		var issuer *x509.Certificate
		if i+1 < len(chain) {
			issuer = chain[i+1]
		}
		if err := r.checkFrom(c, issuer, &stale); err != nil {
			return err
		}
	}
	// The last may be no root: a CA in the middle that client_ca trusts by
	// itself is looked up too where its issuer is known (CVE-2015-4680).
	top := chain[len(chain)-1]
	for range maxChain {
		issuer := r.parents[string(top.Raw)]
		if issuer == nil {
			return stale
		}
		if err := r.checkFrom(top, issuer, &stale); err != nil {
			return err
		}
		top = issuer
	}
	return errNoChain
}

// checkFrom returns an error where c is revoked, and sets stale where it can't
// be known; the rest of the chain may still say that something is revoked.
func (r *revocations) checkFrom(c, issuer *x509.Certificate, stale *error) error {
	if issuer == nil {
		return nil
	}
	err := r.lookUp(c, issuer)
	var revoked *RevokedError
	if errors.As(err, &revoked) {
		return err
	}
	if *stale == nil {
		*stale = err
	}
	return nil
}

// trust sets the CAs that devices' chains may end at.
func (r *revocations) trust(cas []*x509.Certificate) {
	r.cas, r.parents = cas, map[string]*x509.Certificate{}
	for _, c := range cas {
		if p := issuerOf(c, cas); p != nil && !selfIssued(c) {
			r.parents[string(c.Raw)] = p
		}
	}
}

func (r *revocations) lookUp(c, issuer *x509.Certificate) error {
	now := r.now()
	covered, until := false, time.Time{}
	for _, l := range r.lists {
		if !l.covers.has(c) || !l.of(issuer) {
			continue
		}
		// A list that has ended still says whom it revoked.
		if when, ok := l.revoked[string(c.SerialNumber.Bytes())]; ok {
			return &RevokedError{Subject: nameOf(c), Serial: serialText(c.SerialNumber.Bytes()), Issuer: l.name, Time: when}
		}
		// Our own list changes in place, and does not age.
		covered = covered || l.holds(now) || r.isOwn(l)
		if l.to.After(until) {
			until = l.to
		}
	}
	if covered || !r.demanded && (r.own == nil || !bytes.Equal(r.own.Raw, issuer.Raw)) {
		return nil
	}
	return &StaleError{Subject: nameOf(c), Issuer: issuer.Subject.CommonName, Until: until}
}

func (r *revocations) isOwn(l *list) bool { return r.own != nil && l.by == r.own }

// findings says which lists are missing or have ended.
func (r *revocations) findings() []Finding {
	var found []Finding
	now := r.now()
	for _, l := range r.lists {
		switch {
		case r.isOwn(l):
		case !l.holds(now) && now.After(l.to):
			found = append(found, Finding{Key: KeyCRL, Wrong: true, What: fmt.Sprintf("the revocation list of %q ended on %s: certificates of it are refused", l.name, l.to.UTC().Format(time.RFC3339)),
				Remedy: "get the CA's current list; where it is fetched by this server, see that its URL can be reached"})
		case !l.holds(now):
			found = append(found, Finding{Key: KeyCRL, Wrong: true, What: fmt.Sprintf("the revocation list of %q begins on %s: certificates of it are refused until then", l.name, l.from.UTC().Format(time.RFC3339)),
				Remedy: "set this machine's clock, or the CA's"})
		case l.by == nil:
			found = append(found, Finding{Key: KeyCRL, What: fmt.Sprintf("the revocation list of %q is of no CA in client_ca", l.name),
				Remedy: "it counts only where a device sends that CA's certificate; put the CA into client_ca, or take the list out"})
		}
	}
	if !r.demanded {
		return found
	}
	for _, ca := range r.cas {
		has := false
		for _, l := range r.lists {
			has = has || l.by != nil && l.of(ca)
		}
		if !has {
			found = append(found, Finding{Key: KeyCRL, Wrong: true, What: fmt.Sprintf("there is no revocation list of %s: certificates of it are refused", nameOf(ca)),
				Remedy: "put its list beside the others, in PEM, or take the CA out of client_ca; without crl nothing is looked up"})
		}
	}
	return found
}
