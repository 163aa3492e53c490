package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"memberradius/member"
	"memberradius/mschap"

	"golang.org/x/crypto/argon2"
)

type hashCmd struct {
	Method string `enum:"nt,argon2id" default:"nt" help:"nt (for every method) or argon2id (for PAP alone)."`
}

// Help implements kong.HelpProvider.
func (hashCmd) Help() string {
	return "The password is read from the terminal, or as one line from standard input. " +
		"An NT hash is as good as the password: whoever has it can log in by MS-CHAP. argon2id is not, " +
		"but can be checked by PAP alone.\n\n" +
		example("memberradius hash --method argon2id < password.txt")
}

// Run prints the hash of a password.
func (c hashCmd) Run(p *program) error {
	password, err := p.readPassword("Password: ")
	if err != nil {
		return err
	}
	key, value := "nt_hash", ""
	if c.Method == "argon2id" {
		key = "password_hash"
		value, err = argon2idOf(password, rand.Reader)
	} else {
		nt := mschap.NTHash(string(password))
		value = hex.EncodeToString(nt[:])
	}
	if err != nil {
		return err
	}
	if p.JSON {
		return p.printJSON(map[string]string{key: value})
	}
	p.printf("%s\n", value)
	return nil
}

// The parameters of argon2id: RFC 9106 §4's second choice, with one lane, since
// a server proves many members at the same time: 64 MiB would be too much for each.
const (
	argonTime   = 2
	argonMemory = 19 << 10 // KiB; OWASP's least
	argonLanes  = 1
	argonKey    = 32
	argonSalt   = 16
)

// argon2idOf returns the PHC string of a password.
func argon2idOf(password member.Secret, random io.Reader) (string, error) {
	if len(password) > maxPassword {
		return "", errors.New("the password is longer than the 128 octets that RADIUS carries (RFC 2865 §5.2)")
	}
	salt := make([]byte, argonSalt)
	if _, err := io.ReadFull(random, salt); err != nil {
		return "", fmt.Errorf("random octets: %w", err)
	}
	key := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonLanes, argonKey)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes,
		b64.EncodeToString(salt), b64.EncodeToString(key)), nil
}

// maxPassword is what User-Password carries (RFC 2865 §5.2).
const maxPassword = 128
