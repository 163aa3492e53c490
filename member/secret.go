package member

import (
	"fmt"
	"io"
)

const redacted = "[redacted]"

// A Secret is text that must never be printed: a password, a token, a RADIUS
// secret. Every format, JSON included, shows "[redacted]"; string(s) is the
// one way to the text.
type Secret string

// Format implements fmt.Formatter for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText implements encoding.TextMarshaler, and so JSON and TOML.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// A Hash is 16 octets that are as good as a password: an NT hash
// (RFC 2759 §8.3) or the hash of one. It is never printed.
type Hash [16]byte

// Format implements fmt.Formatter for every verb.
func (Hash) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText implements encoding.TextMarshaler, and so JSON and TOML.
func (Hash) MarshalText() ([]byte, error) { return []byte(redacted), nil }
