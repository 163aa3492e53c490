package radiusd

import (
	"crypto/subtle"
	"encoding/binary"

	"memberradius/member"
)

// macMethod is MAC authentication (Cisco: MAB): the access point asks whether a
// device may come in that has said nothing but its address. No RFC describes
// it: it is PAP, CHAP or a request without a proof, whose User-Name is the
// address, and whose password is a formality. So the address is only a claim,
// and what lets in is a door that was opened for it before (Tables.Doors).
type macMethod struct{}

// callCheck is the Service-Type of a request that asks for a device before
// anybody has logged in (RFC 2865 §5.6).
const callCheck = 10

// orMAC returns methodMAC for what may be MAC authentication, where the client
// has that, and m for all others.
func (x *exchange) orMAC(m methodID) methodID {
	switch {
	case !x.client.methods.has(methodMAC):
		return m
	case m == methodPAP, m == methodCHAP, m == methodNone && x.checksCall():
	default:
		return m
	}
	if n := readMAC(&x.door, x.userName); n == 0 || n != len(x.userName) {
		return m
	}
	return methodMAC
}

// checksCall says whether a signed request without a proof asks for a device:
// unsigned, anybody could have written it.
func (x *exchange) checksCall() bool {
	return x.auths == 1 && len(x.serviceType) == 4 && binary.BigEndian.Uint32(x.serviceType) == callCheck
}

// proof takes the device's address. A request with another password than a
// NAS's is a login like any other, of somebody whose login looks like an address.
//
// A guest who types another device's address into a hotspot's form is told
// apart by Calling-Station-Id, which the NAS writes itself.
func (macMethod) proof(x *exchange) member.Reason {
	formal, otherwise, reason := x.formality()
	switch {
	case reason != member.ReasonNone:
		return reason
	case !formal && x.client.methods.has(otherwise):
		x.used = otherwise
		return member.ReasonNone
	case !formal:
		return member.ReasonWrongProof
	}
	a := &x.attempt
	a.Login, a.Proof = alias(x.door[:]), member.Proof{Kind: member.MAC}
	switch {
	case len(x.callingStation) == 0:
		a.StationMAC = a.Login
	case a.StationMAC != a.Login:
		return member.ReasonOtherDevice
	}
	if x.tables.Doors == nil {
		return member.ReasonUnknownDevice
	}
	return member.ReasonNone
}

// prove refuses: a door that is open comes as an answer that is proved already.
func (macMethod) prove(*exchange) member.Reason { return member.ReasonUnknownDevice }

// settle implements method: it owes nothing but the reason of a refusal.
func (macMethod) settle(x *exchange) { x.sayRefusal() }

// formality says whether the request's password, if it has one, is one that a
// NAS sends for a device, and which method it is of otherwise.
func (x *exchange) formality() (formal bool, otherwise methodID, reason member.Reason) {
	switch {
	case len(x.userPassword) > 0:
		reason = pap{}.proof(x)
		return x.isFormal(x.password[:len(x.attempt.Proof.Password)]), methodPAP, reason
	case x.chapPassword != nil:
		if reason = (chap{}).proof(x); reason != member.ReasonNone {
			return false, methodCHAP, reason
		}
		return x.answersFormally(), methodCHAP, member.ReasonNone
	default:
		return true, methodNone, member.ReasonNone
	}
}

// isFormal says whether a password in clear is none, the device's address in
// any spelling, or the client's secret.
func (x *exchange) isFormal(password []byte) bool {
	var address [macSize]byte
	whole := readMAC(&address, password) == len(password)
	return len(password) == 0 ||
		whole && subtle.ConstantTimeCompare(address[:], x.door[:]) == 1 ||
		subtle.ConstantTimeCompare(password, x.client.key.secret) == 1
}

// answersFormally says whether a CHAP response is one of such a password. CHAP
// shows no spelling, so that each has to be tried: most NASes spell the password
// as they spell User-Name.
func (x *exchange) answersFormally() bool {
	if x.answersCHAP(alias(x.userName)) || x.answersCHAP(alias(x.client.key.secret)) || x.answersCHAP("") {
		return true
	}
	var room [2 * macSize]byte
	for _, s := range spellings {
		if x.answersCHAP(alias(s.spell(room[:0], &x.door))) {
			return true
		}
	}
	return false
}

// A spelling is a way to write a MAC address: so many digits, then the separator.
type spelling struct {
	group     int
	separator byte
	upper     bool
}

// spellings are those that controllers offer: aabbccddeeff, aa-bb-cc-dd-ee-ff,
// aa:bb:cc:dd:ee:ff, aabb.ccdd.eeff, aabbcc-ddeeff and the like, a-a-b-b-...
// (Cisco's groups of one), each in lower and in upper case.
var spellings = [...]spelling{
	{12, 0, false}, {12, 0, true},
	{2, '-', true}, {2, ':', false}, {2, '-', false}, {2, ':', true}, {2, '.', false}, {2, '.', true},
	{4, '.', false}, {4, '-', false}, {4, ':', false}, {4, '.', true}, {4, '-', true}, {4, ':', true},
	{6, '-', false}, {6, ':', false}, {6, '.', false}, {6, '-', true}, {6, ':', true}, {6, '.', true},
	{1, ':', false}, {1, '-', false}, {1, '.', false}, {1, ':', true}, {1, '-', true}, {1, '.', true},
}

// spell appends the address, which is in lower case with colons, as s writes it.
func (s spelling) spell(dst []byte, mac *[macSize]byte) []byte {
	digits := 0
	for _, c := range mac {
		if c == ':' {
			continue
		}
		if digits > 0 && digits%s.group == 0 {
			dst = append(dst, s.separator)
		}
		digits++
		if s.upper && c >= 'a' {
			c -= 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}
