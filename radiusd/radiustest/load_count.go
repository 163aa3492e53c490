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

// warmUp begins to count when the warm-up is over.
func (g *generator) warmUp(now time.Duration) {
	if g.warm || now < g.load.Warmup {
		return
	}
	g.window = window{warm: true, from: now}
	// What is out now is answered within the time that counts.
	g.counts = Counts{Sent: uint64(g.out)}
	g.shown.at, g.shown.replies = now, 0
}

// stop ends the time that is counted, once.
func (g *generator) stop(now time.Duration) {
	if g.to == 0 {
		g.to, g.window.replies = max(now, 1), g.counts.Replies
	}
}

// show reports progress each second.
func (g *generator) show(now time.Duration) {
	since := now - g.shown.at
	if g.load.Progress == nil || !g.warm || since < time.Second {
		return
	}
	g.load.Progress(Snapshot{
		Counts:   g.counts,
		Elapsed:  now - g.from,
		InFlight: g.out,
		Rate:     float64(g.counts.Replies-g.shown.replies) / since.Seconds(),
		P50:      g.latency.Quantile(0.5),
		P99:      g.latency.Quantile(0.99),
	})
	g.shown.at, g.shown.replies = now, g.counts.Replies
}

func (g *generator) result() *Result {
	g.stop(g.now())
	r := &Result{Counts: g.counts, Mode: g.load.Mode, Elapsed: g.to - g.from, Latency: g.latency, Behind: g.behind}
	if r.Elapsed > 0 {
		r.Rate = float64(g.window.replies) / r.Elapsed.Seconds()
	}
	return r
}
