package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"memberradius/member"
)

var (
	// ErrNoToken says that a token is unknown, has run out or was revoked. Whoever
	// presents one does not learn which.
	ErrNoToken = errors.New("no such token")
	// ErrTokenExists says that a name is taken by a token that is good.
	ErrTokenExists = errors.New("a good token has this name: revoke it first, or take another name")
)

const (
	// usedEvery is how exactly it is known when a token was last used: a token
	// in steady use must not write at every request.
	usedEvery = time.Minute
	// tokenKept is for how long a token that has ended stays in the list.
	tokenKept = 90 * 24 * time.Hour
)

// A Token is one of the operator API, without its secret. Times have whole
// milliseconds.
type Token struct {
	ID, Name string
	// Scopes are what it may do, as it was created.
	Scopes  []string
	Created time.Time
	// Expires is when it runs out, zero: never. Used is when it was last
	// presented, to the minute. Revoked is when it was taken back.
	Expires, Used, Revoked time.Time
}

// CreateToken makes a token of 256 random bits and returns it with its secret,
// which is kept nowhere: the store has its SHA-256. A name that a good token
// bears is ErrTokenExists.
func (s *Store) CreateToken(ctx context.Context, name string, scopes []string, expires time.Time) (*Token, member.Secret, error) {
	if err := s.checkToken(name, scopes, expires); err != nil {
		return nil, "", fmt.Errorf("store: create token %q: %w", name, err)
	}
	secret, err := s.newTicket()
	if err != nil {
		return nil, "", fmt.Errorf("store: create token %q: %w", name, err)
	}
	now := s.now()
	err = s.transact(ctx, func(tx *sql.Tx) error {
		// One that has run out no longer holds its name.
		_, err := tx.ExecContext(ctx, `UPDATE api_token SET revoked_at = expires_at WHERE name = ? AND revoked_at IS NULL AND expires_at <= ?`,
			name, now.UnixMilli())
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO api_token (id, name, scopes, digest, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING`,
			secret.id.String(), name, strings.Join(scopes, " "), secret.digest(), now.UnixMilli(), millis(expires))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrTokenExists)
		}
		return nil
	})
	if err != nil {
		return nil, "", s.explain(fmt.Sprintf("create token %q", name), err)
	}
	t := &Token{ID: secret.id.String(), Name: name, Scopes: scopes, Created: moment(millis(now)), Expires: moment(millis(expires))}
	return t, secret.token(), nil
}

func (s *Store) checkToken(name string, scopes []string, expires time.Time) error {
	if err := checkText(name); err != nil {
		return err
	}
	if _, isID := parseUUID(name); isID || name == "" {
		return errors.New("a name is needed that is no id: it says what the token is for")
	}
	if len(scopes) == 0 {
		return errors.New("a token without scopes may do nothing: name one")
	}
	for _, scope := range scopes {
		if err := checkText(scope); err != nil || scope == "" || strings.Contains(scope, " ") {
			return fmt.Errorf("scope %q: one word is needed", scope)
		}
	}
	if !expires.IsZero() && !expires.After(s.now()) {
		return fmt.Errorf("it would have run out at %s already", expires.UTC().Format(time.RFC3339))
	}
	return nil
}

//nolint:gosec // names of columns
const tokenColumns = `SELECT id, name, scopes, digest, created_at, expires_at, used_at, revoked_at FROM api_token`

// scanToken reads one row of tokenColumns.
func scanToken(scan func(...any) error) (t *Token, digest []byte, err error) {
	t = new(Token)
	var scopes string
	var created, expires, used, revoked sql.NullInt64
	if err := scan(&t.ID, &t.Name, &scopes, &digest, &created, &expires, &used, &revoked); err != nil {
		return nil, nil, err
	}
	t.Scopes = strings.Fields(scopes)
	t.Created, t.Expires, t.Used, t.Revoked = moment(created), moment(expires), moment(used), moment(revoked)
	return t, digest, nil
}

// FindToken returns the token whose secret is presented. Unknown, run out and
// revoked ones are ErrNoToken; any other error means that it could not be said.
func (s *Store) FindToken(ctx context.Context, presented member.Secret) (*Token, error) {
	secret, ok := parseToken(presented)
	if !ok {
		return nil, ErrNoToken
	}
	t, digest, err := scanToken(s.db.QueryRowContext(ctx, tokenColumns+` WHERE id = ?`, secret.id.String()).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoToken
	}
	if err != nil {
		return nil, s.explain("look for a token", err)
	}
	now := s.now()
	if !secret.proves(digest) || !t.Revoked.IsZero() || !t.Expires.IsZero() && !now.Before(t.Expires) {
		return nil, ErrNoToken
	}
	if now.Sub(t.Used) >= usedEvery {
		s.noteUse(ctx, t, now)
	}
	return t, nil
}

// noteUse writes down that t was used. Where another writes just now, or the
// database can't be written, the next use is noted instead: nobody is kept out
// of the API, or waits, for it.
func (s *Store) noteUse(ctx context.Context, t *Token, now time.Time) {
	if !s.turn.try() {
		return
	}
	defer s.turn.end()
	if _, err := s.quick.ExecContext(ctx, `UPDATE api_token SET used_at = ? WHERE id = ?`, now.UnixMilli(), t.ID); err == nil {
		t.Used = moment(millis(now))
	}
}

// Tokens returns all tokens, the newest first. One that has ended stays among
// them for 90 days.
func (s *Store) Tokens(ctx context.Context) ([]Token, error) {
	const doing = "read the tokens"
	rows, err := s.db.QueryContext(ctx, tokenColumns+` ORDER BY id DESC`)
	if err != nil {
		return nil, s.explain(doing, err)
	}
	defer func() { _ = rows.Close() }()
	var all []Token
	for rows.Next() {
		t, _, err := scanToken(rows.Scan)
		if err != nil {
			return nil, s.explain(doing, err)
		}
		all = append(all, *t)
	}
	return all, s.explain(doing, rows.Err())
}

// RevokeToken takes a token back, by its id or by the name that it bears; from
// then on it is good for nothing. One that is not there, or was revoked before,
// is ErrNoToken.
func (s *Store) RevokeToken(ctx context.Context, idOrName string) error {
	return s.explain(fmt.Sprintf("revoke token %q", idOrName), s.transact(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE api_token SET revoked_at = ? WHERE (id = ? OR name = ?) AND revoked_at IS NULL`,
			s.now().UnixMilli(), idOrName, idOrName)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNoToken)
		}
		return nil
	}))
}
