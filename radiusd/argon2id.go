package radiusd

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"memberradius/member"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"
)

// Bounds of what a stored hash may cost to check: a hash of a member file must
// not be able to stop the server.
const (
	maxArgonMemory  = 256 << 10 // KiB
	maxArgonTime    = 16
	maxArgonThreads = 16
	maxArgonKey     = 64
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
	p, err := parseArgon2id(string(phc))
	if err != nil {
		return false, err
	}
	if err := c.places.Acquire(ctx, 1); err != nil {
		return false, fmt.Errorf("argon2id: no place in time: %w", err)
	}
	defer c.places.Release(1)
	got := argon2.IDKey([]byte(password), p.salt, p.time, p.memory, p.threads, uint32(len(p.key)))
	return subtle.ConstantTimeCompare(got, p.key) == 1, nil
}

type argonParts struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

var errArgon2id = errors.New(`not an argon2id hash of the form $argon2id$v=19$m=65536,t=3,p=4$SALT$HASH within m <= 262144, t <= 16, p <= 16`)

// parseArgon2id reads a PHC string. Its text is a secret and in no error.
func parseArgon2id(s string) (p argonParts, err error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, errArgon2id
	}
	n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads)
	if err != nil || n != 3 || p.memory > maxArgonMemory || p.time < 1 || p.time > maxArgonTime || p.threads < 1 || p.threads > maxArgonThreads {
		return p, errArgon2id
	}
	if p.salt, err = base64.RawStdEncoding.Strict().DecodeString(parts[4]); err != nil || len(p.salt) < 8 {
		return p, errArgon2id
	}
	if p.key, err = base64.RawStdEncoding.Strict().DecodeString(parts[5]); err != nil || len(p.key) < 16 || len(p.key) > maxArgonKey {
		return p, errArgon2id
	}
	return p, nil
}
