package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"memberradius/member"
)

// FindVoucher returns the voucher with this code, whether it is good or not.
// ErrNoVoucher: there is none.
func (s *Store) FindVoucher(ctx context.Context, code member.Secret) (*Voucher, error) {
	bare, ok := bareCode(code)
	if !ok {
		return nil, ErrNoVoucher
	}
	v, err := findVoucher(ctx, s.db, voucherByCode, s.codeDigest(&bare))
	if err != nil {
		return nil, s.explain("look for a voucher", err)
	}
	return v, nil
}

// TakeVoucher uses a voucher for a device at a site. The first use begins its
// time; a device that has used it before uses it again for nothing. However
// many take it at once, no more devices do than may. It says ErrNoVoucher,
// ErrVoucherRevoked, ErrVoucherExpired, ErrVoucherElsewhere, ErrVoucherUsedUp or
// ErrBlocked; any other error means that it could not be said. It lets nobody in
// yet: Grant does.
func (s *Store) TakeVoucher(ctx context.Context, code member.Secret, mac, site string) (*Voucher, error) {
	const doing = "take a voucher"
	if err := checkMAC(mac); err != nil {
		return nil, fmt.Errorf("store: %s: %w", doing, err)
	}
	// Who guesses codes must not make those wait who write.
	v, err := s.FindVoucher(ctx, code)
	if err == nil {
		err = v.usable(s.now(), site)
	}
	if err == nil {
		err = s.transact(ctx, func(tx *sql.Tx) error {
			v, err = s.takeVoucher(ctx, tx, v.ID, &Grant{MAC: mac, Site: site})
			return err
		})
	}
	if err != nil {
		return nil, s.explain(doing, err)
	}
	return v, nil
}

// takeVoucher is TakeVoucher in its transaction, for the device and site of g.
func (s *Store) takeVoucher(ctx context.Context, tx *sql.Tx, id string, g *Grant) (*Voucher, error) {
	now := moment(millis(s.now()))
	v, err := findVoucher(ctx, tx, voucherByID, id)
	if err != nil {
		return nil, err
	}
	if err := v.usable(now, g.Site); err != nil {
		return nil, err
	}
	if err := refuseBlocked(ctx, tx, g.MAC); err != nil {
		return nil, err
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO voucher_device (voucher_id, site, mac, used_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (voucher_id, mac) DO NOTHING`, id, g.Site, g.MAC, now.UnixMilli())
	if err != nil {
		return nil, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return v, err
	}
	if v.Uses >= v.Devices {
		return nil, ErrVoucherUsedUp
	}
	if v.Uses++; v.FirstUsed.IsZero() {
		v.FirstUsed = now
		if v.Valid > 0 {
			v.Ends = now.Add(v.Valid)
		}
	}
	_, err = tx.ExecContext(ctx, `UPDATE voucher SET uses = ?, first_used_at = ?, ends_at = ? WHERE id = ?`,
		v.Uses, millis(v.FirstUsed), millis(v.Ends), id)
	return v, err
}

// A VoucherFilter says which vouchers to list. Empty fields ask for nothing.
type VoucherFilter struct {
	// Name is that of a batch.
	Name, Plan, Site string
	// Live leaves out those that have ended.
	Live bool
	// Before is the ID of the last voucher of the page before; "": the first page.
	Before string
	// Most is how many to return at most; 0 is MaxListed.
	Most int
}

// Vouchers returns vouchers, the newest first. Those of every site are among
// those of each. One that has ended is among them for 90 days.
func (s *Store) Vouchers(ctx context.Context, f *VoucherFilter) ([]Voucher, error) {
	var l listing
	l.equal("name", f.Name)
	l.equal("plan", f.Plan)
	if f.Site != "" {
		l.where("site IN ('', ?)", f.Site)
	}
	if f.Live {
		l.where("(ends_at IS NULL OR ends_at > ?)", s.now().UnixMilli())
	}
	if f.Before != "" {
		l.where("id < ?", f.Before)
	}
	query, args := l.query(voucherColumns, "id DESC", f.Most)
	var all []Voucher
	err := eachOf(ctx, s.db, query, args, func(scan func(...any) error) error {
		var v Voucher
		err := scanVoucher(scan, &v)
		all = append(all, v)
		return err
	})
	return all, s.explain("list vouchers", err)
}

// RevokeVoucher takes a voucher back by its ID, or a whole batch by its name,
// ends the grants that they gave, and returns how many vouchers they were. Where
// there is none, or all were revoked before, it is ErrNoVoucher. When it returns
// nil, no Lookup finds their grants.
func (s *Store) RevokeVoucher(ctx context.Context, idOrName string) (revoked int, err error) {
	err = s.changeDoors(ctx, func(tx *sql.Tx, number int64) error {
		now := s.now()
		revoked, err = revokeVouchers(ctx, tx, idOrName, now)
		if err != nil {
			return err
		}
		e := ending{now: now, number: number, why: EndRevoked}
		_, err = e.end(ctx, tx, endOfVoucher, idOrName, idOrName)
		return err
	})
	if err != nil {
		return 0, s.explain(fmt.Sprintf("revoke voucher %q", idOrName), err)
	}
	return revoked, nil
}

func revokeVouchers(ctx context.Context, tx *sql.Tx, idOrName string, now time.Time) (int, error) {
	res, err := tx.ExecContext(ctx, `UPDATE voucher SET revoked_at = ?, ends_at = CASE WHEN ends_at < ? THEN ends_at ELSE ? END
		WHERE (id = ? OR name = ?) AND revoked_at IS NULL`, now.UnixMilli(), now.UnixMilli(), now.UnixMilli(), idOrName, idOrName)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		err = ErrNoVoucher
	}
	return int(n), err
}
