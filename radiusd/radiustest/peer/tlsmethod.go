package peer

import (
	"errors"
	"fmt"
)

// A phase is what runs inside the tunnel, after the handshake.
type phase interface {
	// answer takes what the server said inside, which may be nothing, and returns
	// what to say; nothing is an acknowledgement.
	answer(said []byte) ([]byte, error)
	// missing says what must still come before an EAP-Success; "" when nothing must.
	missing() string
}

// A tlsMethod is a method of RFC 5216's framing.
type tlsMethod struct {
	*record
	config  *Config
	kind    Type
	tunnel  *tunnel
	phase   phase
	in      assembly
	out     outbox
	started bool
	failed  bool // the handshake is over, and its alert on the way
}

func newTLSMethod(c *Config, r *record) *tlsMethod {
	m := &tlsMethod{record: r, config: c, kind: c.Method.kind(), tunnel: newTunnel(c), out: outbox{size: c.FragmentSize}}
	switch m.kind {
	case TypeTTLS:
		m.phase = newTTLS(c, r, m.tunnel)
	case TypePEAP:
		m.phase = newPEAP(c, r, m.tunnel)
	default:
		m.phase = &bare{record: r, tunnel: m.tunnel}
	}
	return m
}

var errNoStart = errors.New("peer: the method's first request has no start flag (RFC 5216 §2.1.1)")

// answer implements method.
func (m *tlsMethod) answer(data []byte) ([]byte, error) {
	f, err := parseFragment(data)
	if err != nil {
		return nil, err
	}
	m.checkFlags(f.Flags)
	if !m.started {
		if f.Flags&flagStart == 0 {
			return nil, errNoStart
		}
		m.started, m.step = true, StepHandshake
		return m.shake(nil)
	}
	if m.out.pending() {
		if len(f.Data) > 0 {
			return nil, fmt.Errorf("peer: %w: the server speaks between the fragments of our message (RFC 5216 §2.1.5)", errMalformed)
		}
		return m.out.next(), nil
	}
	message, whole, fault, err := m.in.add(f)
	if fault != "" {
		m.fault("%s", fault)
	}
	switch {
	case err != nil:
		return nil, err
	case !whole:
		m.out.put(nil)
		return m.out.next(), nil
	case m.tunnel.done:
		return m.inside(message, nil)
	}
	return m.shake(message)
}

func (m *tlsMethod) checkFlags(flags byte) {
	unused := byte(flagUnused | versionBits)
	if m.kind == TypePEAP || m.kind == TypeTTLS {
		// Both offer their version there, highest first; ours is 0.
		unused = flagUnused
	}
	if flags&unused != 0 {
		m.fault("reserved bits are set in the flags %#02x of %s", flags, m.kind)
	}
	if m.started && flags&versionBits != 0 {
		m.fault("the server goes on with version %d of %s after the device has chosen 0", flags&versionBits, m.kind)
	}
	if m.started && flags&flagStart != 0 {
		m.fault("the start flag is set in the midst of the method")
	}
}

// shake goes on with the handshake.
func (m *tlsMethod) shake(message []byte) ([]byte, error) {
	out, err := m.tunnel.shake(message)
	switch {
	case err != nil:
		m.handshakeFailed(err)
		m.failed = true
		return m.send(out), nil
	case !m.tunnel.done:
		return m.send(out), nil
	}
	m.step = StepInner
	if err := m.tunnel.derive(m.kind); err != nil {
		m.fault("%s", err)
	}
	// Before TLS 1.3 and resumption the server ends the handshake, so that the
	// turn is ours; else our end of it goes out first.
	if len(out) > 0 && !(m.config.Early && m.kind == TypeTTLS && !m.tunnel.state.DidResume) {
		return m.send(out), nil
	}
	return m.inside(nil, out)
}

// inside hands what the server said to the phase; out goes out before its answer.
func (m *tlsMethod) inside(message, out []byte) ([]byte, error) {
	if m.failed {
		return m.send(nil), nil
	}
	m.tunnel.wire.feed(message)
	said, err := m.tunnel.read()
	if err != nil {
		m.handshakeFailed(err)
		m.failed = true
		more, _ := m.tunnel.write(nil)
		return m.send(more), nil
	}
	say, err := m.phase.answer(said)
	if err != nil {
		return nil, err
	}
	sealed, err := m.tunnel.write(say)
	if err != nil {
		return nil, err
	}
	return m.send(append(out, sealed...)), nil
}

func (m *tlsMethod) send(message []byte) []byte {
	m.out.put(message)
	return m.out.next()
}

// missing implements method.
func (m *tlsMethod) missing() string {
	if !m.tunnel.done || m.tunnel.err != nil {
		return "the end of the TLS handshake"
	}
	return m.phase.missing()
}

// msk implements method.
func (m *tlsMethod) msk() []byte {
	if m.missing() != "" {
		return nil
	}
	return m.tunnel.keys.msk[:]
}

// indicated reads the protected success indication of TLS 1.3, one octet 0x00
// (RFC 9190 §2.5, RFC 9427).
func indicated(said []byte) bool { return len(said) == 1 && said[0] == 0 }

// bare is EAP-TLS, which has nothing inside.
type bare struct {
	*record
	tunnel  *tunnel
	success bool
}

// answer implements phase.
func (b *bare) answer(said []byte) ([]byte, error) {
	switch {
	case len(said) == 0 && !b.success:
	case b.tunnel.modern() && !b.success && indicated(said):
		b.success, b.step = true, StepResult
	case b.success:
		b.fault("the server goes on after its success indication (RFC 9190 §2.5)")
	default:
		return nil, fmt.Errorf("peer: %w: EAP-TLS has %d octets inside the tunnel", errMalformed, len(said))
	}
	return nil, nil
}

// missing implements phase.
func (b *bare) missing() string {
	if b.tunnel.modern() && !b.success {
		return "the protected success indication 0x00 (RFC 9190 §2.5)"
	}
	return ""
}
