package store

import (
	"context"
	"database/sql"
	"time"
)

// Sweep forgets what has run out: links and visits, ids of pushes after 24
// hours, how new pushes were after 60 days; events and grants 30 days, tokens and
// vouchers 90 days after they ended; attempts at portals after 30 days, or when
// 100,000 newer ones are there. What has run out is good for nothing without it,
// but takes room: call it every hour or so.
func (s *Store) Sweep(ctx context.Context) error {
	now := s.now()
	return s.explain("forget what has run out", s.transact(ctx, func(tx *sql.Tx) error {
		for _, old := range [...]struct {
			query  string
			before time.Time
		}{
			{`DELETE FROM page_link WHERE expires_at <= ?`, now},
			{`DELETE FROM push_seen WHERE seen_at <= ?`, now.Add(-deliveryKept)},
			{`DELETE FROM outbox WHERE ended_at <= ?`, now.Add(-eventKept)},
			{`DELETE FROM as_of WHERE as_of <= ?`, now.Add(-asOfKept)},
			{`DELETE FROM api_token WHERE expires_at <= ?`, now.Add(-tokenKept)},
			{`DELETE FROM api_token WHERE revoked_at <= ?`, now.Add(-tokenKept)},
			{`UPDATE access_grant SET ended_at = expires_at, why = 'expired' WHERE ended_at IS NULL AND expires_at <= ?`, now},
			{`DELETE FROM access_grant WHERE ended_at <= ?`, now.Add(-grantKept)},
			{`DELETE FROM voucher WHERE ends_at <= ?`, now.Add(-voucherKept)},
			{`DELETE FROM portal_log WHERE at <= ?`, now.Add(-portalLogKept)},
		} {
			if _, err := tx.ExecContext(ctx, old.query, old.before.UnixMilli()); err != nil {
				return err
			}
		}
		return s.trimPortalLog(ctx, tx)
	}))
}
