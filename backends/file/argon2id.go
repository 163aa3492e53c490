package file

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The bounds of an argon2id hash. Each login with one costs its memory and
// time, so that a file with larger ones could stop the server.
const (
	maxMemory  = 256 << 10 // KiB
	maxPasses  = 10
	maxThreads = 8
	// RFC 9106 §3.1 asks for a salt of at least 8 octets and a tag of at least 4; nobody makes a tag below 16.
	minSalt, maxSalt = 8, 64
	minTag, maxTag   = 16, 64
)

var errPHC = errors.New("must be an argon2id hash of the form $argon2id$v=19$m=65536,t=3,p=4$salt$hash")

// checkArgon2id says what is wrong with a PHC string. It never quotes it.
func checkArgon2id(s string) error {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v=19" {
		return errPHC
	}
	cost := strings.Split(parts[3], ",")
	if len(cost) != 3 {
		return errPHC
	}
	threads, err := number(cost[2], "p=", 1, maxThreads)
	if err != nil {
		return err
	}
	// RFC 9106 §3.1: the memory is at least 8 KiB for each thread.
	if _, err := number(cost[0], "m=", 8*threads, maxMemory); err != nil {
		return err
	}
	if _, err := number(cost[1], "t=", 1, maxPasses); err != nil {
		return err
	}
	for i, size := range [2][2]int{{minSalt, maxSalt}, {minTag, maxTag}} {
		b, err := base64.RawStdEncoding.Strict().DecodeString(parts[4+i])
		if err != nil || len(b) < size[0] || len(b) > size[1] {
			return errPHC
		}
	}
	return nil
}

// number reads what follows name, within its bounds.
func number(s, name string, low, high int) (int, error) {
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
