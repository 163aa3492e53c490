package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"memberradius/member"
)

// Add stores a new member under backend. A login that is taken, in whatever
// spelling, is ErrExists. The record's own Backend is not looked at.
func (s *Store) Add(ctx context.Context, backend string, r *member.Record) error {
	_, err := s.write(ctx, backend, []Edit{{AllFields, *r}}, func(found bool) error {
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
	return s.write(ctx, backend, edits, func(bool) error { return nil })
}

// Remove forgets a member of backend; one that is not there is member.ErrUnknown.
func (s *Store) Remove(ctx context.Context, backend, login string) error {
	err := s.transact(ctx, func(tx *sql.Tx) error {
		folded := member.FoldString(login)
		res, err := tx.ExecContext(ctx, `DELETE FROM member WHERE backend = ? AND folded = ?`, backend, folded)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, member.ErrUnknown)
		}
		counter, err := count(ctx, tx, backend)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO member_removed (backend, folded, changed) VALUES (?, ?, ?)`, backend, folded, counter)
		return err
	})
	return s.explain(fmt.Sprintf("remove member %q", login), err)
}

// transact runs f in a transaction that writes.
func (s *Store) transact(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// count returns the number of this write. Writers queue at the row, so that
// numbers become visible in their order.
func count(ctx context.Context, tx *sql.Tx, backend string) (n int64, err error) {
	err = tx.QueryRowContext(ctx, `INSERT INTO change (backend, counter) VALUES (?, 1)
		ON CONFLICT (backend) DO UPDATE SET counter = change.counter + 1 RETURNING counter`, backend).Scan(&n)
	return n, err
}

// write applies edits in one transaction. may is asked for each of them,
// knowing whether the member is there, and can stop it all.
func (s *Store) write(ctx context.Context, backend string, edits []Edit, may func(found bool) error) (Imported, error) {
	var done Imported
	if backend == "" {
		return done, errors.New("store: write members: no backend is named")
	}
	if err := checkAll(edits); err != nil {
		return done, err
	}
	err := s.transact(ctx, func(tx *sql.Tx) error {
		w := &writer{s: s, tx: tx, backend: backend}
		if err := w.prepare(ctx, edits); err != nil {
			return err
		}
		for i := range edits {
			r := w.have[member.FoldString(edits[i].Record.Member.Login)]
			if err := may(r != nil); err != nil {
				return err
			}
			if err := w.write(ctx, r, &edits[i]); err != nil {
				return err
			}
		}
		done = w.done
		return nil
	})
	if err != nil {
		if errors.Is(err, ErrExists) || errors.Is(err, member.ErrUnknown) {
			return Imported{}, err
		}
		return Imported{}, s.explain("write members", err)
	}
	return done, nil
}

// checkAll checks every edit, and that no two are of one member.
func checkAll(edits []Edit) error {
	seen := make(map[string]string, len(edits))
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
	counter int64
	have    map[string]*row // by folded login
	done    Imported

	add, change, credential, back *sql.Stmt
}

// few is up to how many members are looked up one by one. For more it is
// quicker to read all that there are.
const few = 16

func (w *writer) prepare(ctx context.Context, edits []Edit) (err error) {
	w.have = make(map[string]*row)
	keep := func(r *row) error {
		kept := *r
		kept.password, kept.ntHash, kept.argon2id = clone(r.password), clone(r.ntHash), clone(r.argon2id)
		w.have[r.folded] = &kept
		return nil
	}
	if len(edits) > few {
		err = eachRow(ctx, w.tx, selection{query: allRows, backend: w.backend}, keep)
	}
	for i := 0; err == nil && len(edits) <= few && i < len(edits); i++ {
		one := selection{query: oneRow, backend: w.backend, args: []any{member.FoldString(edits[i].Record.Member.Login)}}
		err = eachRow(ctx, w.tx, one, keep)
	}
	if err != nil {
		return err
	}
	if w.counter, err = count(ctx, w.tx, w.backend); err != nil {
		return err
	}
	for _, p := range [...]struct {
		to  **sql.Stmt
		sql string
	}{
		{&w.add, `INSERT INTO member (login, name, plans, team, vlan, valid_from, valid_until, devices, disabled,
			changed, updated_at, created_at, id, backend, folded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&w.change, `UPDATE member SET login = ?, name = ?, plans = ?, team = ?, vlan = ?, valid_from = ?, valid_until = ?,
			devices = ?, disabled = ?, changed = ?, updated_at = ? WHERE id = ?`},
		{&w.credential, `INSERT INTO credential (member_id, backend, password, nt_hash, argon2id, updated_at) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (member_id) DO UPDATE SET password = excluded.password, nt_hash = excluded.nt_hash,
			argon2id = excluded.argon2id, updated_at = excluded.updated_at`},
		{&w.back, `DELETE FROM member_removed WHERE backend = ? AND folded = ?`},
	} {
		if *p.to, err = w.tx.PrepareContext(ctx, p.sql); err != nil { //nolint:sqlclosecheck // a transaction closes its statements when it ends
			return err
		}
	}
	return nil
}

func clone(b sql.RawBytes) sql.RawBytes {
	if b == nil {
		return nil
	}
	return append(sql.RawBytes{}, b...)
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
		r = &row{id: id.String(), backend: w.backend, login: login, folded: member.FoldString(login)}
	}
	changed := r.apply(e)
	set := e.Fields&FieldCredential != 0 && !(found && r.sameCredential(w.s.credentials, &e.Record.Credential))
	if found && !changed && !set {
		w.done.Unchanged++
		return nil
	}
	if r.from.Valid && r.until.Valid && r.until.Int64 <= r.from.Int64 {
		return fmt.Errorf("member %q: valid_until is not after valid_from, so she would never be let in", r.login)
	}
	now := w.s.now().Unix()
	args := []any{r.login, r.name, r.plans, r.team, r.vlan, r.from, r.until, r.devices, smallint(r.disabled), w.counter, now}
	if err := w.writeRow(ctx, found, r, args); err != nil {
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

func (w *writer) writeRow(ctx context.Context, found bool, r *row, args []any) error {
	if found {
		w.done.Updated++
		_, err := w.change.ExecContext(ctx, append(args, r.id)...)
		return err
	}
	w.done.Added++
	created := args[len(args)-1]
	if _, err := w.add.ExecContext(ctx, append(args, created, r.id, w.backend, r.folded)...); err != nil {
		return err
	}
	_, err := w.back.ExecContext(ctx, w.backend, r.folded)
	return err
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
