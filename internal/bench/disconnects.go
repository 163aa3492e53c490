//go:build linux

package main

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"memberradius/member"
	"memberradius/radiusd/coa"
	"memberradius/radiusd/radiustest"
)

const (
	// disconnectsAtOnce sessions have to go at the same time, on so many NASes, in disconnectTime.
	disconnectsAtOnce = 1000
	disconnectNASes   = 10
	disconnectTime    = 5 * time.Second
)

// Codes of RFC 5176 §2.3.
const (
	disconnectRequest radiustest.Code = 40
	disconnectACK     radiustest.Code = 41
)

// serveNASes are NASes that end every session they are asked to: at address, and
// at the addresses after it.
func serveNASes(address netip.AddrPort, ready func()) error {
	ended := make(chan error, disconnectNASes)
	for range disconnectNASes {
		conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(address))
		if err != nil {
			return err
		}
		if err := conn.SetReadBuffer(4 << 20); err != nil {
			return err
		}
		go func() { ended <- serveNAS(conn) }()
		address = netip.AddrPortFrom(address.Addr().Next(), address.Port())
	}
	ready()
	return <-ended
}

func serveNAS(conn *net.UDPConn) error {
	buffer := make([]byte, datagramSize)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return err
		}
		if !asksToDisconnect(buffer[:n]) {
			continue
		}
		reply := &radiustest.Packet{Code: disconnectACK, Identifier: buffer[1]}
		datagram, err := reply.EncodeReply(sharedSecret, [16]byte(buffer[4:20]))
		if err != nil {
			return err
		}
		if _, err := conn.WriteToUDPAddrPort(datagram, from); err != nil {
			return err
		}
	}
}

// asksToDisconnect says whether a datagram is a Disconnect-Request of who has the
// secret (RFC 5176 §2.3).
func asksToDisconnect(datagram []byte) bool {
	if len(datagram) < 20 || radiustest.Code(datagram[0]) != disconnectRequest {
		return false
	}
	claimed := [16]byte(datagram[4:20])
	signed := append(append([]byte(nil), datagram...), sharedSecret...)
	clear(signed[4:20])
	sum := md5.Sum(signed)
	return hmac.Equal(sum[:], claimed[:])
}

// measureDisconnects returns how long it took in each round until every session had gone.
func (r *run) measureDisconnects(ctx context.Context) (took []time.Duration, err error) {
	address, err := freeUDP()
	if err != nil {
		return nil, err
	}
	nases, err := r.startRole(ctx, r.cores.load, "nas", address)
	if err != nil {
		return nil, err
	}
	defer nases.stop()
	for round := range r.rounds {
		one, err := disconnect(ctx, address)
		if err != nil {
			return nil, nases.failure(err)
		}
		r.say("round %d/%d  %d Disconnects settled in %v", round+1, r.rounds, disconnectsAtOnce, one.Round(time.Millisecond))
		took = append(took, one)
	}
	return took, nil
}

// disconnect ends sessions at the NASes from first on, all at once, with a client of its own.
func disconnect(ctx context.Context, first netip.AddrPort) (took time.Duration, err error) {
	client, err := coa.New(coa.Config{})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	errs := make([]error, disconnectsAtOnce)
	began := time.Now()
	var all sync.WaitGroup
	for i := range disconnectsAtOnce {
		address := first.Addr()
		for range i % disconnectNASes {
			address = address.Next()
		}
		target := &coa.Target{Address: netip.AddrPortFrom(address, first.Port()), Secret: sharedSecret, Name: "load"}
		session := &member.Session{ID: fmt.Sprintf("%016X", i), User: login(i), Calling: string(stationOf(i)), NASIdentifier: fmt.Sprintf("ap-%03d", i%disconnectNASes)}
		all.Go(func() {
			result, err := client.Disconnect(ctx, target, session)
			if err == nil && !result.Gone() {
				err = fmt.Errorf("session %d: %s", i, result.Outcome)
			}
			errs[i] = err
		})
	}
	all.Wait()
	return time.Since(began), errors.Join(errs...)
}
