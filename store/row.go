package store

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"memberradius/member"
)

// planSeparator stands between the plans of a member, in the database and in CSV.
const planSeparator = ";"

// A row is a member and her credential as the tables hold them, still sealed.
type row struct {
	id, backend, login, folded string
	name, plans, team, vlan    string
	from, until                sql.NullInt64
	devices                    int
	disabled                   bool
	created, updated           int64
	// Sealed; nil is none. While rows are read they are valid until the next one.
	password, ntHash, argon2id sql.RawBytes
}

// Each column costs, 100,000 times at a start, so the hot path reads only what
// it keeps; a login that is its own folded form comes once.
const (
	rowColumns = `SELECT m.id, m.login, CASE WHEN m.folded = m.login THEN NULL ELSE m.folded END,
		m.name, m.plans, m.team, m.vlan, m.valid_from, m.valid_until, m.devices, m.disabled,
		c.password, c.nt_hash, c.argon2id`
	entryColumns = rowColumns + `, m.created_at, m.updated_at`
	ofBackend    = ` FROM member m LEFT JOIN credential c ON c.member_id = m.id WHERE m.backend = ?`

	allRows     = rowColumns + ofBackend
	changedRows = rowColumns + ofBackend + ` AND m.changed > ?`
	oneRow      = rowColumns + ofBackend + ` AND m.folded = ?`
	allEntries  = entryColumns + ofBackend + ` ORDER BY m.folded`
	oneEntry    = entryColumns + ofBackend + ` AND m.folded = ?`
)

// A selection is one of the queries above with its arguments.
type selection struct {
	query   string
	backend string
	args    []any // what the query asks for besides the backend
	dates   bool  // the query brings the columns of entryColumns
}

// A querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// eachRow calls f for every row of the selection. The row is used again for the next.
func eachRow(ctx context.Context, q querier, what selection, f func(*row) error) error {
	rows, err := q.QueryContext(ctx, what.query, append([]any{what.backend}, what.args...)...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	r := row{backend: what.backend}
	var folded sql.NullString
	into := []any{
		&r.id, &r.login, &folded, &r.name, &r.plans, &r.team, &r.vlan, &r.from, &r.until, &r.devices, &r.disabled,
		&r.password, &r.ntHash, &r.argon2id,
	}
	if what.dates {
		into = append(into, &r.created, &r.updated)
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		r.folded = r.login
		if folded.Valid {
			r.folded = folded.String
		}
		if err := f(&r); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (r *row) place(column string) place {
	return place{table: "credential", column: column, row: [3]string{r.id, r.backend, r.folded}}
}

// open opens the credential. Strings and the hash are written to c; buf is
// room that is used in between.
func (r *row) open(s *sealer, c *member.Credential, nt *member.Hash, buf []byte) ([]byte, error) {
	c.NTHash = nil
	for _, v := range [...]struct {
		column string
		sealed []byte
	}{{"password", r.password}, {"nt_hash", r.ntHash}, {"argon2id", r.argon2id}} {
		if v.sealed == nil {
			continue
		}
		at := r.place(v.column)
		var err error
		if buf, err = s.open(buf[:0], v.sealed, &at); err != nil {
			return buf, fmt.Errorf("the %s of member %q: %w; set it again with: memberradius member passwd", v.column, r.login, err)
		}
		switch v.column {
		case "password":
			c.Password = member.Secret(buf)
		case "argon2id":
			c.Argon2id = member.Secret(buf)
		case "nt_hash":
			if len(buf) != len(nt) {
				return buf, fmt.Errorf("the nt_hash of member %q has %d octets: %w", r.login, len(buf), errSealForm)
			}
			copy(nt[:], buf)
			c.NTHash = nt
		}
	}
	return buf, nil
}

// member fills m with what is not sealed. Only its plans are made here.
func (r *row) member(m *member.Member) {
	*m = member.Member{
		Backend: r.backend, Login: r.login, Name: r.name, Team: r.team, VLAN: member.VLAN(r.vlan),
		ValidFrom: instant(r.from), ValidUntil: instant(r.until),
		Plans: splitPlans(r.plans), Devices: r.devices, Disabled: r.disabled,
	}
}

func (r *row) entry(s *sealer) (*Entry, error) {
	e := &Entry{Created: time.Unix(r.created, 0).UTC(), Updated: time.Unix(r.updated, 0).UTC()}
	r.member(&e.Member)
	_, err := r.open(s, &e.Credential, new(member.Hash), nil)
	return e, err
}

// apply writes the fields that e sets into r, and says whether that changed anything.
func (r *row) apply(e *Edit) bool {
	before, m := *r, &e.Record.Member
	for _, f := range [...]struct {
		field Fields
		to    *string
		from  string
	}{
		{FieldLogin, &r.login, m.Login},
		{FieldName, &r.name, m.Name},
		{FieldPlans, &r.plans, strings.Join(m.Plans, planSeparator)},
		{FieldTeam, &r.team, m.Team},
		{FieldVLAN, &r.vlan, string(m.VLAN)},
	} {
		if e.Fields&f.field != 0 {
			*f.to = f.from
		}
	}
	if e.Fields&FieldValidFrom != 0 {
		r.from = seconds(m.ValidFrom)
	}
	if e.Fields&FieldValidUntil != 0 {
		r.until = seconds(m.ValidUntil)
	}
	if e.Fields&FieldDevices != 0 {
		r.devices = m.Devices
	}
	if e.Fields&FieldDisabled != 0 {
		r.disabled = m.Disabled
	}
	return r.login != before.login || r.name != before.name || r.plans != before.plans || r.team != before.team ||
		r.vlan != before.vlan || r.from != before.from || r.until != before.until ||
		r.devices != before.devices || r.disabled != before.disabled
}

// sameCredential says whether r holds c already. What does not open is not the same.
func (r *row) sameCredential(s *sealer, c *member.Credential) bool {
	var have member.Credential
	if _, err := r.open(s, &have, new(member.Hash), nil); err != nil {
		return false
	}
	if (have.NTHash == nil) != (c.NTHash == nil) {
		return false
	}
	if have.NTHash != nil && subtle.ConstantTimeCompare(have.NTHash[:], c.NTHash[:]) == 0 {
		return false
	}
	return subtle.ConstantTimeCompare([]byte(have.Password), []byte(c.Password)) == 1 &&
		subtle.ConstantTimeCompare([]byte(have.Argon2id), []byte(c.Argon2id)) == 1
}

// seal puts the credential into r, sealed.
func (r *row) seal(s *sealer, c *member.Credential) error {
	var nt []byte
	if c.NTHash != nil {
		nt = c.NTHash[:]
	}
	for _, v := range [...]struct {
		to     *sql.RawBytes
		column string
		value  []byte
	}{{&r.password, "password", []byte(c.Password)}, {&r.ntHash, "nt_hash", nt}, {&r.argon2id, "argon2id", []byte(c.Argon2id)}} {
		*v.to = nil
		if len(v.value) == 0 {
			continue
		}
		at := r.place(v.column)
		sealed, err := s.seal(v.value, &at)
		if err != nil {
			return err
		}
		*v.to = sealed
	}
	return nil
}

func splitPlans(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, planSeparator)
}

// instant reads whole seconds since 1970; NULL is no bound.
func instant(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.Unix(n.Int64, 0).UTC()
}

func seconds(t time.Time) sql.NullInt64 {
	if t.IsZero() {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: t.Unix(), Valid: true}
}
