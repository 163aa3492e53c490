package peer

import (
	"fmt"
)

// Sizes of keys in octets (RFC 3748 §7.10, RFC 5247).
const (
	mskSize      = 64
	materialSize = 128
)

// Labels of the exporters (RFC 9190 §2.3, RFC 5216 §2.3, RFC 5281 §8 and §11.1).
// PEAP before TLS 1.3 has EAP-TLS's.
const (
	labelModern    = "EXPORTER_EAP_TLS_Key_Material"
	labelMethodID  = "EXPORTER_EAP_TLS_Method-Id"
	labelTLS       = "client EAP encryption"
	labelTTLS      = "ttls keying material"
	labelChallenge = "ttls challenge"
)

// Keys are what both sides know once the tunnel stands.
type keys struct {
	msk [mskSize]byte
	// tunnel is the first 60 octets, from which PEAP's binding follows.
	tunnel [tunnelKeySize]byte
	// session is the Session-Id (RFC 5247 §1.4), which the RADIUS attribute
	// EAP-Key-Name tells the access point.
	session []byte
}

// derive fills in the keys of a finished handshake.
func (t *tunnel) derive(kind Type) error {
	label, context := labelTLS, []byte(nil)
	switch {
	case t.modern():
		// In TLS 1.3 the length that is asked for counts, too: 128 octets always.
		label, context = labelModern, []byte{byte(kind)}
	case kind == TypeTTLS:
		label = labelTTLS
	}
	material, err := t.state.ExportKeyingMaterial(label, context, materialSize)
	if err != nil {
		return fmt.Errorf("peer: session keys: %w", err)
	}
	copy(t.keys.msk[:], material)
	copy(t.keys.tunnel[:], material)
	t.keys.session = append([]byte{byte(kind)}, t.wire.client[:]...)
	t.keys.session = append(t.keys.session, t.wire.server[:]...)
	if t.modern() {
		id, err := t.state.ExportKeyingMaterial(labelMethodID, context, mskSize)
		if err != nil {
			return fmt.Errorf("peer: Method-Id: %w", err)
		}
		t.keys.session = append([]byte{byte(kind)}, id...)
	}
	return nil
}

// challenge returns the implicit challenge of TTLS (RFC 5281 §11.1): its octets,
// then the identifier.
func (t *tunnel) challenge(size int) ([]byte, error) {
	challenge, err := t.state.ExportKeyingMaterial(labelChallenge, nil, size+1)
	if err != nil {
		return nil, fmt.Errorf("peer: implicit challenge: %w", err)
	}
	return challenge, nil
}
