package radiusd

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"memberradius/member"
)

// A brake slows down whoever guesses passwords, and only by how late the refusal
// comes: each wrong proof of a login, or from a device, doubles how long the
// reject waits, and those of one login leave one after the other. A right proof
// is never held up, and ends it.
//
// Logins and devices are known by keyed hashes, so that nobody can find a login
// that is taken for a member's. No goroutine runs: what is old goes when
// something comes.
type brake struct {
	base, longest time.Duration // base is reject_delay
	seed          maphash.Seed
	// many is how many suspects there are: where there are none, a right proof ends nothing.
	many   atomic.Int64
	shards [brakeShards]brakeShard
}

const (
	brakeShards = 64
	// maxSuspects bounds each shard: 65,536 in all, some 6 MB.
	maxSuspects = 65_536 / brakeShards
	// maxRejectDelay is what wrong proofs lengthen reject_delay to at most: with
	// more a NAS takes this server for dead, and all its members wait.
	maxRejectDelay = 10 * time.Second
	// rejectSpacing is how far apart the rejects of one login leave: one guess a second.
	rejectSpacing = time.Second
	// maxRejectQueue is how long a reject waits for those before it, on top. One
	// that would wait longer is not sent: a NAS gives up after 30 s (RFC 5080 §2.2.1).
	maxRejectQueue = 10 * time.Second
	// suspicion is how long a wrong proof counts.
	suspicion = 5 * time.Minute
)

// A brakeShard has the suspects of a part of the hashes.
type brakeShard struct {
	mu    sync.Mutex
	byKey map[uint64]*suspect
	list  suspect  // ring: list.next is the one that was wrong longest ago
	free  *suspect // by next
}

// A suspect is a login, or a device, with wrong proofs.
type suspect struct {
	key uint64
	// wrong counts them, and last is when the last one came.
	wrong int
	last  time.Time
	// leaves is when the next reject may.
	leaves     time.Time
	prev, next *suspect
}

// newBrake returns nil, which never brakes, where rejects do not wait at all.
func newBrake(rejectDelay time.Duration) *brake {
	if rejectDelay <= 0 {
		return nil
	}
	b := &brake{base: rejectDelay, longest: max(rejectDelay, maxRejectDelay), seed: maphash.MakeSeed()}
	for i := range b.shards {
		s := &b.shards[i]
		s.byKey = map[uint64]*suspect{}
		s.list.prev, s.list.next = &s.list, &s.list
	}
	return b
}

// A guess is who may have guessed: the hash of the login at its site, and that
// of the device, 0 where it is not known.
type guess struct{ login, device uint64 }

func (b *brake) guess(a *member.Attempt) (g guess) {
	var room [maxValue + 3*member.MaxLogin]byte
	text := append(room[:0], a.Site[:min(len(a.Site), maxValue-2)]...)
	text = append(text, 0)
	if len(a.Login) <= member.MaxLogin { // in a tunnel it may be longer, and is nobody's
		text = member.Fold(text, a.Login)
	}
	g.login = maphash.Bytes(b.seed, text)
	if a.StationMAC != "" {
		g.device = maphash.String(b.seed, a.StationMAC)
	}
	return g
}

// wrong counts a wrong proof of now and returns how long its reject waits, or
// false where it is not sent.
func (b *brake) wrong(g guess, now time.Time) (wait time.Duration, send bool) {
	if g.device != 0 {
		wait = b.slower(b.count(g.device, now))
	}
	s := b.shard(g.login)
	s.mu.Lock()
	defer s.mu.Unlock()
	u := b.meet(s, g.login, now)
	wait = max(wait, b.slower(u.wrong), u.leaves.Sub(now))
	if wait > b.longest+maxRejectQueue {
		return 0, false
	}
	u.leaves = now.Add(wait + rejectSpacing)
	return wait, true
}

// count returns how many wrong proofs there have been with this one.
func (b *brake) count(key uint64, now time.Time) int {
	s := b.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	return b.meet(s, key, now).wrong
}

// slower is how long a reject waits after so many wrong proofs.
func (b *brake) slower(wrong int) time.Duration {
	return min(b.base<<min(wrong-1, 16), b.longest)
}

// right forgets what was wrong before.
func (b *brake) right(g guess) {
	for _, key := range [...]uint64{g.login, g.device} {
		s := b.shard(key)
		s.mu.Lock()
		if u := s.byKey[key]; u != nil {
			b.drop(s, u)
		}
		s.mu.Unlock()
	}
}

func (b *brake) shard(key uint64) *brakeShard { return &b.shards[key%brakeShards] }

// size is how many suspects there are; none of a nil brake.
func (b *brake) size() int {
	if b == nil {
		return 0
	}
	return int(b.many.Load())
}

// meet counts a wrong proof of a suspect. The shard is locked.
func (b *brake) meet(s *brakeShard, key uint64, now time.Time) *suspect {
	for range 4 { // no request pays for many others
		oldest := s.list.next
		if oldest == &s.list || now.Sub(oldest.last) < suspicion {
			break
		}
		b.drop(s, oldest)
	}
	u := s.byKey[key]
	switch {
	case u == nil:
		u = b.take(s, key)
	case now.Sub(u.last) >= suspicion:
		u.wrong = 0
	}
	u.wrong, u.last = u.wrong+1, now
	u.unlink()
	u.link(&s.list)
	return u
}

// take makes a suspect, in the place of the oldest where the shard is full.
func (b *brake) take(s *brakeShard, key uint64) *suspect {
	if len(s.byKey) >= maxSuspects {
		b.drop(s, s.list.next)
	}
	u := s.free
	if u == nil {
		u = &suspect{}
	} else {
		s.free = u.next
	}
	*u = suspect{key: key}
	u.link(&s.list)
	s.byKey[key] = u
	b.many.Add(1)
	return u
}

func (b *brake) drop(s *brakeShard, u *suspect) {
	delete(s.byKey, u.key)
	u.unlink()
	u.next, s.free = s.free, u
	b.many.Add(-1)
}

// link puts u at the end of the ring.
func (u *suspect) link(ring *suspect) {
	u.prev, u.next = ring.prev, ring
	ring.prev.next, ring.prev = u, u
}

func (u *suspect) unlink() { u.prev.next, u.next.prev = u.next, u.prev }

// rejectWait is how long the Access-Reject of this exchange waits, counted from
// its receipt; false: it is not sent.
func (x *exchange) rejectWait() (wait time.Duration, send bool) {
	b := x.server.brake
	if b == nil || !x.guessed() || x.used == methodEAP && !x.talk.Result.Decision.At.Equal(x.received) {
		return x.server.rejectDelay, true // in EAP a challenge may have told already
	}
	return b.wrong(b.guess(&x.attempt), x.now)
}

// challengeWait is the same for an Access-Challenge in which EAP tells that the
// proof was wrong (RFC 2759 §6): it waits for what the
// Access-Reject at the end does not, or nobody would wait for that.
func (x *exchange) challengeWait() (wait time.Duration, send bool) {
	b := x.server.brake
	if b == nil || x.verdict != member.Deny || !x.guessed() {
		return 0, true
	}
	wait, send = b.wrong(b.guess(&x.attempt), x.now)
	return wait - b.base, send
}

// guessed says whether the refusal may answer a guess. A login that is nobody's
// counts like a member's, or the wait would tell them apart. MAC
// authentication has no password.
func (x *exchange) guessed() bool {
	return !x.proved && x.used != methodMAC && x.reason.BeforeProof() == member.ReasonWrongProof
}

// release ends the suspicion of who has brought a right proof.
func (x *exchange) release() {
	if b := x.server.brake; b.size() > 0 && x.used != methodMAC {
		b.right(b.guess(&x.attempt))
	}
}
