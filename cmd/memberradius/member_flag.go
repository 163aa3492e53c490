package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"memberradius/member"
	"memberradius/mschap"
	"memberradius/provision"
	"memberradius/store"
	"memberradius/store/roster"
)

// memberSecret says where a password comes from. It never stands on the
// command line: every user of the machine can read those.
type memberSecret struct {
	PasswordFile  string `xor:"secret" placeholder:"FILE" help:"Read the password from the first line of FILE."`
	PasswordStdin bool   `xor:"secret" help:"Read the password from the first line of standard input."`
	Generate      bool   `xor:"secret" help:"Make a password and show it once."`
	NTHashFile    string `name:"nt-hash-file" xor:"secret,form" placeholder:"FILE" help:"Read an NT hash, 32 hexadecimal digits, from FILE."`
	Argon2id      bool   `name:"argon2id" xor:"form" help:"Keep only an argon2id hash of the password: enough for PAP, not for MS-CHAP."`
}

// read returns the credential, and the password where it was made here.
func (s memberSecret) read(p *program) (c member.Credential, shown member.Secret, err error) {
	if s.NTHashFile != "" {
		c.NTHash, err = readNTHash(s.NTHashFile)
		return c, "", err
	}
	password, err := s.password(p)
	if err != nil {
		return c, "", err
	}
	if s.Generate {
		shown = password
	}
	if s.Argon2id {
		c.Argon2id, err = p.argon2id(password)
	} else {
		c = roster.Password(string(password), mschap.NTHash)
	}
	if err != nil {
		return c, "", err
	}
	if err := store.Check(store.FieldCredential, &member.Record{Credential: c}); err != nil {
		return c, "", fmt.Errorf("password: %w", err)
	}
	return c, shown, nil
}

func (s memberSecret) password(p *program) (member.Secret, error) {
	switch {
	case s.Generate:
		return newPassword(p.rand)
	case s.PasswordStdin:
		return firstLine(p.stdin)
	case s.PasswordFile != "":
		f, err := os.Open(s.PasswordFile)
		if err != nil {
			return "", fmt.Errorf("password: %w", err)
		}
		defer func() { _ = f.Close() }()
		return firstLine(f)
	}
	if _, ok := terminal(p.stdin); !ok {
		return "", errors.New("password: say where it comes from, by --generate, --password-stdin, --password-file or --nt-hash-file")
	}
	return p.readPassword("Password: ")
}

func (p *program) argon2id(password member.Secret) (member.Secret, error) {
	random := p.rand
	if random == nil {
		random = rand.Reader
	}
	phc, err := argon2idOf(password, random)
	return member.Secret(phc), err
}

func readNTHash(path string) (*member.Hash, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("NT hash: %w", err)
	}
	defer func() { _ = f.Close() }()
	line, err := firstLine(f)
	if err != nil {
		return nil, fmt.Errorf("NT hash: %w", err)
	}
	h, err := roster.ParseNTHash(strings.TrimSpace(string(line)))
	if err != nil {
		return nil, fmt.Errorf("NT hash: %s: %w", path, err)
	}
	return h, nil
}

// newPassword returns a password to be read from a screen and typed into a
// phone. Its 80 bits are out of reach even of one who caught an MS-CHAP exchange
// and guesses on machines of his own.
func newPassword(random io.Reader) (member.Secret, error) {
	if random == nil {
		random = rand.Reader
	}
	return provision.NewPassword(random)
}

// A vlanFlag is a VLAN on the command line.
type vlanFlag struct{ member.VLAN }

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *vlanFlag) UnmarshalText(text []byte) (err error) {
	f.VLAN, err = member.ParseVLAN(string(text))
	return err
}

// A fromFlag is when a membership begins, in the zone of this machine where none is given.
type fromFlag struct{ time.Time }

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *fromFlag) UnmarshalText(text []byte) (err error) {
	f.Time, err = roster.ParseFrom(string(text), time.Local)
	return err
}

// An untilFlag is when a membership ends.
type untilFlag struct{ time.Time }

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *untilFlag) UnmarshalText(text []byte) (err error) {
	f.Time, err = roster.ParseUntil(string(text), time.Local)
	return err
}

// A deviceFlag is how many devices may be on.
type deviceFlag int

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *deviceFlag) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 0 || n > store.MaxDevices {
		return fmt.Errorf("%q: a number from 0 to %d is needed", text, store.MaxDevices)
	}
	*f = deviceFlag(n)
	return nil
}
