//go:build linux

package supplicant

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"layeh.com/radius"
)

// The codes that a wire sees (RFC 2865 §3).
const (
	accessRequest   = 1
	accessAccept    = 2
	accessReject    = 3
	accessChallenge = 11
)

// The attributes that are looked at.
const (
	userName             = 1
	framedMTU            = 12
	replyMessage         = 18
	stateAttribute       = 24
	class                = 25
	tunnelType           = 64
	tunnelMediumType     = 65
	eapMessage           = 79
	messageAuthenticator = 80
	tunnelGroup          = 81
	eapKeyName           = 102
)

// EAP's codes (RFC 3748 §4).
const (
	eapRequest = 1
	eapSuccess = 3
	eapFailure = 4
)

// mostEAP is the longest EAP packet that is sent, whatever Framed-MTU allows.
const mostEAP = 1024

// A packet is one of RADIUS, taken apart.
type packet struct {
	code       byte
	attributes radius.Attributes
	// eap is all of EAP-Message.
	eap []byte
}

func parse(raw []byte) (packet, error) {
	p, err := radius.Parse(raw, []byte(sharedSecret))
	if err != nil {
		return packet{}, err
	}
	k := packet{code: raw[0], attributes: p.Attributes}
	for _, a := range p.Attributes {
		if a.Type == eapMessage {
			k.eap = append(k.eap, a.Attribute...)
		}
	}
	return k, nil
}

// values returns the attributes of a type as texts, in their order.
func (k packet) values(kind radius.Type) []string {
	var v []string
	for _, a := range k.attributes {
		if a.Type == kind {
			v = append(v, string(a.Attribute))
		}
	}
	return v
}

// number returns an attribute of four octets.
func (k packet) number(kind radius.Type) (int, bool) {
	v := k.values(kind)
	if len(v) != 1 || len(v[0]) != 4 {
		return 0, false
	}
	return int(binary.BigEndian.Uint32([]byte(v[0]))), true
}

func hasState(raw []byte) bool {
	k, err := parse(raw)
	return err == nil && len(k.values(stateAttribute)) == 1
}

// resign makes a new packet of a request: another Identifier and Authenticator,
// the same attributes, signed anew (RFC 3579 §3.2).
func resign(raw []byte) ([]byte, error) {
	b := bytes.Clone(raw)
	b[1] ^= 0x80
	if _, err := rand.Read(b[4:20]); err != nil {
		return nil, err
	}
	for at := 20; at+2 <= len(b); at += int(b[at+1]) {
		if b[at+1] < 2 {
			break
		}
		if b[at] != messageAuthenticator || b[at+1] != 18 || at+18 > len(b) {
			continue
		}
		clear(b[at+2 : at+18])
		mac := hmac.New(md5.New, []byte(sharedSecret))
		mac.Write(b)
		copy(b[at+2:], mac.Sum(nil))
		return b, nil
	}
	return nil, errors.New("a request of the access point has no Message-Authenticator")
}

// sameStep says whether two replies are of the same step of a conversation.
func sameStep(first, second []byte) error {
	a, err := parse(first)
	if err != nil {
		return err
	}
	b, err := parse(second)
	if err != nil {
		return err
	}
	if a.code != b.code || !bytes.Equal(a.eap, b.eap) {
		return fmt.Errorf("code %d with EAP % .12x..., and before code %d with EAP % .12x", b.code, b.eap, a.code, a.eap)
	}
	return nil
}

// check returns what is wrong with a reply, by the rules of docs/protocol.md.
func check(request, reply packet) error {
	var wrong []error
	object := func(bad bool, format string, args ...any) {
		if bad {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	object(len(reply.attributes) == 0 || reply.attributes[0].Type != messageAuthenticator, "Message-Authenticator is not first")
	object(len(reply.values(replyMessage)) > 0, "Reply-Message beside EAP-Message (E6)")
	if len(reply.eap) < 4 {
		return errors.Join(append(wrong, errors.New("no EAP packet (E7)"))...)
	}
	object(int(binary.BigEndian.Uint16(reply.eap[2:])) != len(reply.eap), "EAP says %d octets and has %d", binary.BigEndian.Uint16(reply.eap[2:]), len(reply.eap))
	most := mostEAP
	if mtu, ok := request.number(framedMTU); ok {
		most = min(most, mtu)
	}
	object(len(reply.eap) > most, "an EAP packet of %d octets where %d are the most (E3)", len(reply.eap), most)
	pair := map[byte]byte{accessAccept: eapSuccess, accessReject: eapFailure, accessChallenge: eapRequest}
	object(pair[reply.code] != reply.eap[0], "code %d with an EAP packet of code %d (E7)", reply.code, reply.eap[0])
	if reply.code != accessChallenge {
		object(len(request.eap) > 1 && request.eap[1] != reply.eap[1], "EAP's end has identifier %d, the response %d", reply.eap[1], request.eap[1])
		return errors.Join(wrong...)
	}
	object(len(request.eap) > 1 && request.eap[1] == reply.eap[1], "a new EAP-Request has the identifier of the last (T1)")
	object(len(reply.values(stateAttribute)) != 1, "%d State attributes (D9)", len(reply.values(stateAttribute)))
	for _, a := range reply.attributes {
		object(a.Type != eapMessage && a.Type != messageAuthenticator && a.Type != stateAttribute, "a Challenge has attribute %d (E12)", a.Type)
	}
	return errors.Join(wrong...)
}
