package radiusd

import (
	"context"
	"crypto/subtle"
	"fmt"
	"runtime"

	"memberradius/member"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"
)

// An argonChecker checks passwords against argon2id hashes (RFC 9106), one per core at a time,
// since each takes tens of MB and milliseconds.
type argonChecker struct{ places *semaphore.Weighted }

func newArgonChecker() *argonChecker {
	return &argonChecker{places: semaphore.NewWeighted(int64(runtime.GOMAXPROCS(0)))}
}

// verify says whether password makes the hash phc. An error is a hash that
// can't be read, or no place before ctx ends.
func (c *argonChecker) verify(ctx context.Context, phc member.Secret, password string) (bool, error) {
	p, err := member.ParseArgon2id(phc)
	if err != nil {
		return false, fmt.Errorf("argon2id: what is stored %w", err)
	}
	if err := c.places.Acquire(ctx, 1); err != nil {
		return false, fmt.Errorf("argon2id: no place in time: %w", err)
	}
	defer c.places.Release(1)
	got := argon2.IDKey([]byte(password), p.Salt, p.Passes, p.Memory, p.Threads, uint32(len(p.Tag)))
	return subtle.ConstantTimeCompare(got, p.Tag) == 1, nil
}
