package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"memberradius/member"
)

// Add stores a new member under backend. A login that is taken, in whatever
// spelling, is ErrExists. The record's own Backend is not looked at.
func (s *Store) Add(ctx context.Context, backend string, r *member.Record) error {
	_, err := s.write(ctx, backend, []Edit{{Fields: AllFields, Record: *r}}, func(found bool) error {
		if found {
			return fmt.Errorf("store: add member %q: %w", r.Member.Login, ErrExists)
		}
		return nil
	})
	return err
}

// Edit changes a member of backend; one that is not there is member.ErrUnknown.
func (s *Store) Edit(ctx context.Context, backend string, e *Edit) error {
	_, err := s.write(ctx, backend, []Edit{*e}, func(found bool) error {
		if !found {
			return fmt.Errorf("store: change member %q: %w", e.Record.Member.Login, member.ErrUnknown)
		}
		return nil
	})
	return err
}

// Import adds and changes members of backend in one transaction: all of them
// or none. Two edits of one member are an error. What holds already is not
// written again.
func (s *Store) Import(ctx context.Context, backend string, edits []Edit) (Imported, error) {
	return s.write(ctx, backend, edits, nil)
}

// Remove forgets a member of backend; one that is not there is member.ErrUnknown.
func (s *Store) Remove(ctx context.Context, backend, login string) error {
	err := s.transact(ctx, func(tx *sql.Tx) error {
		w := &writer{s: s, tx: tx, backend: backend}
		if err := w.forget(ctx, []string{login}); err != nil {
			return err
		}
		if w.done.Forgotten == 0 {
			return member.ErrUnknown
		}
		return nil
	})
	return s.explain(fmt.Sprintf("remove member %q", login), err)
}

// write applies edits in one transaction. may, if any, is asked for each of
// them, knowing whether the member is there, and can stop it all.
func (s *Store) write(ctx context.Context, backend string, edits []Edit, may func(found bool) error) (Imported, error) {
	var done Imported
	if backend == "" {
		return done, errNoBackend
	}
	if err := checkAll(edits, map[string]string{}); err != nil {
		return done, err
	}
	err := s.transact(ctx, func(tx *sql.Tx) error {
		w := &writer{s: s, tx: tx, backend: backend}
		err := w.writeAll(ctx, edits, may)
		done = w.done
		return err
	})
	if err == nil {
		return done, nil
	}
	if errors.Is(err, ErrExists) || errors.Is(err, member.ErrUnknown) {
		return Imported{}, err
	}
	return Imported{}, s.explain("write members", err)
}

var errNoBackend = errors.New("store: write members: no backend is named")

// checkAll checks every edit, and that no two are of one member. seen are the
// logins that were there before, by their folded form.
func checkAll(edits []Edit, seen map[string]string) error {
	for i := range edits {
		if err := edits[i].check(); err != nil {
			return fmt.Errorf("store: %w", err)
		}
		login := edits[i].Record.Member.Login
		folded := member.FoldString(login)
		if other, twice := seen[folded]; twice {
			return fmt.Errorf("store: logins %q and %q are one member: remove one of them", other, login)
		}
		seen[folded] = login
	}
	return nil
}

// A writer writes members within one transaction.
type writer struct {
	s       *Store
	tx      *sql.Tx
	backend string
	// counter is the number of this write, doors that of what it does to the
	// doors; 0: nothing was written yet.
	counter, doors int64
	done           Imported

	add, change, credential, back *sql.Stmt
}

// writeAll applies edits. may is write's.
func (w *writer) writeAll(ctx context.Context, edits []Edit, may func(found bool) error) error {
	if len(edits) == 0 {
		return nil
	}
	if err := w.prepare(ctx); err != nil {
		return err
	}
	for part := range slices.Chunk(edits, chunk) {
		have, err := w.lookup(ctx, part)
		if err != nil {
			return err
		}
		for i := range part {
			r := have[member.FoldString(part[i].Record.Member.Login)]
			if may != nil {
				if err := may(r != nil); err != nil {
					return err
				}
			}
			if err := w.write(ctx, r, &part[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// prepare makes the statements. That a member is back from among the removed
// is left out where nobody was removed.
func (w *writer) prepare(ctx context.Context) error {
	for _, p := range [...]struct {
		to  **sql.Stmt
		sql string
	}{
		{&w.add, `INSERT INTO member (login, name, plans, team, vlan, valid_from, valid_until, devices, disabled,
			ref, membership, email, office_vlan, team_vlan, terms, checked_out, lapsed_at,
			changed, updated_at, created_at, id, backend, folded)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&w.change, `UPDATE member SET login = ?, name = ?, plans = ?, team = ?, vlan = ?, valid_from = ?, valid_until = ?,
			devices = ?, disabled = ?, ref = ?, membership = ?, email = ?, office_vlan = ?, team_vlan = ?, terms = ?,
			checked_out = ?, lapsed_at = ?, changed = ?, updated_at = ? WHERE id = ?`},
		{&w.credential, `INSERT INTO credential (member_id, backend, password, nt_hash, argon2id, updated_at) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (member_id) DO UPDATE SET password = excluded.password, nt_hash = excluded.nt_hash,
			argon2id = excluded.argon2id, updated_at = excluded.updated_at`},
		{&w.back, `DELETE FROM member_removed WHERE backend = ? AND folded = ?`},
	} {
		var err error
		if *p.to, err = w.tx.PrepareContext(ctx, p.sql); err != nil { //nolint:sqlclosecheck // a transaction closes its statements when it ends
			return err
		}
	}
	return nil
}

// lookup returns the members of these edits that are there, by folded login.
func (w *writer) lookup(ctx context.Context, edits []Edit) (map[string]*row, error) {
	folded := make([]string, len(edits))
	for i := range edits {
		folded[i] = member.FoldString(edits[i].Record.Member.Login)
	}
	have := make(map[string]*row)
	what := among(someEntries, w.backend, folded)
	what.shape = shapeEntry
	err := eachRow(ctx, w.tx, what, func(r *row) error {
		kept := *r
		kept.password, kept.ntHash, kept.argon2id = clone(r.password), clone(r.ntHash), clone(r.argon2id)
		have[r.folded] = &kept
		return nil
	})
	return have, err
}

func clone(b sql.RawBytes) sql.RawBytes {
	if b == nil {
		return nil
	}
	return append(sql.RawBytes{}, b...)
}

// number returns the number of this write. Writers queue at the row, so that
// numbers become visible in their order.
func (w *writer) number(ctx context.Context) (int64, error) {
	if w.counter > 0 {
		return w.counter, nil
	}
	err := w.tx.QueryRowContext(ctx, `INSERT INTO change (backend, counter) VALUES (?, 1)
		ON CONFLICT (backend) DO UPDATE SET counter = change.counter + 1 RETURNING counter`, w.backend).Scan(&w.counter)
	return w.counter, err
}

// write applies e to r, or to a new row where r is nil.
func (w *writer) write(ctx context.Context, r *row, e *Edit) error {
	found := r != nil
	if !found {
		id, err := newUUID(w.s.now(), w.s.random)
		if err != nil {
			return err
		}
		login := e.Record.Member.Login
		r = &row{id: id.String(), backend: w.backend, folded: member.FoldString(login), facts: facts{login: login}}
	}
	changed := r.apply(e)
	set := e.Fields&FieldCredential != 0 && !(found && r.sameCredential(w.s.credentials, &e.Record.Credential))
	if found && !changed && !set {
		w.done.Unchanged++
		return nil
	}
	if err := r.check(); err != nil {
		return err
	}
	now := w.s.now().Unix()
	if err := w.writeRow(ctx, found, r, now); err != nil {
		return err
	}
	if !set {
		return nil
	}
	if err := r.seal(w.s.credentials, &e.Record.Credential); err != nil {
		return err
	}
	_, err := w.credential.ExecContext(ctx, r.id, w.backend, orNull(r.password), orNull(r.ntHash), orNull(r.argon2id), now)
	return err
}

func (w *writer) writeRow(ctx context.Context, found bool, r *row, now int64) error {
	number, err := w.number(ctx)
	if err != nil {
		return err
	}
	args := append(r.columns(), number, now)
	if found {
		w.done.Updated++
		_, err := w.change.ExecContext(ctx, append(args, r.id)...)
		return err
	}
	w.done.Added++
	if _, err := w.add.ExecContext(ctx, append(args, now, r.id, w.backend, r.folded)...); err != nil {
		return err
	}
	_, err = w.back.ExecContext(ctx, w.backend, r.folded)
	return err
}

// forget removes the members with these logins, what was to be told to them,
// their devices and their grants: another may get the login. Who is not there is none the less forgotten.
func (w *writer) forget(ctx context.Context, logins []string) error {
	for _, login := range logins {
		folded := member.FoldString(login)
		res, err := w.tx.ExecContext(ctx, `DELETE FROM member WHERE backend = ? AND folded = ?`, w.backend, folded)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			continue
		}
		w.done.Forgotten++
		number, err := w.number(ctx)
		if err != nil {
			return err
		}
		if _, err := w.tx.ExecContext(ctx, `INSERT INTO member_removed (backend, folded, changed) VALUES (?, ?, ?)`, w.backend, folded, number); err != nil {
			return err
		}
		for _, query := range [...]string{
			`DELETE FROM page_link WHERE backend = ? AND folded = ?`,
			`DELETE FROM outbox WHERE backend = ? AND folded = ? AND ended_at IS NULL`,
			`DELETE FROM first_use WHERE backend = ? AND folded = ?`,
		} {
			if _, err := w.tx.ExecContext(ctx, query, w.backend, folded); err != nil {
				return err
			}
		}
		if err := w.shut(ctx, folded); err != nil {
			return err
		}
	}
	return nil
}

// orNull keeps a value that is not there from becoming one of no octets.
func orNull(b sql.RawBytes) any {
	if b == nil {
		return nil
	}
	return []byte(b)
}

func smallint(b bool) int {
	if b {
		return 1
	}
	return 0
}
