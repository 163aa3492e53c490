package eaptest

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"

	"memberradius/eap"
)

// A Binding is what a peer makes of the Crypto-Binding TLV.
type Binding int

// The ways.
const (
	BindingRight Binding = iota
	BindingNone          // as if it did not know it
	BindingWrong         // one bit of the MAC is wrong
	BindingEcho          // it sends back what it got
)

// PEAP is what a peer says inside PEAP. Without one of MSCHAPv2 and Token it
// refuses every method with a Nak.
type PEAP struct {
	Identity string
	MSCHAPv2 *MSCHAPv2
	// Token is what it answers GTC.
	Token string
	// Binding is how it answers Crypto-Binding, Status what it says of the
	// result; 0 is what the server said.
	Binding Binding
	Status  uint16
	// Abandon, if it is not 0, is the inner type before which it falls silent.
	Abandon eap.Type

	// Result is the server's Result TLV, Bound whether its Crypto-Binding was right.
	Result uint16
	Bound  bool
	// MSK is the peer's at the end.
	MSK []byte
}

// Inside is a Device's.
func (p *PEAP) Inside(d *Device, heard []byte) []byte {
	if len(heard) == 0 {
		return nil
	}
	if len(heard) > headerSize && int(binary.BigEndian.Uint16(heard[2:])) == len(heard) && eap.Type(heard[4]) == eap.TLV {
		return p.settle(d, heard)
	}
	switch kind := eap.Type(heard[0]); {
	case kind == eap.Identity:
		return append([]byte{byte(eap.Identity)}, p.Identity...)
	case kind == p.Abandon:
		return nil
	case kind == eap.MSCHAPv2 && p.MSCHAPv2 != nil:
		return append([]byte{byte(kind)}, p.MSCHAPv2.Answer(heard[1:])...)
	case kind == eap.GTC && p.Token != "":
		return append([]byte{byte(kind)}, p.Token...)
	case p.MSCHAPv2 != nil:
		return []byte{byte(eap.Nak), byte(eap.MSCHAPv2)}
	case p.Token != "":
		return []byte{byte(eap.Nak), byte(eap.GTC)}
	}
	return []byte{byte(eap.Nak), byte(eap.MD5)}
}

// settle answers Result and Crypto-Binding TLV (MS-PEAP §2.2.8).
func (p *PEAP) settle(d *Device, request []byte) []byte {
	const header, resultSize, bindingSize = 5, 6, 60
	p.Result = binary.BigEndian.Uint16(request[header+4:])
	status := p.Status
	if status == 0 {
		status = p.Result
	}
	p.MSK = d.Material()[:64]
	body := []byte{0x80, 3, 0, 2, byte(status >> 8), byte(status)}
	if len(request) == header+resultSize+bindingSize && p.Binding != BindingNone {
		body = append(body, p.bind(d, request[header+resultSize:])...)
	}
	return eap.Packet{Code: eap.Response, ID: request[1], Type: eap.TLV, Data: body}.Append(nil)
}

// bind checks a Crypto-Binding TLV and answers it (MS-PEAP §3.1.5.5).
func (p *PEAP) bind(d *Device, request []byte) []byte {
	const subTypeAt, macAt = 7, 40
	tunnel := d.Material()[:60]
	ipmk, cmk := tunnel[:40], tunnel[40:]
	if !d.Resumed() {
		isk := make([]byte, 32)
		if p.MSCHAPv2 != nil {
			copy(isk, p.MSCHAPv2.Keys())
		}
		t1 := hmacSHA1(tunnel[:40], "Inner Methods Compound Keys", isk, "\x01\x00\x00")
		t2 := hmacSHA1(tunnel[:40], t1, "Inner Methods Compound Keys", isk, "\x02\x00\x00")
		t3 := hmacSHA1(tunnel[:40], t2, "Inner Methods Compound Keys", isk, "\x03\x00\x00")
		ipmk, cmk = append(t1, t2...), t3
	}
	zeros := make([]byte, sha1.Size)
	p.Bound = hmac.Equal(hmacSHA1(cmk, request[:macAt], zeros, "\x19"), request[macAt:])
	answer := append([]byte(nil), request...)
	if p.Binding == BindingEcho {
		return answer
	}
	answer[subTypeAt] = 1
	copy(answer[macAt:], hmacSHA1(cmk, answer[:macAt], zeros, "\x19"))
	if p.Binding == BindingWrong {
		answer[macAt] ^= 1
	}
	p.MSK = nil
	var last []byte
	for n := byte(1); len(p.MSK) < 64; n++ {
		last = hmacSHA1(ipmk, last, "Session Key Generating Function\x00", []byte{n, 0, 0})
		p.MSK = append(p.MSK, last...)
	}
	p.MSK = p.MSK[:64]
	return answer
}

// hmacSHA1 is over parts that are strings or octets.
func hmacSHA1(key []byte, parts ...any) []byte {
	h := hmac.New(sha1.New, key)
	for _, part := range parts {
		switch part := part.(type) {
		case string:
			_, _ = h.Write([]byte(part))
		case []byte:
			_, _ = h.Write(part)
		}
	}
	return h.Sum(nil)
}
