package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"
)

// doorCounter is where the number of the last write to the doors stands in
// change: under the name that no backend has.
const doorCounter = ""

// changeDoors runs f in a transaction that changes who gets in by address.
// number is the number of this write. The doors of this process know of it
// before changeDoors returns; where they can't be read it holds none the less,
// and the error says so.
func (s *Store) changeDoors(ctx context.Context, f func(tx *sql.Tx, number int64) error) error {
	err := s.transact(ctx, func(tx *sql.Tx) error {
		number, err := nextDoor(ctx, tx)
		if err != nil {
			return err
		}
		return f(tx, number)
	})
	d := s.doors.Load()
	if err != nil || d == nil {
		return err
	}
	// Whoever has gone away meanwhile has changed the doors all the same.
	if err := d.refresh(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("it is written, but this server will only know of it later: %w", err)
	}
	return nil
}

// nextDoor returns the number of this write. Writers queue at the row, so that
// numbers become visible in their order.
func nextDoor(ctx context.Context, tx *sql.Tx) (number int64, err error) {
	err = tx.QueryRowContext(ctx, `INSERT INTO change (backend, counter) VALUES (?, 1)
		ON CONFLICT (backend) DO UPDATE SET counter = change.counter + 1 RETURNING counter`, doorCounter).Scan(&number)
	return number, err
}

// A doorReading is one reading of the database into the doors.
type doorReading struct {
	d   *Doors
	now time.Time
	// whole says that all is read, and not only what was written after d.seen.
	whole bool
	// ways are the doorways that differ from those in the shards, by address.
	ways map[uint64]*doorway
	// closed are the devices that may have been let in before and are not now.
	closed []string
}

// way returns the doorway of a device, for changes.
func (r *doorReading) way(mac string) (*doorway, error) {
	n, ok := macNumber(mac)
	if !ok {
		return nil, fmt.Errorf("%q is no MAC address: restore the database from a backup, or remove what has it", mac)
	}
	w := r.ways[n]
	if w == nil {
		w = new(doorway)
		if old := (*r.d.shard[doorShard(n)].Load())[n]; old != nil && !r.whole {
			w.blocked, w.device, w.grants = old.blocked, old.device, slices.Clone(old.grants)
		}
		r.ways[n] = w
	}
	return w, nil
}

// read reads what holds, or what was written after d.seen.
func (r *doorReading) read(ctx context.Context) error {
	for _, part := range [...]struct {
		whole, changed string
		add            func(scan func(...any) error) error
	}{
		{grantMemory + ` WHERE ended_at IS NULL AND changed > ?`, grantMemory + ` WHERE changed > ?`, r.addGrant},
		{deviceColumns + ` WHERE removed = 0 AND changed > ?`, deviceColumns + ` WHERE changed > ?`, r.addDevice},
		{blockedColumns + ` WHERE lifted = 0 AND changed > ?`, blockedColumns + ` WHERE changed > ?`, r.addBlocked},
	} {
		query, after := part.changed, r.d.seen
		if r.whole {
			query, after = part.whole, 0
		}
		if err := eachOf(ctx, r.d.s.db, query, []any{after}, part.add); err != nil {
			return err
		}
	}
	return nil
}

// eachOf calls add for each row of a query.
func eachOf(ctx context.Context, q querier, query string, args []any, add func(scan func(...any) error) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := add(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// addGrant takes a grant in whatever order they come: of a device at a site at
// most one has not ended.
func (r *doorReading) addGrant(scan func(...any) error) error {
	g := new(Grant)
	if err := scanGrant(scan, g); err != nil {
		return err
	}
	w, err := r.way(g.MAC)
	if err != nil {
		return err
	}
	if !g.Ended.IsZero() {
		w.grants = slices.DeleteFunc(w.grants, func(old *Grant) bool { return old.PageID == g.PageID })
		if g.Why != EndReplaced && g.Why != EndExpired {
			r.closed = append(r.closed, g.MAC)
		}
		return nil
	}
	for _, text := range [...]*string{&g.Kind, &g.Site, &g.Backend, &g.Plan, &g.AccessPoint, &g.Controller} {
		*text = r.d.texts.word(*text)
	}
	w.grants = append(slices.DeleteFunc(w.grants, func(old *Grant) bool { return old.Site == g.Site }), g)
	return nil
}

func (r *doorReading) addDevice(scan func(...any) error) error {
	device, removed := new(Device), false
	if err := scanDevice(scan, device, &removed); err != nil {
		return err
	}
	w, err := r.way(device.MAC)
	if err != nil {
		return err
	}
	old := w.device
	w.device = device
	if removed {
		w.device = nil
	}
	if old != nil && (removed || old.Site != device.Site) {
		r.closed = append(r.closed, device.MAC)
	}
	return nil
}

func (r *doorReading) addBlocked(scan func(...any) error) error {
	var b BlockedDevice
	var lifted bool
	if err := scanBlocked(scan, &b, &lifted); err != nil {
		return err
	}
	w, err := r.way(b.MAC)
	if err != nil {
		return err
	}
	if !lifted && !w.blocked {
		r.closed = append(r.closed, b.MAC)
	}
	w.blocked = !lifted
	return nil
}

// publish puts what was read into the shards. A shard that is written leaves
// behind what has run out meanwhile.
func (r *doorReading) publish() {
	var fresh [shards]map[uint64]*doorway
	for i := range fresh {
		if r.whole {
			fresh[i] = map[uint64]*doorway{}
		}
	}
	for n, w := range r.ways {
		i := doorShard(n)
		if fresh[i] == nil {
			fresh[i] = maps.Clone(*r.d.shard[i].Load())
			if fresh[i] == nil {
				fresh[i] = map[uint64]*doorway{}
			}
		}
		fresh[i][n] = w
	}
	for i, shard := range fresh {
		if shard == nil {
			continue
		}
		maps.DeleteFunc(shard, func(_ uint64, w *doorway) bool { return w.empty(r.now) })
		r.d.shard[i].Store(&shard)
	}
}

// empty says whether nothing of w holds at now.
func (w *doorway) empty(now time.Time) bool {
	return !w.blocked && w.device == nil && !slices.ContainsFunc(w.grants, func(g *Grant) bool { return now.Before(g.Expires) })
}
