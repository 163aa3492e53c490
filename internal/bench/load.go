//go:build linux

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"memberradius/member"
	"memberradius/radiusd/radiustest"
)

// loadSpin is how long a load with a core of its own looks for replies before
// it sleeps: to wake it would cost the server time that is none of its work.
const loadSpin = 5 * time.Millisecond

// A job is what a load process is told.
type job struct {
	Server netip.AddrPort
	// Method is one of methods, radiustest.Echo, or a way to report sessions.
	Method string
	// Members is how many different logins take turns.
	Members  int
	InFlight int
	Seconds  float64
	// Process is the server's.
	Process int
	// TLS is the highest version of an EAP method, Resume asks for fast reconnects.
	TLS    string
	Resume bool
	// Rate is how many requests, or logins of EAP, begin a second; 0: as many as go.
	Rate float64
	// Yields says that another load on the same core goes first: its latency is what counts.
	Yields bool
	// Sessions is how many have begun, for those who report on.
	Sessions int
	// Shared says that the load shares its core with a member system.
	Shared bool
	// UntilTold says that it goes on until SIGTERM, and says readyLine when it begins to count.
	UntilTold bool
}

// run puts the server under load. Requests are those of an access point, so
// that every contender has the same attributes to read.
func (j job) run(ctx context.Context, ready func()) (outcome, error) {
	if j.Method == beginSessions || j.Method == updateSessions {
		return j.report(ctx)
	}
	users := make([]radiustest.User, j.Members)
	for i := range users {
		users[i].Login = login(i)
		users[i].Password = member.Secret(password(i))
	}
	spin := loadSpin
	if j.Shared {
		spin = -1
	}
	l := radiustest.Load{
		Server: j.Server, Secret: sharedSecret, Mode: radiustest.Method(j.Method), Users: users,
		InFlight: j.InFlight, Duration: warmup, Spin: spin, Resume: j.Resume, Rate: j.Rate,
	}
	if j.TLS != "" {
		l.EAP = &radiustest.EAP{MaxTLS: tls.VersionTLS12}
		if j.TLS == "1.3" {
			l.EAP.MaxTLS = tls.VersionTLS13
		}
	}
	if _, err := l.Run(ctx); err != nil {
		return outcome{}, fmt.Errorf("warm-up: %w", err)
	}
	l.Duration = time.Duration(j.Seconds * float64(time.Second))
	if j.UntilTold {
		l.Duration = 0
		ready()
	}
	before, err := processorTime(j.Process)
	if err != nil {
		return outcome{}, err
	}
	began := time.Now()
	result, err := l.Run(ctx)
	if err != nil && !(j.UntilTold && errors.Is(err, context.Canceled)) {
		return outcome{}, fmt.Errorf("load: %w", err)
	}
	after, err := processorTime(j.Process)
	if err != nil {
		return outcome{}, err
	}
	o := judge(result)
	o.used(after-before, time.Since(began), result.Replies)
	return o, nil
}

// judge counts accepted members alone: who refuses fast is not fast.
func judge(r *radiustest.Result) outcome {
	o := outcome{
		P50: r.Latency.Quantile(0.50), P99: r.Latency.Quantile(0.99),
		Lost: r.Lost, Wrong: r.Wrong + r.Rejected,
	}
	if !r.Mode.EAP() { // there a login has challenges
		o.Wrong += r.Challenged
	}
	if r.Replies > 0 {
		o.Rate = r.Rate * float64(r.Accepted) / float64(r.Replies)
	}
	return o
}
