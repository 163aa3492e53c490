package peer

import (
	"encoding/binary"
	"fmt"
)

// The flags of a TLS-based method's first octet (RFC 5216 §3.1); PEAP and TTLS
// keep their version in the low bits.
const (
	flagLength  = 0x80
	flagMore    = 0x40
	flagStart   = 0x20
	flagUnused  = 0x18
	versionBits = 0x07
	// frameSize is flags and TLS Message Length before the first fragment.
	frameSize = 1 + 4
)

// maxMessage bounds a reassembled message: no server needs more, and a length
// is claimed before it is sent.
const maxMessage = 64 << 10

// A fragment is the type-data of a TLS-based method's packet.
type fragment struct {
	// Flags are all of the first octet.
	Flags byte
	// Total is the TLS Message Length, where flagLength says that it is there.
	Total uint32
	Data  []byte
}

func parseFragment(b []byte) (fragment, error) {
	if len(b) == 0 {
		return fragment{}, fmt.Errorf("peer: TLS fragment without flags: %w (RFC 5216 §3.1)", errMalformed)
	}
	f := fragment{Flags: b[0], Data: b[1:]}
	if f.Flags&flagLength != 0 {
		if len(b) < frameSize {
			return fragment{}, fmt.Errorf("peer: TLS fragment without the length that its flags announce: %w (RFC 5216 §3.1)", errMalformed)
		}
		f.Total, f.Data = binary.BigEndian.Uint32(b[1:]), b[frameSize:]
	}
	return f, nil
}

func (f fragment) append(b []byte) []byte {
	b = append(b, f.Flags)
	if f.Flags&flagLength != 0 {
		b = binary.BigEndian.AppendUint32(b, f.Total)
	}
	return append(b, f.Data...)
}

// An assembly puts a message together from its fragments (RFC 5216 §2.1.5).
type assembly struct {
	message []byte
	total   int
	open    bool // a fragment with flagMore has come
}

// add returns the message once its last fragment is there, valid until the
// next call, and whether it is. fault says what a strict peer objects to.
func (a *assembly) add(f fragment) (message []byte, whole bool, fault string, err error) {
	if !a.open {
		a.message, a.total = a.message[:0], 0
	}
	if f.Flags&flagLength != 0 {
		switch {
		case f.Total > maxMessage:
			return nil, false, "", fmt.Errorf("peer: TLS message of %d octets announced: at most %d are taken", f.Total, maxMessage)
		case a.total != 0 && a.total != int(f.Total):
			return nil, false, "", fmt.Errorf("peer: %w: fragments of one TLS message announce %d and %d octets", errMalformed, a.total, f.Total)
		}
		a.total = int(f.Total)
	} else if !a.open && f.Flags&flagMore != 0 {
		fault = "the first fragment of a TLS message does not say how long it is (RFC 5216 §2.1.5)"
	}
	a.message = append(a.message, f.Data...)
	if len(a.message) > maxMessage || a.total != 0 && len(a.message) > a.total {
		return nil, false, fault, fmt.Errorf("peer: %w: a TLS message is longer than it says, or than %d octets", errMalformed, maxMessage)
	}
	if a.open = f.Flags&flagMore != 0; a.open {
		if len(f.Data) == 0 {
			fault = "a fragment that more follow is empty"
		}
		return nil, false, fault, nil
	}
	if a.total != 0 && len(a.message) != a.total {
		return nil, false, fault, fmt.Errorf("peer: %w: a TLS message of %d octets announced %d", errMalformed, len(a.message), a.total)
	}
	return a.message, true, fault, nil
}

// An outbox holds a message of ours that goes out in fragments of up to size octets.
type outbox struct {
	message []byte
	sent    int
	size    int
}

// put begins a message; an empty one is the acknowledgement of RFC 5216 §2.1.5.
func (o *outbox) put(message []byte) { o.message, o.sent = message, 0 }

// pending says whether a fragment is still to be sent.
func (o *outbox) pending() bool { return o.sent < len(o.message) }

// next returns the next fragment. The length is announced where there are several.
func (o *outbox) next() []byte {
	f := fragment{Data: o.message[o.sent:min(o.sent+o.size, len(o.message))]}
	if o.sent == 0 && len(f.Data) < len(o.message) {
		f.Flags, f.Total = flagLength, uint32(len(o.message))
	}
	if o.sent += len(f.Data); o.pending() {
		f.Flags |= flagMore
	}
	return f.append(nil)
}
