package nexudus

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"memberradius/backends"
	"memberradius/member"
)

const (
	// grantsFor is how old a push may be: Nexudus tries ten times at growing
	// intervals, and an id is remembered for a day.
	grantsFor = 24 * time.Hour
	// maxGroups bounds what one push may grant.
	maxGroups = 100
)

// bearerIs says whether the Authorization of h holds the token. Both are hashed, so that
// the comparison does not tell the token's length.
func bearerIs(h http.Header, token member.Secret) bool {
	scheme, given, _ := strings.Cut(h.Get("Authorization"), " ")
	a, b := sha256.Sum256([]byte(strings.TrimSpace(given))), sha256.Sum256([]byte(token))
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// Groups implements backends.AccessControl. What there is to open are the
// plans, which are not this package's: it says that the question is Nexudus', and names none.
func (b *Backend) Groups(_ context.Context, h http.Header) ([]backends.AccessGroup, error) {
	switch {
	case b.config.ACSToken == "":
		return nil, backends.ErrDeaf
	case !bearerIs(h, b.config.ACSToken):
		return nil, backends.ErrUnsigned
	}
	return nil, nil
}

// An accessPush is what Nexudus sends when somebody's access changes.
type accessPush struct {
	Time     moment
	Coworker *struct {
		ID, Email, AccessPincode word
		FullName                 word
	}
	Groups   *ids
	Schedule []struct {
		Group     word
		ExpiresOn moment `json:"expires_on"`
	}
}

var (
	errPush    = errors.New("the push can't be read: a coworker with id and email, groups and a schedule are needed")
	errNoTime  = errors.New("the push has no time, by which one that comes late is told from a new one")
	errStalled = fmt.Errorf("the push is older than %d hours", grantsFor/time.Hour)
	errFuture  = errors.New("the push lies in the future: compare both clocks")
)

// Grant implements backends.AccessControl. Where the space is read as well, a push is a
// hint to read that member again, so that the two never disagree. Where it is
// not, groups are her plans and expires_on is their end. A push that is older
// than the last one of the same member changes nothing.
func (b *Backend) Grant(_ context.Context, h http.Header, body []byte) (*backends.Push, error) {
	switch {
	case b.config.ACSToken == "":
		return nil, backends.ErrDeaf
	case !bearerIs(h, b.config.ACSToken):
		return nil, backends.ErrUnsigned
	}
	var got accessPush
	if err := decode(body, &got); err != nil || got.Coworker == nil || !plainID(got.Coworker.ID) || got.Groups == nil || len(got.Groups.list) > maxGroups {
		return nil, b.unreadable(errPush)
	}
	id := string(got.Coworker.ID)
	if b.config.Username != "" {
		return &backends.Push{Refs: []backends.Ref{{Kind: refCoworker, ID: id}}}, nil
	}
	fresh, err := b.inTurn(id, got.Time.Time)
	if err != nil {
		return nil, b.unreadable(err)
	}
	if !fresh {
		return &backends.Push{}, nil
	}
	rec, err := b.granted(&got)
	if err != nil {
		return nil, b.unreadable(err)
	}
	sum := sha256.Sum256(body)
	return &backends.Push{ID: hex.EncodeToString(sum[:]), Records: []member.Record{rec}}, nil
}

func (b *Backend) unreadable(err error) error {
	return &backends.Error{Class: backends.BadAnswer, Backend: b.name, Err: err}
}

// inTurn says whether a push of at is the newest of a coworker.
func (b *Backend) inTurn(id string, at time.Time) (bool, error) {
	now := b.now()
	switch {
	case at.IsZero():
		return false, errNoTime
	case now.Sub(at) > grantsFor:
		return false, errStalled
	case at.Sub(now) > overlap:
		return false, errFuture
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if last, ok := b.pushed[id]; ok && at.Before(last) {
		return false, nil
	}
	if len(b.pushed) >= 10_000 { // those of yesterday are refused by their age
		for other, last := range b.pushed {
			if now.Sub(last) > grantsFor {
				delete(b.pushed, other)
			}
		}
	}
	b.pushed[id] = at
	return true, nil
}

// granted makes a record of a push.
func (b *Backend) granted(p *accessPush) (member.Record, error) {
	row := coworkerRow{ID: p.Coworker.ID, Email: p.Coworker.Email, AccessPincode: p.Coworker.AccessPincode}
	c := readCoworker(&row, b.login, b.secret)
	if c.login == "" {
		return member.Record{}, errPush
	}
	rec := member.Record{Email: c.email, Credential: member.Credential{Password: c.secret}}
	rec.Member = member.Member{Backend: b.name, Login: c.login, ID: string(c.id), Name: strings.TrimSpace(string(p.Coworker.FullName))}
	if len(p.Groups.list) == 0 {
		rec.Gone = true
		return rec, nil
	}
	ends := map[word]time.Time{}
	for _, s := range p.Schedule {
		if end := s.ExpiresOn.Time; end.After(ends[s.Group]) {
			ends[s.Group] = end
		}
	}
	last, bounded := time.Time{}, true
	for _, g := range p.Groups.list {
		rec.Member.Plans = append(rec.Member.Plans, string(g))
		rec.Member.Terms = append(rec.Member.Terms, member.Term{Until: ends[g]})
		if bounded = bounded && !ends[g].IsZero(); ends[g].After(last) {
			last = ends[g]
		}
	}
	if bounded { // when the last group ends, so does she
		rec.Member.ValidUntil = last
	}
	return rec, nil
}
