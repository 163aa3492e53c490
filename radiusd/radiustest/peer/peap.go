package peer

import (
	"encoding/binary"
	"fmt"
)

// peap is the second phase of PEAP version 0: EAP whose packets have no header
// but for TLVs (MS-PEAP §3.1.5.6, draft-kamath-pppext-peapv0 §1.1).
type peap struct {
	*record
	config *Config
	tunnel *tunnel
	eap    *conversation
	result bool // the server's Result TLV said success
	bound  bool
}

func newPEAP(c *Config, r *record, t *tunnel) *peap {
	return &peap{record: r, config: c, tunnel: t, eap: newConversation(c, r)}
}

// answer implements phase.
func (p *peap) answer(said []byte) ([]byte, error) {
	if len(said) == 0 {
		return nil, nil
	}
	if indicated(said) && p.tunnel.modern() && p.tunnel.state.DidResume {
		// Some servers send TTLS's indication in PEAP as well; the Result TLV counts.
		return nil, nil
	}
	request, full := p.unwrap(said)
	if request.Code == Request && request.Type == TypeTLV {
		if !full {
			p.fault("a PEAP TLV comes without EAP header (MS-PEAP §3.1.5.6)")
		}
		return p.tlvs(request)
	}
	if p.result {
		p.fault("the server goes on inside PEAP after its Result TLV")
	}
	if p.config.StopInside {
		return nil, ErrStopped
	}
	response, err := p.eap.answer(request)
	if err != nil || response == nil {
		return nil, err
	}
	return append([]byte{byte(response.Type)}, response.Data...), nil
}

// unwrap returns the inner packet, and whether it had its header. One that
// reads as a packet of just its length is taken for one.
func (p *peap) unwrap(said []byte) (request Packet, full bool) {
	if len(said) >= headerSize && int(binary.BigEndian.Uint16(said[2:])) == len(said) {
		if packet, err := ParsePacket(said); err == nil && packet.Code != Response {
			return packet, true
		}
	}
	return Packet{Code: Request, Type: Type(said[0]), Data: said[1:]}, false
}

// tlvs takes the server's Result and Crypto-Binding and answers both.
func (p *peap) tlvs(request Packet) ([]byte, error) {
	all, err := parseTLVs(request.Data)
	if err != nil {
		return nil, err
	}
	var status uint16
	var binding []byte
	for _, t := range all {
		switch {
		case t.Kind == tlvResult && len(t.Value) == 2:
			status = binary.BigEndian.Uint16(t.Value)
		case t.Kind == tlvBinding:
			binding = t.Value
		case t.Mandatory:
			p.fault("the server sends TLV %d, which a device must refuse, since it is marked mandatory", t.Kind)
		}
	}
	var answer []byte
	switch {
	case status == resultSuccess:
		answer = p.succeed(binding)
	case status == resultFailure:
		answer = result(resultFailure).append(nil)
	default:
		return nil, fmt.Errorf("peer: %w: the server's TLVs have no Result of success or failure", errMalformed)
	}
	return Packet{Response, request.Identifier, TypeTLV, answer}.Append(nil), nil
}

// succeed checks what the server bound and returns the TLVs that agree, or
// a failure.
func (p *peap) succeed(binding []byte) []byte {
	skipped := p.tunnel.state.DidResume && !p.eap.begun
	if missing := p.eap.missing(); missing != "" && !skipped {
		p.blame(PartyServer, "the server ends PEAP with success before %s", missing)
		p.fault("the Result TLV says success before %s", missing)
	}
	if binding == nil && p.config.RequireBinding {
		p.blame(PartyServer, "the server sends no Crypto-Binding TLV, and the device insists on one")
		return result(resultFailure).append(nil)
	}
	p.result, p.step = true, StepResult
	agree := result(resultSuccess).append(nil)
	if binding == nil || p.config.IgnoreBinding {
		return agree
	}
	k := bind(p.tunnel.keys.tunnel, p.eap.inner.key(), skipped)
	if err := k.verify(binding); err != nil {
		p.result = false
		p.blame(PartyServer, "the server's Crypto-Binding TLV is wrong: it is not the end of this tunnel, or derives PEAP's keys in another way")
		p.fault("%s", err)
		return result(resultFailure).append(nil)
	}
	p.tunnel.keys.msk, p.bound = k.msk(), true
	return tlv{Kind: tlvBinding, Value: k.respond(binding)}.append(agree)
}

// missing implements phase.
func (p *peap) missing() string {
	if !p.result {
		return "the server's Result TLV of success"
	}
	return ""
}
