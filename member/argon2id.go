package member

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The bounds of an argon2id hash. Each login with one costs its memory and
// time, so that a record with larger ones could stop the server.
const (
	maxArgonMemory  = 256 << 10 // KiB
	maxArgonPasses  = 10
	maxArgonThreads = 8
	// RFC 9106 §3.1 asks for a salt of at least 8 octets and a tag of at least 4; nobody makes a tag below 16.
	minArgonSalt, maxArgonSalt = 8, 64
	minArgonTag, maxArgonTag   = 16, 64
)

// An Argon2id is a password hash (RFC 9106) and what it was made with.
type Argon2id struct {
	Memory  uint32 // KiB
	Passes  uint32
	Threads uint8
	Salt    []byte
	Tag     []byte
}

var errPHC = errors.New("must be an argon2id hash of the form $argon2id$v=19$m=65536,t=3,p=4$salt$hash")

// ParseArgon2id reads a PHC string of argon2id, version 1.3. Its errors never
// quote it.
func ParseArgon2id(phc Secret) (a Argon2id, err error) {
	parts := strings.Split(string(phc), "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v=19" {
		return a, errPHC
	}
	cost := strings.Split(parts[3], ",")
	if len(cost) != 3 {
		return a, errPHC
	}
	threads, err := argonNumber(cost[2], "p=", 1, maxArgonThreads)
	if err != nil {
		return a, err
	}
	// RFC 9106 §3.1: the memory is at least 8 KiB for each thread.
	memory, err := argonNumber(cost[0], "m=", 8*threads, maxArgonMemory)
	if err != nil {
		return a, err
	}
	passes, err := argonNumber(cost[1], "t=", 1, maxArgonPasses)
	if err != nil {
		return a, err
	}
	a.Memory, a.Passes, a.Threads = uint32(memory), uint32(passes), uint8(threads)
	if a.Salt, err = argonOctets(parts[4], minArgonSalt, maxArgonSalt); err != nil {
		return a, err
	}
	a.Tag, err = argonOctets(parts[5], minArgonTag, maxArgonTag)
	return a, err
}

// argonNumber reads what follows name, within its bounds.
func argonNumber(s, name string, low, high int) (int, error) {
	digits, ok := strings.CutPrefix(s, name)
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || strconv.Itoa(n) != digits {
		return 0, errPHC
	}
	if n < low || n > high {
		return 0, fmt.Errorf("has %s%d; %d to %d is allowed", name, n, low, high)
	}
	return n, nil
}

func argonOctets(s string, low, high int) ([]byte, error) {
	b, err := base64.RawStdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) < low || len(b) > high {
		return nil, errPHC
	}
	return b, nil
}
