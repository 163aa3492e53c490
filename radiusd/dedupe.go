package radiusd

import (
	"encoding/binary"
	"net/netip"
	"sync/atomic"
	"time"
)

const (
	// replyLife is how long a reply is kept for repeats of its request: RFC
	// 5080 §2.2.2 asks for 5 to 30 s, and a NAS gives up after 30 s.
	replyLife = 30 * time.Second
	// maxReplies bounds the replies that one reader keeps. Past it the oldest
	// goes early, which a counter shows.
	maxReplies = 1 << 17
)

// A repeatKey is what RFC 5080 §2.2.2 compares first: source address and port
// and the Identifier. The receiving socket is the table's own.
type repeatKey struct {
	hi, lo uint64
	rest   uint64 // port << 8 | identifier
}

func newRepeatKey(remote netip.AddrPort, id byte) repeatKey {
	a := remote.Addr().As16()
	return repeatKey{
		hi:   binary.BigEndian.Uint64(a[:8]),
		lo:   binary.BigEndian.Uint64(a[8:]),
		rest: uint64(remote.Port())<<8 | uint64(id),
	}
}

// A kept is one request that was seen and, once there is one, its reply.
type kept struct {
	key           repeatKey
	authenticator [authenticatorSize]byte
	at            time.Time
	reply         []byte
	// work is set while the reply is made or held back elsewhere than in the reader.
	work       *work
	prev, next *kept
}

// A work is a request that left the reader. Its owner writes reply, then done;
// the reader reads them in the other order.
type work struct {
	reply []byte
	done  atomic.Bool
	// forgotten: nobody was asked, so a repeat is as good as a new request.
	forgotten atomic.Bool
}

// repeats knows the requests of the last 30 s of one socket. Only its reader
// uses it, so that looking and keeping are one step and two copies of a
// request can't both pass.
type repeats struct {
	byKey map[repeatKey]*kept
	list  kept  // ring: list.next is the oldest
	free  *kept // by next
	max   int
	early uint64 // how many went before their time
}

func newRepeats(most int) *repeats {
	r := &repeats{byKey: make(map[repeatKey]*kept, 256), max: most}
	r.list.prev, r.list.next = &r.list, &r.list
	return r
}

// A seen says what a request is to the table.
type seen uint8

const (
	seenNew    seen = iota // process it
	seenWork               // a repeat of one in work, or of one that stays unanswered: silence
	seenRepeat             // a repeat: the entry's reply again
)

// look finds or makes the request's entry. A known key with another Request
// Authenticator is a NAS that started anew: the old entry goes (D4).
func (r *repeats) look(k repeatKey, authenticator []byte, now time.Time) (*kept, seen) {
	r.expire(now)
	e, ok := r.byKey[k]
	if !ok {
		e = r.take(k)
	} else if !sameAuthenticator(e.authenticator[:], authenticator) {
		e.work = nil
	} else if s := e.state(); s != seenNew {
		return e, s
	}
	copy(e.authenticator[:], authenticator)
	e.at, e.reply = now, e.reply[:0]
	e.unlink()
	e.link(&r.list)
	return e, seenNew
}

// state fetches what came of the work, if there was any.
func (e *kept) state() seen {
	if w := e.work; w != nil {
		switch {
		case w.forgotten.Load():
			e.work = nil
			return seenNew
		case !w.done.Load():
			return seenWork
		}
		e.reply, e.work = append(e.reply[:0], w.reply...), nil
	}
	if len(e.reply) == 0 {
		return seenWork
	}
	return seenRepeat
}

// expire drops at most a few entries, so that no single request pays for many.
func (r *repeats) expire(now time.Time) {
	for range 4 {
		oldest := r.list.next
		if oldest == &r.list || now.Sub(oldest.at) < replyLife {
			return
		}
		r.drop(oldest)
	}
}

// take makes an entry, over the oldest one where the table is full.
func (r *repeats) take(k repeatKey) *kept {
	if len(r.byKey) >= r.max {
		r.early++
		r.drop(r.list.next)
	}
	e := r.free
	if e == nil {
		e = &kept{}
	} else {
		r.free = e.next
	}
	e.key = k
	e.link(&r.list)
	r.byKey[k] = e
	return e
}

func (r *repeats) drop(e *kept) {
	delete(r.byKey, e.key)
	e.unlink()
	e.work, e.reply = nil, e.reply[:0]
	e.next, r.free = r.free, e
}

// link puts e at the end of the ring.
func (e *kept) link(ring *kept) {
	e.prev, e.next = ring.prev, ring
	ring.prev.next, ring.prev = e, e
}

func (e *kept) unlink() {
	e.prev.next, e.next.prev = e.next, e.prev
}
