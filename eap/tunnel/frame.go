package tunnel

import (
	"encoding/binary"
	"errors"
)

// Flags of EAP-TLS type-data (RFC 5216 §3.1). The low three bits are PEAP's
// version, which stays 0 here.
const (
	flagLength   = 0x80
	flagMore     = 0x40
	flagStart    = 0x20
	versionFlags = 0x07
)

// maxMessage bounds a TLS flight of the peer, in octets: a chain of client
// certificates has a few thousand.
const maxMessage = 64 << 10

// lengthSize is the TLS Message Length field.
const lengthSize = 4

var (
	errTooLong   = errors.New("a TLS message of more than 64 KiB")
	errLength    = errors.New("TLS Message Length does not fit what came")
	errTruncated = errors.New("flags that promise more than there is")
	errVersion   = errors.New("another version of the method than 0")
	errUnasked   = errors.New("a message while ours is not sent yet")
)

// A frame joins the fragments of a peer's flight and cuts ours.
type frame struct {
	// versioned methods have a version in the flags, which must be 0: TTLS and
	// PEAP. EAP-TLS has none, and its reserved bits are ignored.
	versioned bool
	in        []byte
	declared  int
	more      bool // the flight is not whole yet
	out       []byte
	sent      int
}

// receive takes type-data. It returns the flight once it is whole (which may
// be empty: an acknowledgement), and nil before.
func (f *frame) receive(data []byte) (flight []byte, whole bool, err error) {
	if len(data) == 0 {
		return nil, false, errTruncated
	}
	flags, rest := data[0], data[1:]
	if f.versioned && flags&versionFlags != 0 {
		return nil, false, errVersion
	}
	if flags&flagLength != 0 {
		if len(rest) < lengthSize {
			return nil, false, errTruncated
		}
		declared := binary.BigEndian.Uint32(rest)
		rest = rest[lengthSize:]
		switch {
		case declared > maxMessage:
			return nil, false, errTooLong
		case f.more && int(declared) != f.declared:
			return nil, false, errLength // a second length is another one
		}
		f.declared = int(declared)
	} else if !f.more {
		f.declared = 0
	}
	if f.sending() && len(rest) > 0 {
		return nil, false, errUnasked
	}
	if len(f.in)+len(rest) > maxMessage {
		return nil, false, errTooLong
	}
	f.in = append(f.in, rest...)
	if f.more = flags&flagMore != 0; f.more {
		if len(rest) == 0 {
			return nil, false, errTruncated
		}
		return nil, false, nil
	}
	if f.declared != 0 && f.declared != len(f.in) {
		return nil, false, errLength
	}
	flight, f.in, f.declared = f.in, nil, 0
	return flight, true, nil
}

// send sets what is to go out. The last flight must be out.
func (f *frame) send(flight []byte) { f.out, f.sent = flight, 0 }

// sending says whether there is something left to go out.
func (f *frame) sending() bool { return f.sent < len(f.out) }

// next returns the type-data of the next fragment, at most room octets long;
// with nothing to go out an acknowledgement. The length stands on the first of
// several, and on no other (RFC 5216 §2.1.5, RFC 9190 §2.4).
func (f *frame) next(room int) []byte {
	rest := f.out[f.sent:]
	data := make([]byte, 1, min(room, 1+lengthSize+len(rest)))
	if f.sent == 0 && len(rest) > room-1 {
		data[0] = flagLength
		data = binary.BigEndian.AppendUint32(data, uint32(len(rest)))
	}
	if n := room - len(data); n < len(rest) {
		data[0] |= flagMore
		rest = rest[:n]
	}
	f.sent += len(rest)
	if !f.sending() {
		f.out, f.sent = nil, 0
	}
	return append(data, rest...)
}
