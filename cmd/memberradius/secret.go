package main

import (
	"crypto/rand"
	"fmt"
	"io"
)

type secretCmd struct {
	Generate secretGenerateCmd `cmd:"" help:"Print a RADIUS secret of 32 characters."`
}

type secretGenerateCmd struct{}

// Help implements kong.HelpProvider.
func (secretGenerateCmd) Help() string {
	return example("memberradius secret generate > lobby.secret && chmod 600 lobby.secret")
}

// Run prints a new secret.
func (secretGenerateCmd) Run(p *program) error {
	s, err := newSecret(p.rand)
	if err != nil {
		return err
	}
	if p.JSON {
		return p.printJSON(map[string]string{"secret": s})
	}
	p.printf("%s\n", s)
	return nil
}

// secretAlphabet has 32 characters, 5 bits each, without those that are read
// for one another (0 o, 1 l): secrets are typed into access points by hand.
const secretAlphabet = "abcdefghijkmnpqrstuvwxyz23456789"

// secretLength makes 160 bits; draft-ietf-radext-deprecating-radius asks for 24 octets and 128 bits.
const secretLength = 32

// newSecret returns a RADIUS secret.
func newSecret(random io.Reader) (string, error) {
	if random == nil {
		random = rand.Reader
	}
	var b [secretLength]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("random octets: %w", err)
	}
	for i := range b {
		b[i] = secretAlphabet[b[i]%byte(len(secretAlphabet))]
	}
	return string(b[:]), nil
}
