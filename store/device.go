package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"memberradius/member"
)

var (
	// ErrTaken says that a device is registered to another member; see TakenError.
	ErrTaken = errors.New("the device is registered to another member")
	// ErrNoDevice says that a device is not registered.
	ErrNoDevice = errors.New("no such device is registered")
	// ErrBlocked says that a device is blocked.
	ErrBlocked = errors.New("the device is blocked")
	// ErrNotBlocked says that a device is not blocked.
	ErrNotBlocked = errors.New("no such device is blocked")
)

// A TakenError is the ErrTaken that says whose the device is.
type TakenError struct{ MAC, Backend, Login string }

// Error implements error.
func (e *TakenError) Error() string {
	return fmt.Sprintf("device %s is registered to member %q of backend %q: remove it there first", e.MAC, e.Login, e.Backend)
}

// Unwrap implements errors.Is for ErrTaken.
func (e *TakenError) Unwrap() error { return ErrTaken }

// A Device is a printer, a TV or another thing without a person at it that is
// registered to a member.
type Device struct {
	// MAC is "aa:bb:cc:dd:ee:ff".
	MAC string
	// Backend and Login are the member it belongs to, Name what she calls it.
	Backend, Login, Name string
	// Site is where it is let in; "" is every site.
	Site string
	// Created is when it was registered, in whole milliseconds.
	Created time.Time
}

// The columns of a device.
const (
	deviceColumns = `SELECT mac, backend, login, name, site, created_at, removed FROM device`
	deviceByMAC   = deviceColumns + ` WHERE mac = ? AND removed = 0`
)

func scanDevice(scan func(...any) error, d *Device, removed *bool) error {
	var created sql.NullInt64
	err := scan(&d.MAC, &d.Backend, &d.Login, &d.Name, &d.Site, &created, removed)
	d.Created = moment(created)
	return err
}

// AddDevice registers a device. Created is filled in. One that is the same
// member's already gets the new name and site; one that is another's is
// ErrTaken, one that is blocked ErrBlocked. When it returns nil, the next
// Lookup finds it. That there is such a member is not looked at: not every
// backend's members are in the store.
func (s *Store) AddDevice(ctx context.Context, d *Device) error {
	if err := checkDevice(d); err != nil {
		return fmt.Errorf("store: register device %s: %w", d.MAC, err)
	}
	added := *d
	err := s.changeDoors(ctx, func(tx *sql.Tx, number int64) error {
		if err := refuseBlocked(ctx, tx, d.MAC); err != nil {
			return err
		}
		added.Created = moment(millis(s.now()))
		var old Device
		var removed bool
		switch err := scanDevice(tx.QueryRowContext(ctx, deviceByMAC, d.MAC).Scan, &old, &removed); {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return err
		case old.Backend != d.Backend || member.FoldString(old.Login) != member.FoldString(d.Login):
			return &TakenError{MAC: d.MAC, Backend: old.Backend, Login: old.Login}
		default:
			added.Created = old.Created
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO device (mac, backend, site, login, folded, name, created_at, removed, changed)
			VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?) ON CONFLICT (mac) DO UPDATE SET backend = excluded.backend, site = excluded.site,
			login = excluded.login, folded = excluded.folded, name = excluded.name, created_at = excluded.created_at,
			removed = 0, changed = excluded.changed`,
			d.MAC, d.Backend, d.Site, d.Login, member.FoldString(d.Login), d.Name, added.Created.UnixMilli(), number)
		return err
	})
	if err != nil {
		return s.explain(fmt.Sprintf("register device %s", d.MAC), err)
	}
	*d = added
	return nil
}

func checkDevice(d *Device) error {
	if err := checkMAC(d.MAC); err != nil {
		return err
	}
	if d.Backend == "" {
		return errors.New("no backend is named: whose member is she?")
	}
	if err := checkLogin(d.Login); err != nil {
		return fmt.Errorf("login: %w", err)
	}
	for _, f := range [...]struct{ name, value string }{{"backend", d.Backend}, {"name", d.Name}, {"site", d.Site}} {
		if err := checkText(f.value); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

// What is left of a device says nothing of whose it was.
const forgetDevices = `UPDATE device SET backend = '', site = '', login = '', folded = '', name = '', removed = 1, changed = ? WHERE removed = 0 AND `

// RemoveDevice ends the registration of a device. One that is not registered is
// ErrNoDevice. When it returns nil, the next Lookup does not find it.
func (s *Store) RemoveDevice(ctx context.Context, mac string) error {
	err := s.changeDoors(ctx, func(tx *sql.Tx, number int64) error {
		return touched(ErrNoDevice)(tx.ExecContext(ctx, forgetDevices+`mac = ?`, number, mac))
	})
	return s.explain(fmt.Sprintf("remove device %s", mac), err)
}

// touched returns missing where a statement found no row to change.
func touched(missing error) func(sql.Result, error) error {
	return func(res sql.Result, err error) error {
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return missing
	}
}

// A DeviceFilter says which devices to list. Empty fields ask for nothing.
type DeviceFilter struct {
	MAC string
	// Backend and Login are the member's.
	Backend, Login string
	Site           string
	// After is the MAC of the last device of the page before; "": the first page.
	After string
	// Most is how many to return at most; 0 is MaxListed.
	Most int
}

// Devices returns registered devices by their MAC. Those of every site are among
// those of each.
func (s *Store) Devices(ctx context.Context, f *DeviceFilter) ([]Device, error) {
	var l listing
	l.where("removed = 0")
	l.equal("backend", f.Backend)
	l.equal("folded", member.FoldString(f.Login))
	l.equal("mac", f.MAC)
	if f.Site != "" {
		l.where("site IN ('', ?)", f.Site)
	}
	if f.After != "" {
		l.where("mac > ?", f.After)
	}
	query, args := l.query(deviceColumns, "mac", f.Most)
	var all []Device
	err := eachOf(ctx, s.db, query, args, func(scan func(...any) error) error {
		var d Device
		var removed bool
		err := scanDevice(scan, &d, &removed)
		all = append(all, d)
		return err
	})
	return all, s.explain("list the devices", err)
}

// shut ends the grants and registrations of a member who is forgotten. Running
// servers learn of it by their next Refresh.
func (w *writer) shut(ctx context.Context, folded string) error {
	var some bool
	err := w.tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM device WHERE backend = ? AND folded = ? AND removed = 0)
		OR EXISTS (SELECT 1 FROM access_grant WHERE backend = ? AND folded = ? AND ended_at IS NULL)`,
		w.backend, folded, w.backend, folded).Scan(&some)
	if err != nil || !some {
		return err
	}
	if w.doors == 0 {
		if w.doors, err = nextDoor(ctx, w.tx); err != nil {
			return err
		}
	}
	e := ending{now: w.s.now(), number: w.doors, why: EndForgotten}
	if _, err := e.end(ctx, w.tx, endOfMember, w.backend, folded); err != nil {
		return err
	}
	_, err = w.tx.ExecContext(ctx, forgetDevices+`backend = ? AND folded = ?`, w.doors, w.backend, folded)
	return err
}
