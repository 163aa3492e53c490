package radiustest

import (
	"encoding/binary"
	"time"
)

// take counts one datagram.
func (g *generator) take(s *socket, packet []byte, now time.Duration) {
	if len(packet) < headerSize {
		g.counts.Wrong++
		return
	}
	id := packet[1]
	if !s.busy[id] {
		g.counts.Late++
		return
	}
	if g.load.Mode != Echo {
		check := g.sample() || s.lost[id]
		if !g.trust(packet, check, &s.authenticator[id]) {
			// Like a NAS it goes on waiting: the right reply may still come.
			if s.lost[id] {
				g.counts.Late++
			} else {
				g.counts.Wrong++
			}
			return
		}
	}
	g.counts.Replies++
	switch Code(packet[0]) {
	case AccessReject:
		g.counts.Rejected++
	case AccessChallenge:
		g.counts.Challenged++
	default:
		g.counts.Accepted++
	}
	g.latency.Record(now - s.due[id])
	g.release(s, id)
}

// sample says whether this reply is one of those to be checked.
func (g *generator) sample() bool {
	g.replies++
	return g.replies%uint64(g.load.VerifyEvery) == 0
}

// trust checks a reply's form and, where check is set, its Response Authenticator.
func (g *generator) trust(packet []byte, check bool, request *[authenticatorSize]byte) bool {
	n := int(binary.BigEndian.Uint16(packet[2:]))
	if n < headerSize || n > len(packet) {
		return false
	}
	asked := AccessRequest
	if g.load.Mode == Status {
		asked = StatusServer
	}
	if !answers(asked, Code(packet[0])) {
		return false
	}
	if !check {
		return true
	}
	g.counts.Verified++
	return g.signer.verifyReply(packet[:n], request)
}

// expire gives up what has waited for longer than Timeout.
func (g *generator) expire(now time.Duration) {
	for i := range g.sockets {
		s := &g.sockets[i]
		if s.out == 0 {
			continue
		}
		for id := range s.busy {
			if s.busy[id] && now-s.sent[id] >= g.load.Timeout {
				g.counts.Lost++
				s.lost[id] = true
				g.release(s, byte(id))
			}
		}
	}
}
