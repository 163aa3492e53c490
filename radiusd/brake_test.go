package radiusd

import (
	"bytes"
	"strconv"
	"sync"
	"testing"
	"time"

	"memberradius/member"
)

// noon is when brakes are tried.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// wrongs is how many wrong proofs count against a key.
func (b *brake) wrongs(key uint64) int {
	s := b.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.byKey[key]; u != nil {
		return u.wrong
	}
	return 0
}

func (b *brake) login(login string) guess {
	return b.guess(&member.Attempt{Site: "berlin", Login: login})
}

// Each wrong proof doubles the wait, up to its bound; minutes later all is
// forgotten, and after a right proof at once.
func TestBrakeDoubles(t *testing.T) {
	t.Parallel()
	b, now := newBrake(time.Second), noon
	bob := b.login("bob")
	want := []time.Duration{1, 2, 4, 8, 10, 10, 10}
	try := func(when string) {
		t.Helper()
		for i, seconds := range want {
			wait, send := b.wrong(bob, now)
			if wait != seconds*time.Second || !send {
				t.Fatalf("%s: wrong proof %d waits %v, %v; want %d s", when, i+1, wait, send, seconds)
			}
			now = now.Add(wait + rejectSpacing)
		}
	}
	try("at first")
	now = now.Add(suspicion - 20*time.Second)
	if wait, _ := b.wrong(bob, now); wait != maxRejectDelay {
		t.Errorf("before its time is over: %v", wait)
	}
	now = now.Add(suspicion)
	try("minutes later")
	b.right(bob)
	if b.size() != 0 {
		t.Errorf("%d suspects after a right proof", b.size())
	}
	try("after a right proof")
	for range 300 {
		now = now.Add(maxRejectDelay + rejectSpacing)
		if wait, send := b.wrong(bob, now); wait != maxRejectDelay || !send {
			t.Fatalf("%v, %v after hundreds", wait, send)
		}
	}
}

// A login is one however it is spelled, and another at another site.
func TestBrakeLogins(t *testing.T) {
	t.Parallel()
	b := newBrake(time.Second)
	same := b.login("jos\u00e9@example.com")
	for _, login := range []string{"JOS\u00c9@example.com", "jose\u0301@Example.com"} {
		if b.login(login) != same {
			t.Errorf("%q is somebody else", login)
		}
	}
	seen := map[uint64]string{}
	for _, a := range []member.Attempt{
		{}, {Login: "bob"}, {Login: "bobb"}, {Site: "berlin", Login: "bob"}, {Site: "b", Login: "bob"}, {Site: "berlinb", Login: "ob"},
		{Login: string(bytes.Repeat([]byte("x"), member.MaxLogin))}, {Login: string(bytes.Repeat([]byte("x"), member.MaxLogin-1))},
		{Site: string(bytes.Repeat([]byte("s"), 4*maxValue)), Login: "bob"},
	} {
		key := b.guess(&a).login
		if other, ok := seen[key]; ok {
			t.Errorf("%s at %s is also %s", a.Login, a.Site, other)
		}
		seen[key] = a.Login + " at " + a.Site
	}
	if b.login("bob") == newBrake(time.Second).login("bob") {
		t.Error("the hash has no key")
	}
}

// A device that tries one login after the other waits longer each time, and its
// own right login does not make it another's.
func TestBrakeDevices(t *testing.T) {
	t.Parallel()
	b, now := newBrake(time.Second), noon
	from := func(login string) guess {
		return b.guess(&member.Attempt{Site: "berlin", Login: login, StationMAC: "02:00:00:00:00:07"})
	}
	for i, want := range []time.Duration{1, 2, 4, 8, 10} {
		if wait, send := b.wrong(from("login"+strconv.Itoa(i)), now); wait != want*time.Second || !send {
			t.Errorf("login %d of one device: %v, %v", i, wait, send)
		}
	}
	if wait, _ := b.wrong(b.login("login0"), now.Add(time.Minute)); wait != 2*time.Second {
		t.Errorf("the login itself, from elsewhere: %v", wait)
	}
	b.wrong(from("bob"), now)
	b.right(from("mallory")) // who has a login of his own
	if wait, _ := b.wrong(from("bob"), now.Add(time.Minute)); wait != 2*time.Second {
		t.Errorf("a second guess of bob, after a right proof of another: %v", wait)
	}
}

// A flood of guesses on one login gets one answer a second, and holds up nobody else.
func TestBrakeFlood(t *testing.T) {
	t.Parallel()
	b, now := newBrake(time.Second), noon
	bob, alice := b.login("bob"), b.login("alice")
	var leave []time.Time
	const seconds, each = 120, 500
	for range seconds * each {
		now = now.Add(time.Second / each)
		wait, send := b.wrong(bob, now)
		if wait > maxRejectDelay+maxRejectQueue {
			t.Fatalf("a reject waits %v", wait)
		}
		if send {
			leave = append(leave, now.Add(wait))
		}
	}
	for i := 1; i < len(leave); i++ {
		if apart := leave[i].Sub(leave[i-1]); apart < rejectSpacing {
			t.Fatalf("rejects %d and %d leave %v apart", i-1, i, apart)
		}
	}
	if most := seconds + int((maxRejectDelay+maxRejectQueue)/rejectSpacing); len(leave) > most || len(leave) < seconds {
		t.Errorf("%d rejects for %d s, want up to %d", len(leave), seconds, most)
	}
	if wait, send := b.wrong(alice, now); wait != time.Second || !send {
		t.Errorf("another login: %v, %v", wait, send)
	}
	b.right(bob)
	if wait, send := b.wrong(bob, now); wait != time.Second || !send {
		t.Errorf("bob himself, who has logged in and mistypes: %v, %v", wait, send)
	}
}

// neighbours are other logins of bob's shard.
func (b *brake) neighbours(bob guess, n int) (found []guess) {
	for i := 0; len(found) < n; i++ {
		if g := b.login("neighbour " + strconv.Itoa(i)); b.shard(g.login) == b.shard(bob.login) {
			found = append(found, g)
		}
	}
	return found
}

// A shard that is full loses whoever was wrong longest ago, not who came first;
// and old wrong proofs do not count, though others are older still.
func TestBrakeOrder(t *testing.T) {
	t.Parallel()
	b := newBrake(time.Second)
	bob := b.login("bob")
	others := b.neighbours(bob, maxSuspects+10)
	b.wrong(bob, noon)
	for _, g := range others[:maxSuspects-1] {
		b.wrong(g, noon.Add(time.Second))
	}
	b.wrong(bob, noon.Add(2*time.Second))
	for _, g := range others[maxSuspects-1:] {
		b.wrong(g, noon.Add(3*time.Second))
	}
	if n, first := b.wrongs(bob.login), b.wrongs(others[0].login); n != 2 || first != 0 {
		t.Errorf("bob has %d wrong proofs, who was wrong before him %d", n, first)
	}
	if wait, _ := b.wrong(bob, noon.Add(2*time.Second+suspicion)); wait != time.Second {
		t.Errorf("minutes later he waits %v", wait)
	}
}

// The memory is bounded: the oldest go first, and what is forgotten leaves no trace.
func TestBrakeBounds(t *testing.T) {
	t.Parallel()
	b, now := newBrake(time.Second), noon
	const many = 150_000
	for i := range many {
		now = now.Add(time.Microsecond)
		b.wrong(b.login(strconv.Itoa(i)), now)
	}
	if n := b.size(); n > brakeShards*maxSuspects || n < brakeShards*maxSuspects*9/10 {
		t.Errorf("%d suspects", n)
	}
	lost := 0
	for i := many - 50_000; i < many; i++ {
		if b.wrongs(b.login(strconv.Itoa(i)).login) != 1 {
			lost++
		}
	}
	if lost > 0 || b.wrongs(b.login("0").login) != 0 {
		t.Errorf("%d of the last 50,000 are forgotten; the first counts %d", lost, b.wrongs(b.login("0").login))
	}
	now = now.Add(suspicion)
	for i := range many {
		b.wrong(b.login("later "+strconv.Itoa(i%1000)), now)
	}
	for i := range b.shards {
		s := &b.shards[i]
		ring := 0
		for u := s.list.next; u != &s.list; u = u.next {
			ring++
		}
		if ring != len(s.byKey) {
			t.Fatalf("shard %d has %d suspects, %d in its ring", i, len(s.byKey), ring)
		}
	}
	if n := b.size(); n != 1000 {
		t.Errorf("%d suspects, of 1,000 logins of the last minutes", n)
	}
}

func TestBrakeConcurrently(t *testing.T) {
	t.Parallel()
	b := newBrake(time.Second)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for n := range 2000 {
				a := member.Attempt{Login: strconv.Itoa(n % 50), StationMAC: strconv.Itoa(i)}
				if n%3 == 0 {
					b.right(b.guess(&a))
				} else {
					b.wrong(b.guess(&a), noon.Add(time.Duration(n)*time.Second))
				}
			}
		})
	}
	wait.Wait()
	for n := range 50 {
		b.right(b.guess(&member.Attempt{Login: strconv.Itoa(n), StationMAC: strconv.Itoa(n % 8)}))
	}
	if b.size() != 0 {
		t.Errorf("%d suspects are left of none", b.size())
	}
}

// Without a delay nothing is kept; a delay beyond the brake's bound stays what it is.
func TestBrakeOff(t *testing.T) {
	t.Parallel()
	if b := newBrake(0); b != nil || b.size() != 0 {
		t.Error("no delay, and a brake")
	}
	b := newBrake(30 * time.Second)
	for i := range 3 {
		if wait, send := b.wrong(b.login("bob"), noon.Add(time.Duration(i)*time.Minute)); wait != 30*time.Second || !send {
			t.Errorf("reject_delay of 30 s: %v, %v", wait, send)
		}
	}
}
