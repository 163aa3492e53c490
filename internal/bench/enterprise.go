//go:build linux

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"memberradius/radiusd/radiustest"
)

// An eapCase is a way of WPA-Enterprise that is measured.
type eapCase struct {
	name, tls string
	method    radiustest.Method
	resume    bool
	// against is the case whose FreeRADIUS it is compared with, itself where 0
	// is not another; target is how many times its rate is wanted.
	against int
	target  float64
}

// eapCases: fast reconnect is compared with full logins of FreeRADIUS.
var eapCases = []eapCase{
	{"PEAP-MSCHAPv2, TLS 1.2", "1.2", radiustest.PEAP, false, 0, 2.5},
	{"TTLS-PAP, TLS 1.2", "1.2", radiustest.TTLS, false, 1, 2.2},
	{"TTLS-PAP, TLS 1.3", "1.3", radiustest.TTLS, false, 2, 2.2},
	{"PEAP resumed, TLS 1.2", "1.2", radiustest.PEAP, true, 0, 5},
	{"TTLS resumed, TLS 1.2", "1.2", radiustest.TTLS, true, 1, 5},
}

const (
	// eapMembers is how many devices take turns, eapInFlight how many log in at
	// the same time.
	eapMembers  = 200
	eapInFlight = 64
)

// An enterprise is what was measured of WPA-Enterprise, by case.
type enterprise struct {
	// free is FreeRADIUS as it comes, with its thread pool; single is it without
	// (-s), which is for debugging, and takes less of one core.
	free, single, ours []series
	crowding           crowding
}

// perCPU is how many logins a second of the server's own processor time makes:
// what the load generator takes for itself does not count.
func (s series) perCPU() float64 {
	if cpu := s.cpu(); cpu > 0 {
		return float64(time.Second) / float64(cpu)
	}
	return 0
}

// measureEnterprise takes FreeRADIUS and ours in turns, case by case.
func (r *run) measureEnterprise(ctx context.Context) (e enterprise, err error) {
	e.free, e.single, e.ours = make([]series, len(eapCases)), make([]series, len(eapCases)), make([]series, len(eapCases))
	if r.free != nil {
		defer func(single bool) { r.free.single = single }(r.free.single)
	}
	site := eapSite{Certificate: filepath.Join(r.dir, "server.pem"), Key: filepath.Join(r.dir, "server.key")}
	if err := makeCertificate(site); err != nil {
		return e, err
	}
	for round := range r.rounds {
		for i, c := range eapCases {
			site.TLS = c.tls
			if !c.resume {
				if err := r.turnFree(ctx, round, i, site, &e); err != nil {
					return e, err
				}
			}
			own := site
			where, filled, err := r.ours.prepare(r.dir, ourSite{Kind: "file", Members: eapMembers, EAP: &own})
			if err != nil {
				return e, err
			}
			start := func(ctx context.Context) (*server, error) { return r.ours.start(ctx, r.cores.server, where, filled) }
			if err := r.turnEAP(ctx, round, contender{name: "memberradius " + c.name, start: start}, c, &e.ours[i]); err != nil {
				return e, err
			}
		}
	}
	e.crowding, err = r.measureCrowding(ctx, &site)
	return e, err
}

// turnFree measures FreeRADIUS by one case once, as it comes and single-threaded.
func (r *run) turnFree(ctx context.Context, round, i int, site eapSite, e *enterprise) error {
	if r.free == nil {
		return nil
	}
	start := func(ctx context.Context) (*server, error) {
		return r.free.start(ctx, r.cores.server, r.dir, freeradiusSite{Threads: freeradiusThreads, Members: eapMembers, EAP: &site})
	}
	for _, way := range []struct {
		name   string
		single bool
		to     *series
	}{{"FreeRADIUS ", false, &e.free[i]}, {"FreeRADIUS -s ", true, &e.single[i]}} {
		r.free.single = way.single
		c := contender{name: way.name + eapCases[i].name, start: start}
		if err := r.turnEAP(ctx, round, c, eapCases[i], way.to); err != nil {
			return err
		}
	}
	return nil
}

// turnEAP measures one contender by one case once.
func (r *run) turnEAP(ctx context.Context, round int, c contender, of eapCase, to *series) error {
	s, err := c.start(ctx)
	if err != nil {
		return err
	}
	defer s.stop()
	o, err := r.load(ctx, s, job{Method: string(of.method), Members: eapMembers, InFlight: eapInFlight, TLS: of.tls, Resume: of.resume})
	if err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	r.note(round, c.name, o)
	*to = append(*to, o)
	return nil
}

// makeCertificate makes a P-256 certificate for both servers.
func makeCertificate(site eapSite) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "radius.bench"}, DNSNames: []string{"radius.bench"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(site.Certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(site.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
}

// verdicts holds the rates per CPU-second against their targets.
func (e *enterprise) verdicts() (all []verdict) {
	for i, c := range eapCases {
		ours, free := e.ours[i].perCPU(), e.free[c.against].perCPU()
		if ours == 0 || free == 0 {
			continue
		}
		what := c.name + ", of FreeRADIUS as it comes"
		if c.resume {
			what = c.name + ", of its full logins"
		}
		all = append(all, verdict{what, fmt.Sprintf("%.2f", ours/free), fmt.Sprintf("at least %g", c.target), ours/free >= c.target})
	}
	return append(all, e.crowding.verdicts()...)
}

// table has every case's figures.
func (e *enterprise) table() string {
	t := table{head: []string{"WPA-Enterprise", "logins per CPU-second", "CPU a login", "logins/s", "p50", "p99", "no or wrong answer"}}
	add := func(name string, s series) {
		if len(s) > 0 {
			t.add(name, fmt.Sprintf("%.0f", s.perCPU()), fmt.Sprintf("%.0f µs", float64(s.cpu())/1000), fmt.Sprintf("%.0f", s.rate()),
				inMilliseconds(s.p50()), inMilliseconds(s.p99()), fmt.Sprint(s.lost()))
		}
	}
	for i, c := range eapCases {
		add(c.name+": FreeRADIUS as it comes", e.free[i])
		add(c.name+": FreeRADIUS, single-threaded (-s)", e.single[i])
		add(c.name+": memberradius", e.ours[i])
	}
	add(fmt.Sprintf("PAP at %d/s beside PEAP at half load", papRate), e.crowding.pap)
	return t.String()
}
