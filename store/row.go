package store

import (
	"context"
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
	id, backend, folded string
	facts
	created, updated int64
	// Sealed; nil is none. While rows are read they are valid until the next one.
	password, ntHash, argon2id sql.RawBytes
	// provable says that there is a credential; read by queries for shapeKept.
	provable bool
}

// facts are the columns that edits set, besides the credential.
type facts struct {
	login, name, plans, team, vlan                        string
	from, until                                           sql.NullInt64
	devices                                               int
	disabled                                              bool
	ref, membership, email, officeVLAN, teamVLAN, termsOf string
	checkedOut                                            bool
	lapsed                                                sql.NullInt64
}

// Each column costs, 100,000 times at a start, so the hot path reads only what
// it keeps; a login that is its own folded form comes once, and so does one
// that is her mail address.
const (
	everyColumn = `SELECT m.id, m.login, CASE WHEN m.folded = m.login THEN NULL ELSE m.folded END,
		m.name, m.plans, m.team, m.vlan, m.valid_from, m.valid_until, m.devices, m.disabled,
		m.ref, m.membership, m.office_vlan, m.team_vlan, m.terms, m.checked_out, m.lapsed_at`
	credentials  = `, c.password, c.nt_hash, c.argon2id`
	rowColumns   = everyColumn + credentials + `, CASE WHEN m.email = m.login THEN NULL ELSE m.email END`
	entryColumns = everyColumn + credentials + `, m.email, m.created_at, m.updated_at`
	keptColumns  = everyColumn + `, m.email, m.created_at, m.updated_at,
		CASE WHEN c.password IS NULL AND c.nt_hash IS NULL AND c.argon2id IS NULL THEN 0 ELSE 1 END`
	ofBackend = ` FROM member m LEFT JOIN credential c ON c.member_id = m.id WHERE m.backend = ?`

	allRows     = rowColumns + ofBackend
	changedRows = rowColumns + ofBackend + ` AND m.changed > ?`
	allEntries  = entryColumns + ofBackend + ` ORDER BY m.folded`
	someEntries = entryColumns + ofBackend + ` AND m.folded IN `
	allKept     = keptColumns + ofBackend
	someKept    = keptColumns + ofBackend + ` AND m.folded IN `
	keptByID    = keptColumns + ofBackend + ` AND m.ref <> '' AND m.ref IN `
)

// A shape says which columns a query brings.
type shape uint8

const (
	shapeRow   shape = iota // rowColumns
	shapeEntry              // entryColumns
	shapeKept               // keptColumns
)

// A selection is one of the queries above with its arguments.
type selection struct {
	query   string
	backend string
	args    []any // what the query asks for besides the backend
	shape   shape
}

// chunk is how many members are looked up by one query.
const chunk = 200

// among returns the selection of the members with one of these keys, at least
// one and at most chunk of them. query ends in IN.
func among(query, backend string, keys []string) selection {
	args := make([]any, len(keys))
	for i := range keys {
		args[i] = keys[i]
	}
	return selection{query: query + "(?" + strings.Repeat(", ?", len(keys)-1) + ")", backend: backend, args: args}
}

// A querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// eachRow calls f for every row of the selection. The row is used again for the next.
func eachRow(ctx context.Context, q querier, what selection, f func(*row) error) error {
	rows, err := q.QueryContext(ctx, what.query, append([]any{what.backend}, what.args...)...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	r := row{backend: what.backend}
	var folded, email sql.NullString
	into := []any{
		&r.id, &r.login, &folded, &r.name, &r.plans, &r.team, &r.vlan, &r.from, &r.until, &r.devices, &r.disabled,
		&r.ref, &r.membership, &r.officeVLAN, &r.teamVLAN, &r.termsOf, &r.checkedOut, &r.lapsed,
	}
	if what.shape != shapeKept {
		into = append(into, &r.password, &r.ntHash, &r.argon2id)
	}
	if what.shape == shapeRow {
		into = append(into, &email)
	} else {
		into = append(into, &r.email, &r.created, &r.updated)
	}
	if what.shape == shapeKept {
		into = append(into, &r.provable)
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		r.folded = r.login
		if folded.Valid {
			r.folded = folded.String
		}
		if what.shape == shapeRow {
			r.email = email.String
			if !email.Valid {
				r.email = r.login
			}
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

// member fills m with what is not sealed. What many members have alike comes
// from t, where there is one.
func (r *row) member(m *member.Member, t *texts) error {
	terms, err := t.terms(r.termsOf)
	if err != nil {
		return fmt.Errorf("member %q: %w: restore the database from a backup, or remove her", r.login, err)
	}
	*m = member.Member{
		Backend: r.backend, Login: r.login, ID: r.ref, MembershipID: r.membership,
		Name: r.name, Plans: t.list(r.plans), Terms: terms, Team: t.word(r.team),
		VLAN: member.VLAN(t.word(r.vlan)), OfficeVLAN: member.VLAN(t.word(r.officeVLAN)), TeamVLAN: member.VLAN(t.word(r.teamVLAN)),
		ValidFrom: instant(r.from), ValidUntil: instant(r.until),
		Devices: r.devices, Disabled: r.disabled, CheckedOut: r.checkedOut,
	}
	return nil
}

func (r *row) entry(s *sealer) (*Entry, error) {
	e := &Entry{Lapsed: instant(r.lapsed), Created: instantOf(r.created), Updated: instantOf(r.updated)}
	e.Email = r.email
	if err := r.member(&e.Member, nil); err != nil {
		return nil, err
	}
	_, err := r.open(s, &e.Credential, new(member.Hash), nil)
	return e, err
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
	return instantOf(n.Int64)
}

func instantOf(n int64) time.Time { return time.Unix(n, 0).UTC() }

func seconds(t time.Time) sql.NullInt64 {
	if t.IsZero() {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: t.Unix(), Valid: true}
}

// moment reads whole milliseconds since 1970; NULL is never.
func moment(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.UnixMilli(n.Int64).UTC()
}

func millis(t time.Time) sql.NullInt64 {
	if t.IsZero() {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: t.UnixMilli(), Valid: true}
}
