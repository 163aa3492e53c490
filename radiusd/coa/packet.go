package coa

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"memberradius/member"
)

// Codes of RFC 5176 §2.3.
const (
	codeDisconnectRequest = 40
	codeCoARequest        = 43
	// ACK and NAK are the request's code and so much.
	toACK = 1
	toNAK = 2
)

const (
	headerSize        = 20   // RFC 2865 §3
	maxPacket         = 4096 // RFC 2865 §3
	authenticatorSize = 16

	typeEventTimestamp       = 55  // RFC 2869 §5.3
	typeMessageAuthenticator = 80  // RFC 3579 §3.2
	typeErrorCause           = 101 // RFC 5176 §3.5
)

// kindOf is what a request is called in metrics.
func kindOf(code byte) string {
	if code == codeCoARequest {
		return "coa"
	}
	return "disconnect"
}

// nameOf is what it is called in errors.
func nameOf(code byte) string {
	if code == codeCoARequest {
		return "CoA-Request"
	}
	return "Disconnect-Request"
}

// A request is what encode makes a packet of.
type request struct {
	code, id byte
	secret   member.Secret
	// at is Event-Timestamp: a NAS may refuse what is older than 300 s (RFC 5176 §6.3).
	at time.Time
	// attributes are encoded; nil parts are none.
	session, changes []byte
}

// encode writes the packet. Message-Authenticator stands first, so that nothing that
// others chose stands before it (CVE-2024-3596); it is over the packet with both
// authenticators as zeros, and the Request Authenticator, as in accounting, over the
// packet with it and the secret (RFC 5176 §2.3, §3.4, RFC 2866 §3).
func (r *request) encode() ([]byte, error) {
	n := headerSize + 2 + authenticatorSize + 6 + len(r.session) + len(r.changes)
	if n > maxPacket {
		return nil, fmt.Errorf("%d octets of attributes: a packet has at most %d octets", len(r.session)+len(r.changes), maxPacket)
	}
	b := make([]byte, headerSize, n+len(r.secret))
	b[0], b[1] = r.code, r.id
	binary.BigEndian.PutUint16(b[2:], uint16(n))
	var zeros [authenticatorSize]byte
	b = append(append(b, typeMessageAuthenticator, 2+authenticatorSize), zeros[:]...)
	b = binary.BigEndian.AppendUint32(append(b, typeEventTimestamp, 6), uint32(r.at.Unix()))
	b = append(append(b, r.session...), r.changes...)
	sum := messageAuthenticator(b, r.secret)
	copy(b[headerSize+2:], sum[:])
	sum = authenticator(b, r.secret)
	copy(b[4:], sum[:])
	return b, nil
}

// messageAuthenticator is HMAC-MD5 over a packet whose own value is zeros (RFC 3579 §3.2).
func messageAuthenticator(packet []byte, secret member.Secret) (sum [authenticatorSize]byte) {
	mac := hmac.New(md5.New, []byte(secret))
	mac.Write(packet)
	mac.Sum(sum[:0])
	return sum
}

// authenticator is MD5 over packet and secret (RFC 2865 §3, RFC 2866 §3).
func authenticator(packet []byte, secret member.Secret) [authenticatorSize]byte {
	n := len(packet)
	return md5.Sum(append(packet[:n:n], secret...))
}

// An answer is what a NAS said.
type answer struct {
	ack   bool
	cause ErrorCause
}

var (
	// errMalformed: no packet that could answer a request.
	errMalformed = errors.New("malformed")
	// errForged: it is not signed by who has the secret, or answers something else.
	errForged = errors.New("forged")
)

// decodeAnswer reads a datagram as the answer to a request, of which it needs the 20
// octets of the header. What stands behind the packet's Length is padding (RFC 2865
// §3). Nothing of it is interpreted before it is known to be authentic; a
// Message-Authenticator need not be there (RFC 5176 §3.4), but must be right.
func decodeAnswer(datagram, request []byte, secret member.Secret) (answer, error) {
	if len(datagram) < headerSize {
		return answer{}, errMalformed
	}
	n := int(binary.BigEndian.Uint16(datagram[2:]))
	if n < headerSize || n > maxPacket || n > len(datagram) {
		return answer{}, errMalformed
	}
	b := append([]byte(nil), datagram[:n]...)
	code := b[0] - request[0]
	if code != toACK && code != toNAK || b[1] != request[1] {
		return answer{}, errMalformed
	}
	claimed := [authenticatorSize]byte(b[4:headerSize])
	copy(b[4:headerSize], request[4:headerSize])
	want := authenticator(b, secret)
	if subtle.ConstantTimeCompare(claimed[:], want[:]) != 1 {
		return answer{}, errForged
	}
	a := answer{ack: code == toACK}
	if err := a.read(b, secret); err != nil {
		return answer{}, err
	}
	return a, nil
}

// read walks the attributes of a packet that holds the Request Authenticator, and
// checks Message-Authenticator: with that, the packet's own as zeros. Of several
// Error-Causes the first counts.
func (a *answer) read(b []byte, secret member.Secret) error {
	signed := 0 // where Message-Authenticator's value begins
	for at := headerSize; at < len(b); {
		if len(b)-at < 2 {
			return errMalformed
		}
		size := int(b[at+1])
		if size < 2 || size > len(b)-at {
			return errMalformed
		}
		switch value := b[at+2 : at+size]; {
		case b[at] == typeMessageAuthenticator:
			if signed != 0 || len(value) != authenticatorSize {
				return errForged
			}
			signed = at + 2
		case b[at] == typeErrorCause && len(value) == 4 && a.cause == 0:
			a.cause = ErrorCause(binary.BigEndian.Uint32(value))
		}
		at += size
	}
	if signed == 0 {
		return nil
	}
	value := b[signed : signed+authenticatorSize]
	claimed := [authenticatorSize]byte(value)
	clear(value)
	want := messageAuthenticator(b, secret)
	if subtle.ConstantTimeCompare(claimed[:], want[:]) != 1 {
		return errForged
	}
	return nil
}
