package radiustest

import (
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"memberradius/dictionary"
)

// What is wrong with a reply that a NAS discards. Sent.Read returns them
// wrapped, and NAS.Do counts them.
var (
	ErrMalformed             = errors.New("malformed reply")
	ErrIdentifier            = errors.New("the reply answers another identifier")
	ErrCode                  = errors.New("the reply's code does not answer the request")
	ErrResponseAuthenticator = errors.New("wrong Response Authenticator")
	ErrMessageAuthenticator  = errors.New("wrong Message-Authenticator")
	ErrUnsigned              = errors.New("no Message-Authenticator")
)

// A Check is what came of comparing a part of a reply with our own computation.
type Check uint8

const (
	// Missing: the reply does not have it.
	Missing Check = iota
	// Right is what it should be.
	Right
	// Mismatch is something else, or not readable at all.
	Mismatch
)

// String returns the check in a word.
func (c Check) String() string {
	switch c {
	case Right:
		return "right"
	case Mismatch:
		return "wrong"
	default:
		return "missing"
	}
}

// An Attribute is one of a reply, for people. What is hidden under the shared
// secret is "[redacted]".
type Attribute struct{ Name, Value string }

// A Reply is a verified answer: its Response Authenticator is right, and so is
// its Message-Authenticator where it has one.
type Reply struct {
	Code Code
	// Raw is the packet as it came, without what follows its Length.
	Raw        []byte
	Attributes []Attribute
	// Signed says that it has a Message-Authenticator, SignedFirst that this is
	// its first attribute (CVE-2024-3596).
	Signed, SignedFirst bool
	// Message is every Reply-Message, a line each.
	Message string
	// Success is MS-CHAP2-Success: Right where the server has shown that it
	// knows the password too (RFC 2759 §8.7).
	Success Check
	// Error is MS-CHAP-Error, nil where there is none.
	Error *MSCHAPError
	// Keys are MS-MPPE-Send-Key and MS-MPPE-Recv-Key (of MS-CHAP:
	// MS-CHAP-MPPE-Keys) against RFC 3079, or the device's own MSK.
	Keys Check
	// SendKey and RecvKey are the decrypted keys as they came. They are secret.
	SendKey, RecvKey Key
	// EAP is the conversation that the reply ended, with an EAP method.
	EAP *Conversation
	// Faults says in words what a strict NAS or device would object to.
	Faults []string
	// Tries is how often the request was sent (of EAP: all of them together), Took
	// from the first of them to the reply.
	Tries int
	Took  time.Duration
}

// OK says whether the reply lets in and nothing about it is wrong.
func (r *Reply) OK() bool { return r.Code == AccessAccept && len(r.Faults) == 0 }

// Values returns the values of an attribute of the RFCs, in their order.
func (r *Reply) Values(kind byte) [][]byte {
	var values [][]byte
	_ = walk(r.Raw[headerSize:], func(k byte, value []byte) {
		if k == kind {
			values = append(values, value)
		}
	})
	return values
}

// VendorValues returns the values of a vendor's attribute, in their order.
func (r *Reply) VendorValues(vendor uint32, kind byte) [][]byte {
	var values [][]byte
	_ = walk(r.Raw[headerSize:], func(k byte, value []byte) {
		if k != typeVendorSpecific || len(value) < 4 || binary.BigEndian.Uint32(value) != vendor {
			return
		}
		_ = walk(value[4:], func(k byte, value []byte) {
			if k == kind {
				values = append(values, value)
			}
		})
	})
	return values
}

// Get returns the texts of the attributes of that name.
func (r *Reply) Get(name string) []string {
	var texts []string
	for _, a := range r.Attributes {
		if strings.EqualFold(a.Name, name) {
			texts = append(texts, a.Value)
		}
	}
	return texts
}

// VLAN returns Tunnel-Private-Group-Id where Tunnel-Type is VLAN and
// Tunnel-Medium-Type 802 (RFC 3580 §3.31); empty where one of the three is missing.
func (r *Reply) VLAN() string {
	const vlan, ieee802 = 13, 6
	if r.tunnel(typeTunnelType) != vlan || r.tunnel(typeTunnelMediumType) != ieee802 {
		return ""
	}
	groups := r.Values(typeTunnelPrivateGroupID)
	if len(groups) == 0 {
		return ""
	}
	group := groups[0]
	// A first octet up to 0x1f is a tag (RFC 2868 §3.6).
	if len(group) > 0 && group[0] <= 0x1f {
		group = group[1:]
	}
	return string(group)
}

// tunnel returns a tagged number of three octets (RFC 2868 §3.1), 0 where there is none.
func (r *Reply) tunnel(kind byte) uint32 {
	for _, value := range r.Values(kind) {
		if len(value) == 4 {
			return binary.BigEndian.Uint32(value) & 0xffffff
		}
	}
	return 0
}

// SessionTimeout returns Session-Timeout, 0 where there is none.
func (r *Reply) SessionTimeout() time.Duration { return r.seconds(typeSessionTimeout) }

// IdleTimeout returns Idle-Timeout, 0 where there is none.
func (r *Reply) IdleTimeout() time.Duration { return r.seconds(typeIdleTimeout) }

func (r *Reply) seconds(kind byte) time.Duration {
	for _, value := range r.Values(kind) {
		if len(value) == 4 {
			return time.Duration(binary.BigEndian.Uint32(value)) * time.Second
		}
	}
	return 0
}

// walk calls f for every attribute and fails on one that is too short or
// overruns the rest.
func walk(attributes []byte, f func(kind byte, value []byte)) error {
	for len(attributes) > 0 {
		if len(attributes) < 2 || attributes[1] < 2 || int(attributes[1]) > len(attributes) {
			return fmt.Errorf("%w: an attribute's length does not fit the packet", ErrMalformed)
		}
		n := int(attributes[1])
		f(attributes[0], attributes[2:n])
		attributes = attributes[n:]
	}
	return nil
}

// Sent is a request as it went out, and all that its reply is checked against.
// It belongs to one goroutine.
type Sent struct {
	// Bytes is the datagram; every retransmission is the same.
	Bytes []byte

	expect        expectation
	authenticator [authenticatorSize]byte
	identifier    byte
	signed        bool
	signer        *signer
	dictionary    *dictionary.Dictionary
}

// Read verifies a datagram as the reply to s and decodes it. An error says why
// a NAS discards it; errors.Is tells which of this package's it is.
func (s *Sent) Read(datagram []byte) (*Reply, error) {
	packet, err := s.frame(datagram)
	if err != nil {
		return nil, fmt.Errorf("radiustest: %w", err)
	}
	r := &Reply{Code: Code(packet[0]), Raw: packet}
	if err := s.verify(r); err != nil {
		return nil, fmt.Errorf("radiustest: %s: %w", r.Code, err)
	}
	if err := s.read(r); err != nil {
		return nil, fmt.Errorf("radiustest: %s: %w", r.Code, err)
	}
	return r, nil
}

// frame cuts the datagram to its packet and checks the header.
func (s *Sent) frame(datagram []byte) ([]byte, error) {
	if len(datagram) < headerSize {
		return nil, fmt.Errorf("%w: %d octets are less than a header", ErrMalformed, len(datagram))
	}
	n := int(binary.BigEndian.Uint16(datagram[2:]))
	if n < headerSize || n > maxPacket || n > len(datagram) {
		return nil, fmt.Errorf("%w: Length %d in %d octets", ErrMalformed, n, len(datagram))
	}
	if datagram[1] != s.identifier {
		return nil, ErrIdentifier
	}
	if !answers(s.expect.code, Code(datagram[0])) {
		return nil, fmt.Errorf("%w: %s to %s", ErrCode, Code(datagram[0]), s.expect.code)
	}
	return datagram[:n:n], nil
}

// answers says whether a reply's code may answer a request's (RFC 2865 §4,
// RFC 2866 §4, RFC 5997 §3). A request of any other code has none that we know.
func answers(request, reply Code) bool {
	switch request {
	case AccessRequest:
		return reply == AccessAccept || reply == AccessReject || reply == AccessChallenge
	case AccountingRequest:
		return reply == AccountingResponse
	case StatusServer:
		return reply == AccessAccept || reply == AccountingResponse
	}
	return true
}

// verify checks both signatures.
func (s *Sent) verify(r *Reply) error {
	if !s.signer.verifyReply(r.Raw, &s.authenticator) {
		return ErrResponseAuthenticator
	}
	signed := append([]byte(nil), r.Raw...)
	copy(signed[4:], s.authenticator[:])
	var got [][]byte
	at := 0
	err := walk(signed[headerSize:], func(kind byte, value []byte) {
		if kind == typeMessageAuthenticator {
			got = append(got, append([]byte(nil), value...))
			clear(value)
			r.SignedFirst = r.SignedFirst || at == 0
		}
		at++
	})
	switch {
	case err != nil:
		return err
	case len(got) == 0 && s.signed && r.Code != AccountingResponse:
		// RFC 2866 knows none, and CVE-2024-3596 is about the others.
		return ErrUnsigned
	case len(got) == 0:
		return nil
	case len(got) > 1 || subtle.ConstantTimeCompare(got[0], s.signer.messageAuthenticator(signed)) != 1:
		return ErrMessageAuthenticator
	}
	r.Signed = true
	return nil
}
