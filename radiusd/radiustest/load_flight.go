package radiustest

import (
	"encoding/binary"
	"fmt"
	"time"

	"memberradius/radiusd/radiustest/peer"
)

// A flight is a place for one login at a time: it has identifiers of its own
// on a socket, and devices that take turns.
type flight struct {
	socket  int
	slot    byte
	round   byte // in the identifier; goes on from login to login
	devices []device
	turn    int

	device        *device
	peer          *peer.Peer
	response      []byte
	state         []byte
	authenticator [authenticatorSize]byte
	sent, due     time.Duration
	busy          bool // a reply is due
}

// A device is a user, and the TLS session that it may resume.
type device struct {
	user    int // of Load.Users
	session *peer.Session
}

func (f *flight) identifier() byte { return f.slot*roundsApart + f.round%roundsApart }

// next returns the device whose turn it is.
func (f *flight) next() *device {
	d := &f.devices[f.turn%len(f.devices)]
	f.turn++
	return d
}

// warmed says whether every device had its turn.
func (f *flight) warmed() bool { return f.turn >= len(f.devices) }

func (f *flight) close() {
	if f.peer != nil {
		f.peer.Close()
		f.peer = nil
	}
}

// release gives the flight back to the next login.
func (c *conversations) release(f *flight) {
	f.close()
	f.busy = false
	f.round++
	c.out--
	c.free = append(c.free, f)
}

// take takes one datagram of a socket.
func (c *conversations) take(socket int, packet []byte) {
	if len(packet) < headerSize {
		c.counts.Wrong++
		return
	}
	at := int(packet[1]/roundsApart)*c.load.Sockets + socket
	if at >= len(c.flights) || !c.flights[at].busy || c.flights[at].identifier() != packet[1] {
		c.counts.Late++
		return
	}
	f := c.flights[at]
	n := int(binary.BigEndian.Uint16(packet[2:]))
	if n < headerSize || n > len(packet) || !answers(AccessRequest, Code(packet[0])) || !c.signer.verifyReply(packet[:n], &f.authenticator) {
		// Like a NAS it goes on waiting: the right reply may still come.
		c.counts.Wrong++
		return
	}
	c.answer(f, packet[:n])
}

// answer goes on with a login, or ends it.
func (c *conversations) answer(f *flight, packet []byte) {
	var message, state []byte
	err := walk(packet[headerSize:], func(kind byte, value []byte) {
		switch kind {
		case typeEAPMessage:
			message = append(message, value...)
		case typeState:
			state = append(state[:0], value...)
		}
	})
	var response []byte
	if err == nil && len(message) > 0 {
		response, err = f.peer.Answer(message)
	}
	code := Code(packet[0])
	switch {
	case code == AccessChallenge && err == nil && response != nil:
		c.counts.Challenged++
		f.response, f.state, f.busy = response, state, false
		f.round++
		c.ready[f.socket] = append(c.ready[f.socket], f)
	case code == AccessChallenge:
		c.counts.Wrong++
		c.complain(f, f.peer.Diagnose(peer.Accepted), "the server broke the protocol")
		c.release(f)
	default:
		c.finish(f, packet)
	}
}

// finish counts a login that the server has decided.
func (c *conversations) finish(f *flight, packet []byte) {
	c.counts.Replies++
	c.latency.Record(c.now() - f.due)
	if Code(packet[0]) == AccessReject {
		c.counts.Rejected++
		c.complain(f, f.peer.Diagnose(peer.Rejected), "refused")
		c.release(f)
		return
	}
	c.counts.Accepted++
	if t := f.peer.Tunnel(); t != nil && t.Resumed {
		c.counts.Resumed++
	}
	if c.checked++; c.checked%uint64(c.load.VerifyEvery) == 0 || c.warming {
		c.verify(f, packet)
	}
	c.release(f)
}

// verify checks the whole of a login's last reply, as NAS.Do would.
func (c *conversations) verify(f *flight, packet []byte) {
	c.counts.Verified++
	s := &Sent{
		authenticator: f.authenticator, identifier: packet[1], signed: true, signer: c.signer, dictionary: c.load.Dictionary,
		expect: expectation{code: AccessRequest, method: eapRound},
	}
	s.expect.accept(f.peer.MSK(), f.peer.SessionID())
	reply, err := s.Read(packet)
	if err != nil {
		c.counts.Wrong++
		c.complain(f, nil, err.Error())
		return
	}
	if faults := append(f.peer.Faults(), reply.Faults...); reply.Keys != Right || len(faults) > 0 {
		c.complain(f, nil, fmt.Sprintf("session keys %s, faults %q", reply.Keys, faults))
	}
	if reply.Keys != Right {
		c.counts.Wrong++
	}
}

// complain keeps the first trouble.
func (c *conversations) complain(f *flight, d *peer.Diagnosis, otherwise string) {
	if c.trouble != "" {
		return
	}
	if d != nil {
		otherwise = d.Text
	}
	c.trouble = fmt.Sprintf("%s: %s", c.load.Users[f.device.user].Login, otherwise)
}
