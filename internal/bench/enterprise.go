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

// cheaper returns how many times the processor time of s is in that of base: the
// median of what slices that followed each other came to. It is 0 where there are none.
func (s series) cheaper(base series) float64 {
	ratios := make([]float64, 0, len(s))
	for i := range min(len(s), len(base)) {
		if s[i].CPU > 0 {
			ratios = append(ratios, float64(base[i].CPU)/float64(s[i].CPU))
		}
	}
	return median(ratios)
}

// eapSlices is how often in a round the load goes from one contender to the
// next: the machine's speed drifts from second to second.
const eapSlices = 2

// measureEnterprise takes FreeRADIUS and ours in turns, case by case.
func (r *run) measureEnterprise(ctx context.Context) (e enterprise, err error) {
	e.free, e.single, e.ours = make([]series, len(eapCases)), make([]series, len(eapCases)), make([]series, len(eapCases))
	site := eapSite{Certificate: filepath.Join(r.dir, "server.pem"), Key: filepath.Join(r.dir, "server.key")}
	if err := makeCertificate(site); err != nil {
		return e, err
	}
	for round := range r.rounds {
		for i, c := range eapCases {
			site.TLS = c.tls
			if err := r.turnEAP(ctx, round, c, r.eapContenders(i, site, &e)); err != nil {
				return e, err
			}
		}
	}
	e.crowding, err = r.measureCrowding(ctx, &site)
	return e, err
}

// An eapContender is a server that one of eapCases is measured of.
type eapContender struct {
	name   string
	start  func(context.Context) (*server, error)
	series *series
}

// eapContenders returns who takes part in a case: fast reconnect is ours alone.
func (r *run) eapContenders(i int, site eapSite, e *enterprise) (all []eapContender) {
	if r.free != nil && !eapCases[i].resume {
		for _, way := range []struct {
			name   string
			single bool
			to     *series
		}{{"FreeRADIUS ", false, &e.free[i]}, {"FreeRADIUS -s ", true, &e.single[i]}} {
			free := *r.free
			free.single = way.single
			all = append(all, eapContender{way.name, func(ctx context.Context) (*server, error) {
				return free.start(ctx, r.cores.server, r.dir, freeradiusSite{Threads: freeradiusThreads, Members: eapMembers, EAP: &site})
			}, way.to})
		}
	}
	return append(all, eapContender{"memberradius ", func(ctx context.Context) (*server, error) {
		where, filled, err := r.ours.prepare(r.dir, ourSite{Kind: "file", Members: eapMembers, EAP: &site})
		if err != nil {
			return nil, err
		}
		return r.ours.start(ctx, r.cores.server, where, filled)
	}, &e.ours[i]})
}

// turnEAP measures the contenders by one case once, in slices: all of them run,
// and one at a time is under load.
func (r *run) turnEAP(ctx context.Context, round int, of eapCase, contenders []eapContender) error {
	servers := make([]*server, len(contenders))
	for i, c := range contenders {
		s, err := c.start(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name+of.name, err)
		}
		defer s.stop()
		servers[i] = s
	}
	for range eapSlices {
		for i, c := range contenders {
			o, err := r.load(ctx, servers[i], job{Method: string(of.method), Members: eapMembers, InFlight: eapInFlight, TLS: of.tls, Resume: of.resume})
			if err != nil {
				return fmt.Errorf("%s: %w", c.name+of.name, err)
			}
			r.note(round, c.name+of.name, o)
			*c.series = append(*c.series, o)
		}
	}
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
		ratio := e.ours[i].cheaper(e.free[c.against])
		if ratio == 0 {
			continue
		}
		what := c.name + ", of FreeRADIUS as it comes"
		if c.resume {
			what = c.name + ", of its full logins"
		}
		all = append(all, verdict{what, fmt.Sprintf("%.2f", ratio), fmt.Sprintf("at least %g", c.target), ratio >= c.target})
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
