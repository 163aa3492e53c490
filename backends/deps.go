package backends

import (
	"fmt"
	"io"
	"path/filepath"
	"time"

	"memberradius/member"
)

// Deps is what cmd hands to a backend and to the layers around it, one for
// each [[backend]].
type Deps struct {
	// Name is the name of the [[backend]]; it must be set.
	Name string
	// Base is the folder of the configuration file, which relative paths start from.
	Base string
	// Directory finds the members of the embedded store; nil where there is none.
	Directory Directory
	// Synced says whether the Directory holds what the system said at least once:
	// before that a login that is not in it is no answer. Nil: it always does.
	Synced func() bool
	// Shelf keeps a cache's answers over a restart; nil, they live in memory alone.
	Shelf Shelf
	// Key keys the hash under which a cache keeps its answers. It must be the
	// same after a restart for those on the Shelf to be found. The zero value
	// is a random key, and no Shelf is used.
	Key Key
	// Meter counts; nil counts nothing.
	Meter *Meter
	// NTHash makes the NT hash of a password (RFC 2759 §8.3), for kinds that keep
	// passwords in clear: a hash made when they are read need not be made at
	// each MS-CHAP. Nil: it is not made ahead.
	NTHash func(password string) member.Hash
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Tell hears what the operator should know while the server runs: a token
	// that is refused, a file of members that can't be read. It must not wait.
	// Whoever calls it keeps repetitions away. Nil drops them.
	Tell func(Finding)
	// Changed hears that what is known of members may be different now, from kinds
	// that keep them in memory by themselves: who is online is judged anew. It must
	// not wait. Nil: nobody wants to know.
	Changed func()
}

// Differ calls Changed.
func (d *Deps) Differ() {
	if d.Changed != nil {
		d.Changed()
	}
}

// Clock returns Now, or time.Now where it is nil.
func (d *Deps) Clock() func() time.Time {
	if d.Now != nil {
		return d.Now
	}
	return time.Now
}

// Say hands f to Tell.
func (d *Deps) Say(f Finding) {
	if d.Tell != nil {
		d.Tell(f)
	}
}

// Path returns path, from Base where it is relative.
func (d *Deps) Path(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(d.Base, path)
}

// A Key is a key of 32 octets. It is never printed.
type Key [32]byte

// Format implements fmt.Formatter for every verb.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// A KeyError is a fault in the settings of a [[backend]]. Whoever has read the
// file finds the line by Key.
type KeyError struct {
	// Key is the setting, as "url".
	Key string
	// Err says what is wrong with it and what to do.
	Err error
}

// Wrong is a KeyError in the words of fmt.Errorf.
func Wrong(key, format string, args ...any) error {
	return &KeyError{Key: key, Err: fmt.Errorf(format, args...)}
}

// Error implements error.
func (e *KeyError) Error() string { return e.Key + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *KeyError) Unwrap() error { return e.Err }
