package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// A BlockedDevice gets in by no grant and no registration, at no site. Who has a
// login of her own is not kept out by it: an address can be taken on by anybody.
type BlockedDevice struct {
	// MAC is "aa:bb:cc:dd:ee:ff".
	MAC string
	// Why is what the operator says of it.
	Why string
	// Created is when it was blocked, in whole milliseconds.
	Created time.Time
}

// The columns of a blocked device.
const blockedColumns = `SELECT mac, why, created_at, lifted FROM blocked_device`

func scanBlocked(scan func(...any) error, b *BlockedDevice, lifted *bool) error {
	var created sql.NullInt64
	err := scan(&b.MAC, &b.Why, &created, lifted)
	b.Created = moment(created)
	return err
}

// refuseBlocked is ErrBlocked where the device is blocked.
func refuseBlocked(ctx context.Context, q querier, mac string) error {
	var found int
	err := q.QueryRowContext(ctx, `SELECT 1 FROM blocked_device WHERE mac = ? AND lifted = 0`, mac).Scan(&found)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return ErrBlocked
}

// Block keeps a device out and ends its grants, at every site. One that is
// blocked already gets the new reason, and stays as old as it is. When there is
// no error, the next Lookup says so.
func (s *Store) Block(ctx context.Context, mac, why string) (*BlockedDevice, error) {
	if err := errors.Join(checkMAC(mac), checkText(why)); err != nil {
		return nil, fmt.Errorf("store: block device %s: %w", mac, err)
	}
	b := &BlockedDevice{MAC: mac, Why: why}
	err := s.changeDoors(ctx, func(tx *sql.Tx, number int64) error {
		now := s.now()
		e := ending{now: now, number: number, why: EndBlocked}
		if _, err := e.end(ctx, tx, endEverywhere, mac); err != nil {
			return err
		}
		var created sql.NullInt64
		err := tx.QueryRowContext(ctx, `INSERT INTO blocked_device (mac, why, created_at, lifted, changed) VALUES (?, ?, ?, 0, ?)
			ON CONFLICT (mac) DO UPDATE SET why = excluded.why, lifted = 0, changed = excluded.changed,
			created_at = CASE WHEN blocked_device.lifted = 0 THEN blocked_device.created_at ELSE excluded.created_at END
			RETURNING created_at`, mac, why, now.UnixMilli(), number).Scan(&created)
		b.Created = moment(created)
		return err
	})
	if err != nil {
		return nil, s.explain(fmt.Sprintf("block device %s", mac), err)
	}
	return b, nil
}

// Unblock lets a device be registered and let in again; a registration that it
// had holds again, a grant does not. One that is not blocked is ErrNotBlocked.
func (s *Store) Unblock(ctx context.Context, mac string) error {
	err := s.changeDoors(ctx, func(tx *sql.Tx, number int64) error {
		return touched(ErrNotBlocked)(tx.ExecContext(ctx,
			`UPDATE blocked_device SET why = '', lifted = 1, changed = ? WHERE mac = ? AND lifted = 0`, number, mac))
	})
	return s.explain(fmt.Sprintf("unblock device %s", mac), err)
}

// Blocked returns blocked devices by their MAC: those after a MAC ("": the first
// page), and not more than most; 0 is MaxListed.
func (s *Store) Blocked(ctx context.Context, after string, most int) ([]BlockedDevice, error) {
	var l listing
	l.where("lifted = 0 AND mac > ?", after)
	query, args := l.query(blockedColumns, "mac", most)
	var all []BlockedDevice
	err := eachOf(ctx, s.db, query, args, func(scan func(...any) error) error {
		var b BlockedDevice
		var lifted bool
		err := scanBlocked(scan, &b, &lifted)
		all = append(all, b)
		return err
	})
	return all, s.explain("list the blocked devices", err)
}
