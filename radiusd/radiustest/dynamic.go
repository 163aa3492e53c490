package radiustest

import (
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"memberradius/dictionary"
	"memberradius/member"
)

// What is wrong with a request that a NAS drops without a word (RFC 5176 §2.3 and
// §6.3). ReadDynamic returns them wrapped, or ErrMalformed.
var (
	ErrRequestAuthenticator = errors.New("wrong Request Authenticator")
	ErrNotFirst             = errors.New("Message-Authenticator is not the first attribute")
	ErrStale                = errors.New("Event-Timestamp is missing, or not of the last 300 s")
)

// eventWindow is how far Event-Timestamp may be from a NAS's own clock (RFC 5176 §6.3).
const eventWindow = 300 * time.Second

// Error-Causes (RFC 5176 §3.5).
const (
	causeUnsupportedExtension = 406
	causeNASMismatch          = 403
	causeNoSession            = 503
)

// A DynamicRequest is a Disconnect-Request or CoA-Request as a NAS takes it
// (RFC 5176): both signatures are right, and it is fresh.
type DynamicRequest struct {
	Code Code
	// Attributes are as they came, Message-Authenticator among them.
	Attributes []Attribute

	identifier    byte
	authenticator [authenticatorSize]byte
}

// ReadDynamic reads a request as strictly as a NAS may: Message-Authenticator must
// stand first, and Event-Timestamp be of the last 300 seconds before or after now.
func ReadDynamic(datagram []byte, secret member.Secret, now time.Time) (*DynamicRequest, error) {
	wrong := func(err error) (*DynamicRequest, error) { return nil, fmt.Errorf("radiustest: %w", err) }
	if len(datagram) < headerSize {
		return wrong(fmt.Errorf("%w: %d octets are less than a header", ErrMalformed, len(datagram)))
	}
	n := int(binary.BigEndian.Uint16(datagram[2:]))
	if n < headerSize || n > maxPacket || n > len(datagram) {
		return wrong(fmt.Errorf("%w: Length %d in %d octets", ErrMalformed, n, len(datagram)))
	}
	r := &DynamicRequest{Code: Code(datagram[0]), identifier: datagram[1], authenticator: [authenticatorSize]byte(datagram[4:])}
	if r.Code != DisconnectRequest && r.Code != CoARequest {
		return wrong(fmt.Errorf("%w: a NAS takes no %s", ErrMalformed, r.Code))
	}
	if err := r.verify(datagram[:n], newSigner(secret)); err != nil {
		return wrong(err)
	}
	if err := r.read(datagram[headerSize:n], now); err != nil {
		return wrong(err)
	}
	return r, nil
}

// verify checks both signatures, which are made with zeros in the place of
// themselves (RFC 5176 §2.3, §3.4).
func (r *DynamicRequest) verify(packet []byte, s *signer) error {
	bare := append([]byte(nil), packet...)
	clear(bare[4:headerSize])
	sum := s.authenticator(bare)
	if subtle.ConstantTimeCompare(sum[:], r.authenticator[:]) != 1 {
		return ErrRequestAuthenticator
	}
	const first = headerSize + 2
	if len(bare) < first+authenticatorSize || bare[headerSize] != typeMessageAuthenticator || bare[headerSize+1] != 2+authenticatorSize {
		return ErrNotFirst
	}
	clear(bare[first : first+authenticatorSize])
	if subtle.ConstantTimeCompare(s.messageAuthenticator(bare), packet[first:first+authenticatorSize]) != 1 {
		return ErrMessageAuthenticator
	}
	return nil
}

func (r *DynamicRequest) read(attributes []byte, now time.Time) error {
	err := dictionary.Builtin().Each(attributes, func(a *dictionary.Attribute, value []byte) {
		r.Attributes = append(r.Attributes, Attribute{a.Name, a.Text(value)})
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	const typeEventTimestamp = 55 // RFC 2869 §5.3
	fresh := false
	_ = walk(attributes, func(kind byte, value []byte) {
		if kind == typeEventTimestamp && len(value) == 4 {
			age := now.Sub(time.Unix(int64(binary.BigEndian.Uint32(value)), 0))
			fresh = age.Abs() <= eventWindow
		}
	})
	if !fresh {
		return ErrStale
	}
	return nil
}

// Get returns the texts of the attributes of that name.
func (r *DynamicRequest) Get(name string) []string {
	var texts []string
	for _, a := range r.Attributes {
		if strings.EqualFold(a.Name, name) {
			texts = append(texts, a.Value)
		}
	}
	return texts
}

// Reply returns the answer to the request, signed. A cause other than 0 is its
// Error-Cause (RFC 5176 §3.5).
func (r *DynamicRequest) Reply(code Code, cause uint32, secret member.Secret) ([]byte, error) {
	const typeErrorCause = 101
	p := &Packet{Code: code, Identifier: r.identifier}
	p.AddMessageAuthenticator()
	if cause != 0 {
		p.Add(typeErrorCause, binary.BigEndian.AppendUint32(nil, cause))
	}
	return p.EncodeReply(secret, r.authenticator)
}
