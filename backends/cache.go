package backends

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"memberradius/member"

	"github.com/maypok86/otter/v2"
)

const (
	// minEntries is the least number of answers that a cache has room for.
	minEntries = 100_000
	// flightLimit ends a call whose backend has no timeout of its own. No
	// caller's context does: a call that may have cost a pass is worth its end.
	flightLimit = 30 * time.Second
)

// CacheConfig is what NewCache needs besides the backend.
type CacheConfig struct {
	Deps Deps
	// Fresh is how long an Allow is used again without asking; 0: never.
	Fresh time.Duration
	// Grace is how long the last Allow holds while the system could not say; 0: never.
	Grace time.Duration
	// Entries is how many answers it holds (at least 100,000, which is what 0 means).
	Entries int
}

// A Cache keeps the last Allow of a member system for each login and proof. It
// is used again without asking for Fresh, and for Grace where the system could
// not say. Asks that are equal and come at the same time make one call, since
// one call may cost a member a paid pass.
//
// It never keeps an MS-CHAP answer: every attempt has a new challenge, so that
// the answer to one says nothing about the next. It never keeps a refusal
// either: who has just paid must get in at the next try.
type Cache struct {
	next    Backend
	name    string
	fresh   time.Duration
	grace   time.Duration
	keyed   keyring
	now     func() time.Time
	deps    Deps
	entries *otter.Cache[[32]byte, *entry]
	flights *flights
	closed  sync.Once
	shelf   *shelver // nil: memory alone
}

var (
	_ Backend = (*Cache)(nil)
	_ Knower  = (*Cache)(nil)
)

// An entry is an Allow and when it was given. It is never changed.
type entry struct {
	answer  member.Answer
	at      time.Time
	shelved bool // the shelf has it, or a predecessor of it
}

// NewCache returns a cache in front of next, with what the Shelf still has.
// Close it.
func NewCache(next Backend, c CacheConfig) *Cache {
	k := &Cache{
		next: next, name: c.Deps.Name, fresh: c.Fresh, grace: c.Grace,
		keyed: newKeyring(c.Deps.Key, c.Deps.Name), now: c.Deps.Clock(), deps: c.Deps,
		flights: newFlights(),
	}
	k.entries = otter.Must(&otter.Options[[32]byte, *entry]{
		MaximumSize:      max(c.Entries, minEntries),
		OnAtomicDeletion: k.gone,
	})
	if c.Deps.Shelf != nil && c.Deps.Key != (Key{}) && max(c.Fresh, c.Grace) > 0 {
		k.shelf = newShelver(c.Deps)
		k.load()
		go k.shelf.run()
	}
	return k
}

// Close writes to the shelf what still waits for it. Calls that are under way
// go on to their end, and are not kept there.
func (c *Cache) Close() error {
	c.closed.Do(c.flights.close)
	if c.shelf == nil {
		return nil
	}
	return c.shelf.close()
}

// Known implements Knower: Found is an Allow younger than Fresh.
func (c *Cache) Known(a *member.Attempt, out *member.Answer) Memory {
	if c.fresh <= 0 || !reusable(a.Proof.Kind) {
		return Unsure
	}
	if !c.recall(c.keyed.of(a), c.fresh, out) {
		return Unsure
	}
	c.mark(out)
	c.deps.Meter.countFresh()
	return Found
}

// Ask implements Backend. When ctx ends only this caller leaves: the call goes
// on, and its answer is kept for the next ask.
func (c *Cache) Ask(ctx context.Context, a *member.Attempt) (member.Answer, error) {
	ans, err := c.ask(ctx, a)
	c.mark(&ans)
	return ans, err
}

// mark says how long an Allow of the system's own may stand for a fast reconnect.
func (c *Cache) mark(ans *member.Answer) {
	if ans.Proved && ans.Verdict == member.Allow {
		ans.Fresh = c.fresh
	}
}

func (c *Cache) ask(ctx context.Context, a *member.Attempt) (member.Answer, error) {
	if !distinct(a.Proof.Kind) {
		ans, err := c.next.Ask(ctx, a)
		return ans, said(c.name, &ans, err)
	}
	key := c.keyed.of(a)
	var known member.Answer
	if reusable(a.Proof.Kind) && c.recall(key, c.fresh, &known) {
		c.deps.Meter.countFresh()
		return known, nil
	}
	ans, err := c.fly(ctx, key, a)
	if err == nil || errors.Is(err, member.ErrUnknown) {
		return ans, err
	}
	if reusable(a.Proof.Kind) && c.recall(key, c.grace, &known) {
		c.deps.Meter.countGrace()
		return known, nil
	}
	return member.Answer{}, err
}

// reusable says whether an answer to a proof of this kind holds for the next
// proof that looks the same. CHAP and MS-CHAP have a new challenge every time.
func reusable(k member.ProofKind) bool {
	switch k {
	case member.Password, member.Certificate, member.MAC, member.Proved:
		return true
	default:
		return false
	}
}

// distinct says whether the key tells two attempts of this kind apart. CHAP's
// exchange is not in it, and no proof at all proves nothing.
func distinct(k member.ProofKind) bool {
	return reusable(k) || k == member.MSCHAPv1 || k == member.MSCHAPv2
}

// recall fills out with the answer under key if it is younger than limit. One
// whose membership has ended since is never an Allow again.
func (c *Cache) recall(key [32]byte, limit time.Duration, out *member.Answer) bool {
	if limit <= 0 {
		return false
	}
	e, ok := c.entries.GetIfPresent(key)
	if !ok {
		return false
	}
	now := c.now()
	age := max(now.Sub(e.at), 0) // a clock that was set back makes nobody young
	if age >= limit {
		return false
	}
	if v, _ := e.answer.Member.Judge(now); v != member.Allow {
		return false
	}
	*out = e.answer
	out.Age += age
	return true
}

// fly makes the call, or waits for an equal one that is under way.
func (c *Cache) fly(ctx context.Context, key [32]byte, a *member.Attempt) (member.Answer, error) {
	if err := ctx.Err(); err != nil {
		return member.Answer{}, c.left(err)
	}
	fl, joined := c.flights.join(key, func() func() (member.Answer, error) {
		own := clone(a)
		return func() (member.Answer, error) { return c.call(key, own) }
	})
	select {
	case <-fl.done:
		if joined {
			c.deps.Meter.countJoined()
		}
		return fl.answer, fl.err
	case <-ctx.Done():
		return member.Answer{}, c.left(ctx.Err())
	}
}

// left is the error of a caller whose context has ended.
func (c *Cache) left(err error) error {
	return &Error{Class: Timeout, Backend: c.name, Err: fmt.Errorf("waiting for its answer: %w", err)}
}

// call asks the system and keeps what it says. It runs once for all that wait.
func (c *Cache) call(key [32]byte, a *member.Attempt) (ans member.Answer, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			ans, err = member.Answer{}, c.panicked(fault)
		}
	}()
	// An equal call may have ended between the look into memory and here.
	if reusable(a.Proof.Kind) && c.recall(key, c.fresh, &ans) {
		return ans, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), flightLimit)
	defer cancel()
	ans, err = c.next.Ask(ctx, a)
	if err = said(c.name, &ans, err); err != nil {
		ans = member.Answer{}
	}
	if reusable(a.Proof.Kind) {
		c.keep(key, &ans, err)
	}
	return ans, err
}

// panicked turns a fault of the backend's code into "could not say". What was
// thrown may hold anything, so that only Go's own words are shown.
func (c *Cache) panicked(fault any) error {
	c.deps.Meter.countPanic()
	what := fmt.Errorf("a fault of this program (%T)", fault)
	if e, ok := fault.(runtime.Error); ok {
		what = fmt.Errorf("a fault of this program: %w", e)
	}
	c.deps.Say(Finding{Wrong: true, What: fmt.Sprintf("backend %s: %v", c.name, what), Remedy: "please report it, with the line of the log"})
	return &Error{Class: Broken, Backend: c.name, Err: what}
}

// keep puts an Allow under key. A refusal forgets what is under key, and
// nothing else: another password of the same login has another key, and its
// owner need not suffer for who guesses.
func (c *Cache) keep(key [32]byte, ans *member.Answer, err error) {
	refused := errors.Is(err, member.ErrUnknown) || err == nil && ans.Verdict == member.Deny
	switch {
	case refused:
		c.entries.Invalidate(key)
	case err == nil && ans.Verdict == member.Allow && max(c.fresh, c.grace) > 0:
		e := &entry{answer: *ans, at: c.now()}
		if old, ok := c.entries.GetIfPresent(key); ok {
			e.shelved = old.shelved
		}
		// The shelf comes first: were e pushed out of memory before it is on
		// the shelf, nothing would take it from there.
		if c.shelf != nil && shelvable(ans) && c.shelf.put(key, e, c.until(e)) {
			e.shelved = true
		}
		c.entries.Set(key, e)
	default:
		return
	}
	c.deps.Meter.setEntries(c.entries.EstimatedSize())
}

// until is when e has no use any more.
func (c *Cache) until(e *entry) time.Time {
	end := e.at.Add(max(c.fresh, c.grace))
	if v := e.answer.Member.ValidUntil; !v.IsZero() && v.Before(end) {
		return v
	}
	return end
}

// gone takes from the shelf what has left memory, so that the shelf never
// holds an answer that a refusal can't reach. It must not call the cache.
func (c *Cache) gone(e otter.DeletionEvent[[32]byte, *entry]) {
	if c.shelf != nil && e.Cause != otter.CauseReplacement && e.Value.shelved {
		c.shelf.remove(e.Key)
	}
}

// clone copies a with all its strings: a flight outlives the packet that they alias.
func clone(a *member.Attempt) *member.Attempt {
	own := *a
	for _, s := range [...]*string{&own.Login, &own.Site, &own.Client, &own.NAS, &own.SSID, &own.StationMAC} {
		*s = strings.Clone(*s)
	}
	for _, s := range [...]*member.Secret{&own.Proof.Password, &own.Proof.CHAP.Challenge} {
		*s = member.Secret(strings.Clone(string(*s)))
	}
	return &own
}
