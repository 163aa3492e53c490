//go:build linux

package main

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"memberradius/radiusd/radiustest"
)

// What a job's Method may be besides a way to log in: reports of sessions (RFC 2866).
const (
	// beginSessions sends a Start for a new session each.
	beginSessions = "accounting-start"
	// updateSessions sends Interim-Updates of sessions that have begun, in turn.
	updateSessions = "accounting-interim"
)

const (
	// identifiers is how many requests one socket can have out (RFC 2866 §3).
	identifiers = 256
	// reportLost is when a report without an answer is lost. A NAS would send it
	// again; here none is, so that no record counts twice.
	reportLost = 5 * time.Second
	// reportTick is how often it is looked for lost ones.
	reportTick = 100 * time.Millisecond
	// reportMembers take turns, on reportNASes access points.
	reportMembers, reportNASes = 10_000, 200
)

// Attribute types of a report (RFC 2865 §5, RFC 2866 §5, RFC 2869 §5).
const (
	typeNASPort          = 5
	typeFramedIPAddress  = 8
	typeCalledStationID  = 30
	typeCallingStationID = 31
	typeNASIdentifier    = 32
	typeAcctStatusType   = 40
	typeAcctInputOctets  = 42
	typeAcctOutputOctets = 43
	typeAcctSessionID    = 44
	typeAcctSessionTime  = 46
	typeEventTimestamp   = 55
)

// Values of Acct-Status-Type (RFC 2866 §5.1).
const (
	statusStart  = 1
	statusUpdate = 3
)

// A report is the number of one of a session, and what it says besides.
type report struct {
	session int
	// lap is how often the session was reported before: 0 is its Start.
	lap int
	at  time.Time
}

// encode returns the report as its access point sends it.
func (r report) encode(identifier byte) ([]byte, error) {
	nas, status := r.session%reportNASes, uint32(statusUpdate)
	if r.lap == 0 {
		status = statusStart
	}
	p := &radiustest.Packet{Code: radiustest.AccountingRequest, Identifier: identifier}
	p.Add(typeAcctStatusType, octets(status)).
		Add(typeAcctSessionID, fmt.Appendf(nil, "%016X", r.session)).
		Add(typeUserName, []byte(login(r.session%reportMembers))).
		Add(typeNASIdentifier, fmt.Appendf(nil, "ap-%03d", nas)).
		Add(typeNASPort, octets(uint32(r.session/reportNASes))).
		Add(typeCalledStationID, fmt.Appendf(nil, "02-00-00-00-01-%02X:bench", nas)).
		Add(typeCallingStationID, stationOf(r.session)).
		Add(typeFramedIPAddress, octets(10<<24|uint32(r.session)&0xffffff)).
		Add(typeEventTimestamp, octets(uint32(r.at.Unix())))
	if r.lap > 0 {
		p.Add(typeAcctSessionTime, octets(uint32(r.lap)*60)).
			Add(typeAcctInputOctets, octets(uint32(r.lap)*10_000)).
			Add(typeAcctOutputOctets, octets(uint32(r.lap)*100_000))
	}
	return p.Encode(sharedSecret)
}

// stationOf is the device of a session, as RFC 3580 §3.21 writes it.
func stationOf(session int) []byte {
	n := uint32(session)
	return fmt.Appendf(nil, "02-00-%02X-%02X-%02X-%02X", byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// octets is a number as attributes have it.
func octets(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

// acknowledges says whether a datagram is the Accounting-Response to the request
// with this authenticator (RFC 2866 §3).
func acknowledges(datagram []byte, request [16]byte) bool {
	if len(datagram) < 20 || radiustest.Code(datagram[0]) != radiustest.AccountingResponse || int(binary.BigEndian.Uint16(datagram[2:])) != len(datagram) {
		return false
	}
	claimed := [16]byte(datagram[4:20])
	signed := append(append([]byte(nil), datagram...), sharedSecret...)
	copy(signed[4:20], request[:])
	sum := md5.Sum(signed)
	return hmac.Equal(sum[:], claimed[:])
}

// A sentReport waits for its answer.
type sentReport struct {
	out           bool
	at            time.Time
	authenticator [16]byte
	// lost is the authenticator of the one before, whose answer may still come.
	lost [16]byte
}

// A reporter is the access points of a load, which share one socket.
type reporter struct {
	conn     *net.UDPConn
	inFlight int
	// sessions is how many have begun; 0: each report begins one.
	sessions int
	// next is the number of the next report.
	next    int
	waiting [identifiers]sentReport
	// idle are the identifiers that wait for nothing, the one that does so longest first.
	idle []byte
	// sent and answered are of all runs.
	sent, answered uint64
}

// newReporter opens the socket.
func newReporter(server netip.AddrPort, inFlight, sessions int) (*reporter, error) {
	if inFlight < 1 || inFlight > identifiers {
		return nil, fmt.Errorf("%d reports in flight: 1 to %d are possible", inFlight, identifiers)
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(server))
	if err != nil {
		return nil, err
	}
	// One commit answers many: all of that must fit.
	if err := conn.SetReadBuffer(4 << 20); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	r := &reporter{conn: conn, inFlight: inFlight, sessions: sessions}
	for id := range identifiers {
		r.idle = append(r.idle, byte(id))
	}
	return r, nil
}

// A reportTally is what one run of a reporter found.
type reportTally struct {
	// took is how long answers took, inTime how many came while it still sent.
	took        []time.Duration
	inTime      int
	lost, wrong uint64
	elapsed     time.Duration
}

// run keeps so many reports in flight for so long, and waits for the last answers.
func (r *reporter) run(ctx context.Context, length time.Duration) (t reportTally, err error) {
	began := time.Now()
	end := began.Add(length)
	if err := r.conn.SetReadDeadline(began.Add(reportTick)); err != nil {
		return t, err
	}
	buffer := make([]byte, datagramSize)
	for {
		now := time.Now()
		sending := now.Before(end) && ctx.Err() == nil
		if sending {
			t.elapsed = now.Sub(began)
			if err := r.fill(); err != nil {
				return t, err
			}
		} else if len(r.idle) == identifiers {
			return t, ctx.Err()
		}
		n, err := r.conn.Read(buffer)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			t.lost += r.expire(time.Now())
			err = r.conn.SetReadDeadline(time.Now().Add(reportTick))
		case err == nil:
			r.take(buffer[:n], sending, &t)
		}
		if err != nil {
			return t, err
		}
	}
}

// fill sends reports until as many are out as shall be.
func (r *reporter) fill() error {
	for identifiers-len(r.idle) < r.inFlight {
		now := time.Now()
		next := report{session: r.next, at: now}
		if r.sessions > 0 {
			next.session, next.lap = r.next%r.sessions, 1+r.next/r.sessions
		}
		id := r.idle[0]
		datagram, err := next.encode(id)
		if err != nil {
			return err
		}
		if _, err := r.conn.Write(datagram); err != nil {
			return err
		}
		w := &r.waiting[id]
		w.out, w.at, w.authenticator = true, now, [16]byte(datagram[4:20])
		r.idle = append(r.idle[:0], r.idle[1:]...)
		r.next++
		r.sent++
	}
	return nil
}

// take counts an answer. One that is not waited for any more is late, and no news.
func (r *reporter) take(datagram []byte, inTime bool, t *reportTally) {
	if len(datagram) < 2 || !r.waiting[datagram[1]].out {
		return
	}
	w := &r.waiting[datagram[1]]
	if !acknowledges(datagram, w.authenticator) {
		if !acknowledges(datagram, w.lost) {
			t.wrong++ // a NAS goes on waiting
		}
		return
	}
	w.out = false
	r.idle = append(r.idle, datagram[1])
	r.answered++
	t.took = append(t.took, time.Since(w.at))
	if inTime {
		t.inTime++
	}
}

// expire gives up what waits for too long.
func (r *reporter) expire(now time.Time) (lost uint64) {
	for id := range r.waiting {
		if w := &r.waiting[id]; w.out && now.Sub(w.at) >= reportLost {
			w.out, w.lost = false, w.authenticator
			r.idle = append(r.idle, byte(id))
			lost++
		}
	}
	return lost
}

// report puts the server under a load of reports.
func (j job) report(ctx context.Context) (outcome, error) {
	if (j.Method == updateSessions) != (j.Sessions > 0) {
		return outcome{}, errors.New("updates, and they alone, are of sessions that have begun")
	}
	r, err := newReporter(j.Server, j.InFlight, j.Sessions)
	if err != nil {
		return outcome{}, err
	}
	defer func() { _ = r.conn.Close() }()
	if _, err := r.run(ctx, warmup); err != nil {
		return outcome{}, fmt.Errorf("warm-up: %w", err)
	}
	before, err := processorTime(j.Process)
	if err != nil {
		return outcome{}, err
	}
	began := time.Now()
	t, err := r.run(ctx, time.Duration(j.Seconds*float64(time.Second)))
	if err != nil {
		return outcome{}, fmt.Errorf("load: %w", err)
	}
	after, err := processorTime(j.Process)
	if err != nil {
		return outcome{}, err
	}
	o := t.outcome()
	o.Sent, o.Answered = r.sent, r.answered
	o.used(after-before, time.Since(began), uint64(len(t.took)))
	return o, nil
}

// outcome is the tally in the terms of all measurements.
func (t *reportTally) outcome() outcome {
	all := sorted(t.took)
	o := outcome{P50: percentile(all, 50), P99: percentile(all, 99), Lost: t.lost, Wrong: t.wrong}
	if t.elapsed > 0 {
		o.Rate = float64(t.inTime) / t.elapsed.Seconds()
	}
	return o
}
