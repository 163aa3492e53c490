//go:build linux

package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"memberradius/radiusd/radiustest"
	"memberradius/radiusd/radiustest/peer"
)

// waitingDevices is how many conversations wait at the same time, each for its
// device's answer to the server's certificate: as many as the server has room
// for as it comes.
const waitingDevices = 16_384

// papRate is how many logins by PAP come a second while EAP runs, papWanted how
// long 99 of 100 of them may take.
const (
	papRate   = 10_000
	papWanted = 5 * time.Millisecond
)

// Targets of the memory of conversations that wait, in octets.
const (
	waitingEach = 20 << 10
	waitingAll  = 550 << 20
)

// A crowding is what WPA-Enterprise costs besides time.
type crowding struct {
	// before and after are what the server held before conversations waited, and then.
	before, after []int64
	// pap is PAP at papRate while logins by EAP keep half of the core busy.
	pap series
}

// measureCrowding takes the memory of waiting conversations, and PAP beside EAP.
func (r *run) measureCrowding(ctx context.Context, site *eapSite) (c crowding, err error) {
	for round := range r.rounds {
		own := *site
		own.TLS = "1.2"
		where, filled, err := r.ours.prepare(r.dir, ourSite{Kind: "file", Members: eapMembers, EAP: &own})
		if err != nil {
			return c, err
		}
		if err := r.turnWaiting(ctx, where, filled, &c); err != nil {
			return c, err
		}
		if err := r.turnBeside(ctx, round, where, filled, &c); err != nil {
			return c, err
		}
	}
	return c, nil
}

// turnWaiting begins conversations and leaves them.
func (r *run) turnWaiting(ctx context.Context, where string, site ourSite, c *crowding) error {
	s, err := r.ours.start(ctx, r.cores.server, where, site)
	if err != nil {
		return err
	}
	defer s.stop()
	before, err := s.memory()
	if err != nil {
		return err
	}
	wire, err := radiustest.Dial(netip.AddrPort{}, s.address)
	if err != nil {
		return err
	}
	defer func() { _ = wire.Close() }()
	for i := range waitingDevices {
		if err := leave(wire, i); err != nil {
			return s.failure(fmt.Errorf("conversation %d: %w", i, err))
		}
	}
	after, err := s.memory()
	if err != nil {
		return err
	}
	r.say("           %d conversations wait: %d MB before, %d MB then", waitingDevices, before>>20, after>>20)
	c.before, c.after = append(c.before, before), append(c.after, after)
	return nil
}

// leave takes a PEAP login up to the server's certificate, and no further.
func leave(wire *radiustest.Wire, number int) error {
	p, err := peer.New(peer.Config{Method: peer.PEAP, Login: login(number % eapMembers), Password: "unused"})
	if err != nil {
		return err
	}
	defer p.Close()
	message, state := p.Identity(0), []byte(nil)
	r := round{wire, byte(number), p.OuterIdentity()}
	for range 2 { // identity and ClientHello
		reply, err := r.ask(message, state)
		if err != nil {
			return err
		}
		state = slices.Concat(reply.Values(typeState)...)
		if message, err = p.Answer(slices.Concat(reply.Values(typeEAPMessage)...)); err != nil {
			return err
		}
	}
	_, err = r.ask(message, state)
	return err
}

// Attribute types of a round of EAP.
const (
	typeUserName   = 1
	typeState      = 24
	typeEAPMessage = 79
)

// A round is what all requests of one login have in common.
type round struct {
	wire       *radiustest.Wire
	identifier byte
	login      string
}

// ask sends a request and returns its Access-Challenge.
func (r round) ask(message, state []byte) (*radiustest.Reply, error) {
	q := &radiustest.Packet{Code: radiustest.AccessRequest, Identifier: r.identifier}
	if _, err := rand.Read(q.Authenticator[:]); err != nil {
		return nil, err
	}
	q.AddMessageAuthenticator().Add(typeUserName, []byte(r.login))
	for part := range slices.Chunk(message, 253) {
		q.Add(typeEAPMessage, part)
	}
	if state != nil {
		q.Add(typeState, state)
	}
	datagram, err := q.Encode(sharedSecret)
	if err != nil {
		return nil, err
	}
	if err := r.wire.Send(datagram); err != nil {
		return nil, err
	}
	raw, err := r.wire.Receive(startWait)
	if err != nil {
		return nil, err
	}
	if reply := (&radiustest.Reply{Raw: raw}); radiustest.Code(raw[0]) == radiustest.AccessChallenge {
		return reply, nil
	}
	return nil, fmt.Errorf("answered with code %d", raw[0])
}

// turnBeside sends PAP at its rate while EAP runs at half of what it can.
func (r *run) turnBeside(ctx context.Context, round int, where string, site ourSite, c *crowding) error {
	s, err := r.ours.start(ctx, r.cores.server, where, site)
	if err != nil {
		return err
	}
	defer s.stop()
	whole := job{Method: string(radiustest.PEAP), Members: eapMembers, InFlight: eapInFlight, TLS: "1.2"}
	o, err := r.load(ctx, s, whole)
	if err != nil {
		return err
	}
	half := whole
	half.Rate, half.Seconds = float64(time.Second)/float64(o.CPU)/2, r.seconds+2*warmup.Seconds()
	half.Yields = true
	beside, err := r.startLoad(s, half)
	if err != nil {
		return err
	}
	defer beside.stop()
	o, err = r.load(ctx, s, job{Method: methods[0], Members: eapMembers, InFlight: speedInFlight, Rate: papRate, Shared: true})
	if err != nil {
		return err
	}
	if _, err := beside.outcome(ctx); err != nil {
		return s.failure(fmt.Errorf("EAP beside PAP: %w", err))
	}
	r.note(round, fmt.Sprintf("memberradius, PAP beside %.0f PEAP/s", half.Rate), o)
	c.pap = append(c.pap, o)
	return nil
}

// verdicts holds the figures against their targets.
func (c *crowding) verdicts() []verdict {
	after, each := middle(c.after), (middle(c.after)-middle(c.before))/waitingDevices
	return []verdict{
		{"memory of a waiting conversation", fmt.Sprintf("%.1f KB", float64(each)/1024), fmt.Sprintf("under %d KB", waitingEach>>10), each > 0 && each < waitingEach},
		{fmt.Sprintf("%d conversations waiting, resident memory", waitingDevices), fmt.Sprintf("%d MB", after>>20), fmt.Sprintf("under %d MB", waitingAll>>20), after > 0 && after < waitingAll},
		below(fmt.Sprintf("PAP at %d/s beside EAP at half load, p99", papRate), c.pap.p99(), papWanted),
	}
}
