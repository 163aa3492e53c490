package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"memberradius/member"
)

// Why a voucher is not taken.
var (
	// ErrNoVoucher says that there is no such voucher.
	ErrNoVoucher = errors.New("no such voucher")
	// ErrVoucherRevoked says that it was taken back.
	ErrVoucherRevoked = errors.New("the voucher was revoked")
	// ErrVoucherExpired says that its time is over.
	ErrVoucherExpired = errors.New("the voucher has run out")
	// ErrVoucherUsedUp says that as many other devices have used it as may.
	ErrVoucherUsedUp = errors.New("the voucher is used up")
	// ErrVoucherElsewhere says that it is good at another site.
	ErrVoucherElsewhere = errors.New("the voucher is for another site")
)

const (
	// MaxVouchers is how many vouchers can be made at once.
	MaxVouchers = 10_000
	// voucherKept is for how long a voucher that has ended stays in the list.
	voucherKept = 90 * 24 * time.Hour
)

// A Voucher gives whoever has its code a plan for a time. Times have whole
// milliseconds, Valid too.
type Voucher struct {
	ID string
	// Name is that of the batch: "conference", "desk".
	Name string
	// Plan is what it gives, Site where; "" is every site.
	Plan, Site string
	// Valid is how long it lasts from its first use; 0: until Expires.
	Valid time.Duration
	// Devices is how many may use it.
	Devices int
	// Created is when it was made. Expires is until when it can be used for the
	// first time, and where Valid is 0 at all; zero: for ever.
	Created, Expires time.Time
	// FirstUsed is when the first device used it, Revoked when it was taken back;
	// zero: not.
	FirstUsed, Revoked time.Time
	// Ends is when it is good for nothing any more, as things stand: at Expires
	// before it is used, Valid after FirstUsed from then on, or when it was
	// Revoked; zero: nothing ends it yet.
	Ends time.Time
	// Uses is how many devices have used it.
	Uses int
}

// The columns of a voucher.
const (
	voucherColumns = `SELECT id, name, plan, site, valid_for, devices, created_at, expires_at, first_used_at, revoked_at, ends_at, uses FROM voucher`
	voucherByID    = voucherColumns + ` WHERE id = ?`
	voucherByCode  = voucherColumns + ` WHERE digest = ?`
)

func scanVoucher(scan func(...any) error, v *Voucher) error {
	var valid int64
	var created, expires, first, revoked, ends sql.NullInt64
	err := scan(&v.ID, &v.Name, &v.Plan, &v.Site, &valid, &v.Devices, &created, &expires, &first, &revoked, &ends, &v.Uses)
	v.Valid = time.Duration(valid) * time.Millisecond
	v.Created, v.Expires, v.FirstUsed, v.Revoked, v.Ends = moment(created), moment(expires), moment(first), moment(revoked), moment(ends)
	return err
}

// findVoucher returns the voucher that voucherByID or voucherByCode finds.
func findVoucher(ctx context.Context, q querier, query string, by any) (*Voucher, error) {
	v := new(Voucher)
	err := scanVoucher(q.QueryRowContext(ctx, query, by).Scan, v)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoVoucher
	}
	return v, err
}

// usable says why v is good for nothing at now at a site.
func (v *Voucher) usable(now time.Time, site string) error {
	switch {
	case !v.Revoked.IsZero():
		return ErrVoucherRevoked
	case !v.Ends.IsZero() && !now.Before(v.Ends):
		return ErrVoucherExpired
	case v.Site != "" && v.Site != site:
		return ErrVoucherElsewhere
	}
	return nil
}

// CreateVouchers makes n vouchers as v says, all or none: its Name, Plan, Site,
// Valid, Devices and Expires are looked at. It returns their codes in the same
// order; they are kept nowhere, the store has a digest of each.
func (s *Store) CreateVouchers(ctx context.Context, n int, v *Voucher) ([]member.Secret, []Voucher, error) {
	doing := fmt.Sprintf("make %d vouchers %q", n, v.Name)
	if err := s.checkVouchers(n, v); err != nil {
		return nil, nil, fmt.Errorf("store: %s: %w", doing, err)
	}
	codes, made := make([]member.Secret, n), make([]Voucher, n)
	now := moment(millis(s.now()))
	for i := range made {
		id, err := newUUID(now, s.random)
		if err == nil {
			codes[i], err = s.newCode()
		}
		if err != nil {
			return nil, nil, fmt.Errorf("store: %s: %w", doing, err)
		}
		expires := moment(millis(v.Expires))
		made[i] = Voucher{
			ID: id.String(), Name: v.Name, Plan: v.Plan, Site: v.Site, Valid: v.Valid.Truncate(time.Millisecond),
			Devices: v.Devices, Created: now, Expires: expires, Ends: expires,
		}
	}
	err := s.transact(ctx, func(tx *sql.Tx) error { return s.addVouchers(ctx, tx, codes, made) })
	if err != nil {
		return nil, nil, s.explain(doing, err)
	}
	return codes, made, nil
}

func (s *Store) addVouchers(ctx context.Context, tx *sql.Tx, codes []member.Secret, made []Voucher) error {
	put, err := tx.PrepareContext(ctx, `INSERT INTO voucher (id, site, name, plan, valid_for, devices, digest, created_at, expires_at, ends_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer func() { _ = put.Close() }()
	for i := range made {
		v := &made[i]
		bare, _ := bareCode(codes[i])
		_, err := put.ExecContext(ctx, v.ID, v.Site, v.Name, v.Plan, v.Valid.Milliseconds(), v.Devices, s.codeDigest(&bare),
			v.Created.UnixMilli(), millis(v.Expires), millis(v.Ends))
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) checkVouchers(n int, v *Voucher) error {
	if n < 1 || n > MaxVouchers {
		return fmt.Errorf("%d at once: a number from 1 to %d is needed", n, MaxVouchers)
	}
	for _, f := range [...]struct{ name, value string }{{"name", v.Name}, {"plan", v.Plan}, {"site", v.Site}} {
		if err := checkText(f.value); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	switch _, isID := parseUUID(v.Name); {
	case isID || v.Name == "":
		return errors.New("a name is needed that is no id: it says what the vouchers are for")
	case v.Plan == "":
		return errors.New("no plan is named: what do they give?")
	case v.Valid < 0 || v.Valid > 0 && v.Valid < time.Second:
		return fmt.Errorf("they would last for %s: a second at least is needed, or 0 for no bound", v.Valid)
	case v.Devices < 1 || v.Devices > MaxDevices:
		return fmt.Errorf("%d devices: a number from 1 to %d is needed", v.Devices, MaxDevices)
	case v.Valid == 0 && v.Expires.IsZero():
		return errors.New("nothing would ever end them: say how long they last, or when they run out")
	case !v.Expires.IsZero() && !v.Expires.After(s.now()):
		return fmt.Errorf("they would have run out at %s already", v.Expires.UTC().Format(time.RFC3339))
	}
	return checkTime(v.Expires)
}
