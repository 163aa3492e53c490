package peer

import (
	"crypto/md5"
	"errors"
	"fmt"

	"memberradius/mschap"
)

// ErrStopped says that Options.StopInside ended the conversation.
var ErrStopped = errors.New("peer: stopped before the password, as asked")

// ttls is the second phase of EAP-TTLS (RFC 5281 §7.2): attributes inside.
type ttls struct {
	*record
	config  *Config
	tunnel  *tunnel
	begun   bool
	success bool
	proof   proof         // of MSCHAPv2
	eap     *conversation // of an inner EAP method
}

func newTTLS(c *Config, r *record, t *tunnel) *ttls {
	p := &ttls{record: r, config: c, tunnel: t}
	if c.Inner == InnerEAPMSCHAPv2 || c.Inner == InnerGTC {
		p.eap = newConversation(c, r)
	}
	return p
}

// answer implements phase.
func (p *ttls) answer(said []byte) ([]byte, error) {
	switch {
	case p.success && len(said) > 0:
		p.fault("the server goes on after its success indication (RFC 9427)")
		return nil, nil
	case p.tunnel.state.DidResume:
		return nil, p.resumed(said)
	case !p.begun:
		if len(said) > 0 {
			return nil, fmt.Errorf("peer: %w: the server speaks first inside TTLS (RFC 5281 §7.2)", errMalformed)
		}
		if p.config.StopInside {
			return nil, ErrStopped
		}
		p.begun = true
		return p.begin()
	}
	return p.read(said)
}

// resumed takes the end of a resumed session, which has no second phase.
func (p *ttls) resumed(said []byte) error {
	switch {
	case len(said) == 0:
	case p.tunnel.modern() && indicated(said):
		p.success, p.step = true, StepResult
	default:
		return fmt.Errorf("peer: %w: the server says %d octets inside a resumed TTLS session", errMalformed, len(said))
	}
	return nil
}

// missing implements phase.
func (p *ttls) missing() string {
	switch {
	case p.tunnel.state.DidResume && p.tunnel.modern() && !p.success:
		return "the protected success indication 0x00 of a resumed session (RFC 9427)"
	case p.tunnel.state.DidResume:
		return ""
	case !p.begun:
		return "our password: nobody has asked for it"
	case p.config.Inner == InnerMSCHAPv2 && !p.proof.done:
		return "the server's own proof, MS-CHAP2-Success (RFC 5281 §11.2.4)"
	case p.eap != nil:
		return p.eap.missing()
	}
	return ""
}

// begin returns what proves the password.
func (p *ttls) begin() ([]byte, error) {
	if p.eap != nil {
		return p.message(p.eap.identity(0)), nil
	}
	p.proved = true
	b := avp{Code: avpUserName, Mandatory: true, Data: []byte(p.config.Login)}.append(nil)
	switch p.config.Inner {
	case InnerCHAP:
		return p.chap(b)
	case InnerMSCHAP:
		return p.mschap(b)
	case InnerMSCHAPv2:
		return p.mschapv2(b)
	}
	return avp{Code: avpUserPassword, Mandatory: true, Data: padded(string(p.config.Password))}.append(b), nil
}

// padded hides the length of a password (RFC 5281 §11.2.5).
func padded(password string) []byte {
	const block = 16
	b := make([]byte, max(1, (len(password)+block-1)/block)*block)
	copy(b, password)
	return b
}

// chap proves by CHAP with the tunnel's own challenge (RFC 5281 §11.2.2).
func (p *ttls) chap(b []byte) ([]byte, error) {
	const size = 16
	challenge, err := p.tunnel.challenge(size)
	if err != nil {
		return nil, err
	}
	ident := challenge[size]
	text := append([]byte{ident}, string(p.config.Password)...)
	sum := md5.Sum(append(text, challenge[:size]...))
	b = avp{Code: avpCHAPPassword, Mandatory: true, Data: append([]byte{ident}, sum[:]...)}.append(b)
	return avp{Code: avpCHAPChallenge, Mandatory: true, Data: challenge[:size]}.append(b), nil
}

// mschap proves by MS-CHAP, whose LM response stays zero (RFC 5281 §11.2.3).
func (p *ttls) mschap(b []byte) ([]byte, error) {
	const size, ntOnly = 8, 1
	challenge, err := p.tunnel.challenge(size)
	if err != nil {
		return nil, err
	}
	nt := mschap.ChallengeResponse([size]byte(challenge), mschap.NTHash(string(p.config.Password)))
	response := make([]byte, 2+24, 50)
	response[0], response[1] = challenge[size], ntOnly
	b = p.microsoft(avpMSCHAPChallenge, challenge[:size]).append(b)
	return p.microsoft(avpMSCHAPResponse, append(response, nt[:]...)).append(b), nil
}

// mschapv2 proves by MS-CHAPv2 and expects the server's proof (RFC 5281 §11.2.4).
func (p *ttls) mschapv2(b []byte) ([]byte, error) {
	challenge, err := p.tunnel.challenge(challengeSize)
	if err != nil {
		return nil, err
	}
	if err := p.proof.make(p.config, [challengeSize]byte(challenge)); err != nil {
		return nil, err
	}
	response := append([]byte{challenge[challengeSize], 0}, p.proof.value[:valueSize-1]...)
	b = p.microsoft(avpMSCHAPChallenge, challenge[:challengeSize]).append(b)
	return p.microsoft(avpMSCHAP2Response, response).append(b), nil
}

func (p *ttls) microsoft(code uint32, data []byte) avp {
	return avp{Code: code, Vendor: vendorMicrosoft, Mandatory: true, Data: data}
}

func (p *ttls) message(packet Packet) []byte {
	return avp{Code: avpEAPMessage, Mandatory: true, Data: packet.Append(nil)}.append(nil)
}

// read takes the server's attributes and returns what to answer.
func (p *ttls) read(said []byte) ([]byte, error) {
	pairs, err := parseAVPs(said)
	if err != nil {
		return nil, err
	}
	var answer []byte
	for _, a := range pairs {
		switch [2]uint32{a.Vendor, a.Code} {
		case [2]uint32{0, avpReplyMessage}:
			p.say(string(a.Data))
		case [2]uint32{0, avpEAPMessage}:
			if answer, err = p.readEAP(a.Data); err != nil {
				return nil, err
			}
		case [2]uint32{vendorMicrosoft, avpMSCHAP2Success}:
			if err := p.proven(a.Data); err != nil {
				return nil, err
			}
		case [2]uint32{vendorMicrosoft, avpMSCHAPError}:
			p.mschapError(string(a.Data[min(1, len(a.Data)):]))
		default:
			if a.Mandatory {
				p.fault("the server sends AVP %d of vendor %d inside TTLS, which a device must refuse, since it is marked mandatory", a.Code, a.Vendor)
			}
		}
	}
	return answer, nil
}

// proven checks MS-CHAP2-Success: the identifier, then the server's proof.
func (p *ttls) proven(value []byte) error {
	if len(value) < 1 {
		return fmt.Errorf("peer: %w: MS-CHAP2-Success is empty", errMalformed)
	}
	return p.proof.check(p.record, string(value[1:]))
}

func (p *ttls) readEAP(data []byte) ([]byte, error) {
	if p.eap == nil {
		return nil, fmt.Errorf("peer: %w: the server begins EAP inside TTLS, and we have sent %s", errMalformed, p.config.Inner)
	}
	request, err := ParsePacket(data)
	if err != nil {
		return nil, err
	}
	response, err := p.eap.answer(request)
	if err != nil || response == nil {
		return nil, err
	}
	return p.message(*response), nil
}
