package store

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Doors are who gets in by a device's address, in memory: what the hot path
// asks. They follow the database by Refresh and Watch. What this process grants,
// ends, registers or blocks is in them when the call returns; what another
// process does, and who was forgotten with her backend's members, with the next
// Refresh.
type Doors struct {
	s     *Store
	shard [shards]atomic.Pointer[map[uint64]*doorway]

	// mu keeps two from reading the database into the shards at once. Lookup does not take it.
	mu sync.Mutex
	// loaded says that the shards were read once, seen up to which write.
	loaded bool
	seen   int64
	follow func(macs []string)
	texts  *texts
}

// A doorway is all that is known of one device. It does not change once it is
// published.
type doorway struct {
	blocked bool
	device  *Device
	grants  []*Grant // at most one of each site
}

// A Door is what lets a device in at a site, or keeps it out. The zero value
// lets nothing in.
type Door struct {
	// Grant is the live grant, or Device the registration, that lets it in. Both
	// are shared and read-only; a Grant here has no OriginalURL.
	Grant  *Grant
	Device *Device
	// Blocked says that it was blocked, and gets in by neither.
	Blocked bool
}

// Doors returns the store's one set of doors, read from the database. It keeps
// the store in use: close it after the last Refresh and Watch have ended.
func (s *Store) Doors(ctx context.Context) (*Doors, error) {
	// It is the store's before it is read: what is granted in between finds it,
	// and waits in Refresh.
	d := s.doors.Load()
	if d == nil {
		d = &Doors{s: s, texts: newTexts()}
		for i := range d.shard {
			d.shard[i].Store(new(map[uint64]*doorway))
		}
		if !s.doors.CompareAndSwap(nil, d) {
			d = s.doors.Load()
		}
	}
	return d, d.Refresh(ctx)
}

// Lookup returns what is known at now of the device with this MAC
// ("aa:bb:cc:dd:ee:ff") at a site, and whether it lets the device in. A grant
// stands before a registration; one that has run out is none. It takes no lock,
// waits for nothing and allocates nothing.
func (d *Doors) Lookup(site, mac string, now time.Time) (door Door, open bool) {
	n, ok := macNumber(mac)
	if !ok {
		return Door{}, false
	}
	w := (*d.shard[doorShard(n)].Load())[n]
	switch {
	case w == nil:
		return Door{}, false
	case w.blocked:
		return Door{Blocked: true}, false
	}
	for _, g := range w.grants {
		if g.Site == site && now.Before(g.Expires) {
			return Door{Grant: g}, true
		}
	}
	if w.device != nil && (w.device.Site == "" || w.device.Site == site) {
		return Door{Device: w.device}, true
	}
	return Door{}, false
}

// doorShard spreads addresses by all of their bits: those of one maker differ in
// the last three octets only.
func doorShard(mac uint64) uint64 { return mac * 0x9e3779b97f4a7c15 >> (64 - shardBits) }

// Len returns of how many devices something is known. Grants that have run out
// count until their shard is written again.
func (d *Doors) Len() int {
	n := 0
	for i := range d.shard {
		n += len(*d.shard[i].Load())
	}
	return n
}

// Follow has f called after each Refresh that brought a closed door: a grant that
// was ended (not one that ran out or was replaced), a registration that was
// removed or given to another site, a device that was blocked. macs are those
// devices, sorted, each once; nil says that any door may have closed. Lookup says
// what holds now. f is called by whoever refreshes, by one at a time, with the
// doors locked: it may use Lookup, must not wait, and must not change what the
// doors show. The first reading calls nobody. Call Follow before Watch.
func (d *Doors) Follow(f func(macs []string)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.follow = f
}

// Refresh reads what was written since the last time, by whichever process.
// Where nothing was it costs one look at one row. After an error the doors are
// what they were, and the next Refresh tries again.
func (d *Doors) Refresh(ctx context.Context) error {
	return d.s.explain("read who gets in by address", d.refresh(ctx))
}

func (d *Doors) refresh(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	// The number is read before the rows: a write in between is read twice
	// rather than never.
	last, err := d.s.counter(ctx, doorCounter)
	if err != nil || d.loaded && last == d.seen {
		return err
	}
	r := doorReading{d: d, now: d.s.now(), whole: !d.loaded || last < d.seen, ways: map[uint64]*doorway{}}
	if r.whole {
		d.texts = newTexts()
	}
	if err := r.read(ctx); err != nil {
		return err
	}
	r.publish()
	first := !d.loaded
	d.loaded, d.seen = true, last
	switch {
	case d.follow == nil || first:
	case r.whole: // a backup was put back
		d.follow(nil)
	case len(r.closed) > 0:
		slices.Sort(r.closed)
		d.follow(slices.Compact(r.closed))
	}
	return nil
}

// Watch calls Refresh at every tick until ctx ends. report is called with the
// error when it begins to fail, and with nil when it works again.
func (d *Doors) Watch(ctx context.Context, tick <-chan time.Time, report func(error)) {
	watch(ctx, tick, d.Refresh, report)
}

// watch calls refresh at every tick until ctx ends.
func watch(ctx context.Context, tick <-chan time.Time, refresh func(context.Context) error, report func(error)) {
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
		err := refresh(ctx)
		if ctx.Err() != nil {
			return
		}
		if (err != nil) != failing {
			failing = err != nil
			report(err)
		}
	}
}
