package pki

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// A loader makes an Identity.
type loader struct {
	Config
	make bool // what is missing
	ca   *Authority
	web  *download // the last answer of CRL's URL
	held *Identity // the one of before
	id   *Identity
}

// load takes all steps, so that Inspect can say everything that is wrong; what
// is to be made is made only after all before it went well.
func (l *loader) load(ctx context.Context) []error {
	l.id = &Identity{now: l.Now, Made: l.Certificate == "", revocations: &revocations{now: l.Now}}
	var errs []error
	for _, step := range []func(context.Context) error{l.loadCA, l.loadServer, l.loadClients, l.loadRevocations, l.loadStaple} {
		if err := step(ctx); err != nil {
			errs = append(errs, err)
			if l.make {
				break
			}
		}
	}
	return errs
}

func (l *loader) say(key, what, remedy string) {
	l.id.found = append(l.id.found, Finding{What: what, Remedy: remedy, Key: key})
}

func (l *loader) loadCA(context.Context) (err error) {
	if l.make && (l.Certificate == "" || l.ClientCA == "") {
		l.ca, err = OpenAuthority(l.Config)
	} else if l.ca, err = ReadAuthority(l.Config); errors.Is(err, fs.ErrNotExist) {
		l.ca, err = nil, nil
	}
	if err == nil && l.ca != nil {
		l.id.found = append(l.id.found, loose("", l.ca.folder.path(caFile))...)
	}
	return err
}

func (l *loader) loadServer(context.Context) error {
	if l.Certificate != "" {
		return l.loadOwn()
	}
	if l.ServerName != "" && !isHost(l.ServerName) {
		return problem(KeyServerName, fmt.Sprintf("server_name %q is no name of a host", l.ServerName), `write it as "radius.example.com"`, nil)
	}
	if l.ca == nil {
		return nil
	}
	l.id.CA = l.ca.cert
	var pair tls.Certificate
	var err error
	if l.make {
		var news []Finding
		pair, news, err = l.ca.server(l.ServerName)
		l.id.found = append(l.id.found, news...)
	} else if pair, err = l.ca.readServer(); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	l.id.found = append(l.id.found, loose("", l.ca.folder.path(serverFile))...)
	l.id.Certificate = pair
	return nil
}

// loadOwn reads the operator's own certificate.
func (l *loader) loadOwn() error {
	key := l.Key
	if key == "" {
		key = l.Certificate
	}
	pair, chain, err := readPair(l.Certificate, key)
	if err != nil {
		return problem(KeyCertificate, "certificate and key can't be used", "both are PEM files that belong together, which the server's user must be able to read", err)
	}
	if err := checkServer(chain, l.Now()); err != nil {
		return problem(KeyCertificate, "the certificate of "+l.Certificate+" can't be used", "ask the CA for one that can, or take certificate and key out: one is made here then", err)
	}
	l.id.found = append(l.id.found, weighServer(chain, l.ServerName)...)
	l.id.found = append(l.id.found, loose(KeyKey, key)...)
	l.id.Certificate = pair
	if last := chain[len(chain)-1]; len(chain) > 1 || selfIssued(last) {
		l.id.CA = last
	}
	return nil
}

func (l *loader) loadClients(context.Context) error {
	if l.ClientCA == "" {
		if l.ca != nil {
			l.id.clientCAs = []*x509.Certificate{l.ca.cert}
		}
	} else {
		text, err := readFile(l.ClientCA, maxPEM)
		if err == nil {
			l.id.clientCAs, err = certificates(text)
		}
		if err != nil {
			return problem(KeyClientCA, "client_ca can't be used", "it is a PEM file of the CAs' certificates, which the server's user must be able to read", err)
		}
	}
	for _, c := range l.id.clientCAs {
		if !c.IsCA {
			return problem(KeyClientCA, fmt.Sprintf("client_ca: %s is no CA", nameOf(c)), "put the CA there that issues members' certificates, not one of these", nil)
		}
	}
	if len(l.id.clientCAs) > 0 {
		l.id.ClientCAs = x509.NewCertPool()
		for _, c := range l.id.clientCAs {
			l.id.ClientCAs.AddCert(c)
		}
	}
	l.id.revocations.trust(l.id.clientCAs)
	return nil
}

func (l *loader) loadRevocations(ctx context.Context) error {
	r := l.id.revocations
	r.demanded = l.CRL != ""
	if l.ca != nil {
		own, err := l.ca.list()
		if err != nil {
			return err
		}
		if own != nil {
			r.lists, r.own = []*list{own}, l.ca.cert
		}
	}
	if l.CRL == "" {
		return nil
	}
	web, err := IsURL(l.CRL)
	if err != nil {
		return problem(KeyCRL, "crl can't be fetched", `write it as "http://ca.example.com/ca.crl", or name a file`, err)
	}
	if web {
		r.lists = append(r.lists, l.fetchLists(ctx)...)
		return nil
	}
	text, err := readFile(l.CRL, MaxCRL)
	var lists []*list
	if err == nil {
		lists, err = l.proved(decodeLists(text))
	}
	if err != nil {
		return problem(KeyCRL, "crl can't be used: "+l.CRL, "it is one revocation list in DER, or several in PEM, each signed by a CA of client_ca", err)
	}
	r.lists = append(r.lists, lists...)
	return nil
}

// proved finds out who signed the lists.
func (l *loader) proved(lists []*list, err error) ([]*list, error) {
	for _, one := range lists {
		if err == nil && one.by == nil {
			err = one.prove(l.id.clientCAs)
		}
	}
	return lists, err
}

// fetchLists returns the lists of the URL, and where it can't be had the last
// good ones, as long as they hold.
func (l *loader) fetchLists(ctx context.Context) []*list {
	next, err := l.web.fetch(ctx, l.Fetch, l.CRL)
	if err == nil {
		next.lists, err = l.proved(next.lists, nil)
	}
	if err == nil && l.held != nil {
		err = older(next.lists, l.held.revocations.lists)
	}
	if err == nil {
		if l.make && next.raw != nil {
			err = l.keepLists(next.raw)
		}
		if err != nil {
			l.say(KeyCRL, fmt.Sprintf("the fetched revocation list can't be kept for a restart: %v", err), "see that the disk has room")
		}
		next.raw = nil
		l.web = next
		return next.lists
	}
	last := l.lastLists()
	what, remedy := fmt.Sprintf("crl can't be fetched: %v", err), "see that this machine reaches the URL; "
	if len(last) == 0 {
		remedy += "until then devices' certificates are refused"
	} else {
		remedy += "the last good list is used as long as it holds, until " + last[0].to.UTC().Format(time.RFC3339)
	}
	l.say(KeyCRL, what, remedy)
	return last
}

// lastLists returns what the URL said last: to this process, or to the one before.
func (l *loader) lastLists() []*list {
	if l.web != nil && l.web.url == l.CRL {
		return l.web.lists
	}
	text, err := readFile(folder(l.Dir).path(crlCache), MaxCRL)
	if err != nil {
		return nil
	}
	lists, err := l.proved(decodeLists(text))
	if err != nil {
		return nil
	}
	// Without a signer it could be of another URL, and of anybody.
	return slices.DeleteFunc(lists, func(one *list) bool { return one.by == nil })
}

func (l *loader) keepLists(raw []byte) error {
	f := folder(l.Dir)
	if err := f.make(); err != nil {
		return err
	}
	return f.write(crlCache, 0o600, raw)
}

func (l *loader) loadStaple(context.Context) error {
	leaf := l.id.Certificate.Leaf
	if l.OCSP == "" || leaf == nil {
		return nil
	}
	var issuer *x509.Certificate
	if chain := l.id.chain(); len(chain) > 0 {
		issuer = chain[0]
	}
	staple, err := readStaple(l.OCSP, leaf, issuer, l.Now())
	if err != nil {
		l.say(KeyOCSP, fmt.Sprintf("ocsp is not stapled: %v", err), "put the CA's current answer for this certificate there, in DER; devices connect without it")
		return nil
	}
	l.id.Certificate.OCSPStaple = staple
	return nil
}
