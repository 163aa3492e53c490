package store_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"memberradius/store"
)

// benchDoors opens a store with so many live grants.
func benchDoors(b *testing.B, n int) (*store.Store, *store.Doors) {
	b.Helper()
	s := openBench(b, b.TempDir())
	db, err := store.OpenSQLite(filepath.Clean(s.Path()), false)
	if err != nil {
		b.Fatal(err)
	}
	now := time.Now()
	_, err = db.ExecContext(b.Context(), `INSERT INTO access_grant (page_id, kind, mac, backend, site, uid, folded_uid, login, folded, plan,
			access_point, address, original_url, controller, session_timeout, idle_timeout, voucher, created_at, expires_at, changed)
		WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ? - 1)
		SELECT (1 << 52) + i, 'portal', printf('02:00:00:%02x:%02x:%02x', i / 65536, i / 256 % 256, i % 256), '', 'berlin', 'guest' || i, 'guest' || i, '', '', 'guest',
			'', '', '', '', 0, 0, '', ?, ?, 1 FROM n`, n, now.UnixMilli(), now.Add(time.Hour).UnixMilli())
	if err != nil {
		b.Fatal(err)
	}
	if _, err := db.ExecContext(b.Context(), `INSERT INTO change (backend, counter) VALUES ('', 1)`); err != nil {
		b.Fatal(err)
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	d, err := s.Doors(b.Context())
	if err != nil || d.Len() != n {
		b.Fatal(d.Len(), err)
	}
	return s, d
}

// BenchmarkDoorsLookup looks devices up, every other of which is in.
func BenchmarkDoorsLookup(b *testing.B) {
	for _, n := range []int{100, 50_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			_, d := benchDoors(b, n)
			now := time.Now()
			macs := make([]string, 1024)
			for i := range macs {
				k := i * n / len(macs)
				macs[i] = fmt.Sprintf("%02x:00:00:%02x:%02x:%02x", 2+i%2*4, k/65536, k/256%256, k%256)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				d.Lookup("berlin", macs[i%len(macs)], now)
			}
		})
	}
}

// BenchmarkGrant lets devices in, one after the other, on the disk each.
func BenchmarkGrant(b *testing.B) {
	for _, n := range []int{100, 50_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, _ := benchDoors(b, n)
			for i := 0; b.Loop(); i++ {
				g := guest(fmt.Sprintf("02:00:01:%02x:%02x:%02x", i/65536%256, i/256%256, i%256), time.Now())
				if err := s.Grant(b.Context(), g); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
