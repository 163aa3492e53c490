package pki

import (
	"bytes"
	"crypto/x509"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

func TestStaple(t *testing.T) {
	t.Parallel()
	c := newClock()
	ca := newMaker(t, "ca", nil)
	cert, key := ca.server(t, nil)
	leaf := open(t, Config{Dir: t.TempDir(), Certificate: cert, Key: key, Now: c.now}).Identity().Certificate.Leaf
	delegate := &maker{t: t, key: testKey(t), up: ca}
	delegate.cert = ca.sign(&x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}}, delegate.key)
	member := &maker{t: t, key: testKey(t), up: ca}
	member.cert = ca.sign(&x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, member.key)
	other := newMaker(t, "other", nil)
	good := ocsp.Response{Status: ocsp.Good, SerialNumber: leaf.SerialNumber, ThisUpdate: c.now(), NextUpdate: c.now().Add(days)}
	answer := func(by *maker, change func(*ocsp.Response)) []byte {
		r := good
		if change != nil {
			change(&r)
		}
		if by.up != nil {
			r.Certificate = by.cert
		}
		der, err := ocsp.CreateResponse(ca.cert, by.cert, r, by.key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	for _, tt := range []struct {
		name string
		der  []byte
		want string // "": it is stapled
	}{
		{"good", answer(ca, nil), ""},
		{"good, by a delegate", answer(delegate, nil), ""},
		{"forever", answer(ca, func(r *ocsp.Response) { r.NextUpdate = time.Time{} }), ""},
		{"by a member", answer(member, nil), "may not sign such answers"},
		{"by another CA", answer(other, nil), "bad OCSP signature"},
		{"of another certificate", answer(ca, func(r *ocsp.Response) { r.SerialNumber = ca.cert.SerialNumber }), "no response matching"},
		{"ended", answer(ca, func(r *ocsp.Response) { r.NextUpdate = c.now().Add(-1) }), "it ended on"},
		{"not begun", answer(ca, func(r *ocsp.Response) { r.ThisUpdate = c.now().Add(time.Hour) }), "it begins on"},
		{"revoked", answer(ca, func(r *ocsp.Response) { r.Status, r.RevokedAt = ocsp.Revoked, c.now() }), "was revoked on"},
		{"unknown", answer(ca, func(r *ocsp.Response) { r.Status = ocsp.Unknown }), "is unknown"},
		{"refused", ocsp.TryLaterErrorResponse, "try later"},
		{"text", []byte("hello"), "asn1"},
		{"too large", make([]byte, maxOCSP+1), "larger than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k := open(t, Config{Dir: t.TempDir(), Certificate: cert, Key: key, OCSP: file(t, "ocsp", tt.der), Now: c.now})
			staple := k.Identity().Certificate.OCSPStaple
			if tt.want == "" {
				if !bytes.Equal(staple, tt.der) || len(k.Findings()) > 0 {
					t.Errorf("not stapled: %v", k.Findings())
				}
				return
			}
			if f := said(k.Findings(), tt.want); staple != nil || f == nil || f.Key != KeyOCSP {
				t.Errorf("%v, want %q", k.Findings(), tt.want)
			}
		})
	}
	// The private CA's own certificate can have one too.
	k := open(t, Config{Dir: t.TempDir(), OCSP: "none", Now: c.now})
	if f := said(k.Findings(), "no such file"); f == nil {
		t.Errorf("%v", k.Findings())
	}
}
