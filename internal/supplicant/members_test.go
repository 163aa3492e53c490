//go:build linux

package supplicant

import (
	"encoding/hex"

	"memberradius/mschap"
)

// sharedSecret is every client's RADIUS secret here.
const sharedSecret = "shared-by-the-wire-and-both-its-ends"

// vlan is what the plan buys.
const vlan = "101"

// A person is somebody who may, or may not, come in.
type person struct{ Login, Password string }

// The members of every server.
var (
	bob = person{"bob@example.com", "hello"}
	// carol's record has an NT hash and no password.
	carol = person{"carol@example.com", "correct horse battery staple"}
	// dora is disabled.
	dora = person{"dora@example.com", "suspended"}
	// erik's record names a VLAN of his own.
	erik = person{"erik@example.com", "77 steps"}
	// zoe writes as people do.
	zoe = person{"zoë.müller@beispiel.example", "Pässwörter-日本語-5 €"}
	// ida too.
	ida = person{"ida@example.com", "🔑 für 🏠"}
)

// ownVLAN is erik's.
const ownVLAN = "77"

// NTHash is what carol's record holds.
func (p person) NTHash() string {
	hash := mschap.NTHash(p.Password)
	return hex.EncodeToString(hash[:])
}
