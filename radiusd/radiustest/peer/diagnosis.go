package peer

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
)

// A Step is how far a login came.
type Step string

// The steps of a login in their order; without a tunnel the third is left out.
const (
	StepIdentity  Step = "identity"
	StepMethod    Step = "method"
	StepHandshake Step = "handshake"
	StepInner     Step = "inner"
	StepResult    Step = "result"
)

// A Party is who is to look at a login that failed.
type Party string

// The parties to a login.
const (
	PartyServer  Party = "server"
	PartyDevice  Party = "device"
	PartyLogin   Party = "login" // its password, or what the member may
	PartyNetwork Party = "network"
)

// A Diagnosis says in one sentence where a login broke, and whose it is to mend.
type Diagnosis struct {
	Step  Step   `json:"step"`
	Party Party  `json:"party"`
	Text  string `json:"text"`
}

// A record is what a login's parts find on the way.
type record struct {
	step    Step
	trouble *Diagnosis
	faults  []string
	// proved says that our password, or a proof of it, has been sent.
	proved bool
	// refusedInside are the inner methods that the peer did not take.
	refusedInside []Type
	// message is what the server had to say to the person.
	message string
}

// blame keeps the first trouble: what follows from it is none of its own.
func (r *record) blame(party Party, format string, args ...any) {
	if r.trouble == nil {
		r.trouble = &Diagnosis{r.step, party, fmt.Sprintf(format, args...)}
	}
}

func (r *record) fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

// An End is how a conversation ended.
type End uint8

// The ends of a conversation.
const (
	Accepted End = iota
	Rejected
	// Unanswered: no reply came to our last packet.
	Unanswered
)

// Diagnose says what went wrong, nil where nothing did.
func (p *Peer) Diagnose(end End) *Diagnosis {
	switch {
	case p.trouble != nil:
		return p.trouble
	case end == Rejected:
		p.refused()
	case end == Unanswered:
		p.silence()
	}
	return p.trouble
}

// refused finds the reason for a rejection that nobody has given.
func (p *Peer) refused() {
	switch p.step {
	case StepIdentity:
		p.blame(PartyServer, "the server refused %q before any EAP method began: it speaks no EAP to this client, or knows no such name", p.config.outer())
	case StepMethod:
		p.blame(PartyServer, "the server does not offer %s: offers %s", p.config.Method.kind(), types(p.offered))
	case StepHandshake:
		p.handshakeRefused()
	case StepResult:
		p.blame(PartyLogin, "the login was proved, and the member is refused")
	default:
		p.blame(PartyLogin, "%s", p.doubt())
	}
}

// handshakeRefused finds the reason for a handshake that ended without an alert.
func (p *Peer) handshakeRefused() {
	switch {
	case p.tls.tunnel.wire.version == 0:
		p.blame(PartyDevice, "the server takes nothing of what the device offers for TLS (%s), and does not say what it misses", p.tls.versions())
	case p.config.Method == TLS:
		p.blame(PartyDevice, "the server does not take the device's certificate, or refuses its member: it does not say which")
	default:
		p.blame(PartyServer, "the server ended the TLS handshake without saying why")
	}
}

// doubt is what an unexplained rejection inside the method can mean.
func (p *Peer) doubt() string {
	switch {
	case p.config.Method == TLS && p.tls.tunnel.modern():
		return "the server does not take the device's certificate, or refuses the member: TLS 1.3 does not say which"
	case p.config.Method == TLS:
		return "the server took the device's certificate, and refuses the member"
	case p.resumed():
		return "the server resumed the session, and the member is refused"
	case p.proved:
		return "wrong password, or the member is refused: the server does not say which"
	case len(p.refusedInside) > 0:
		return fmt.Sprintf("no inner method in common: the device wants %s, the server offers %s", p.config.Inner, types(p.refusedInside))
	}
	return "the server ended the login before it asked for the password: it knows no such member, or has no such inner method"
}

// large is a packet that is more likely than others to be lost whole: two of
// its size do not fit one Ethernet frame.
const large = 700

// silence finds the likeliest reason for no answer.
func (p *Peer) silence() {
	switch {
	case p.step == StepIdentity:
		p.blame(PartyNetwork, "the server did not answer the first packet")
	case p.lastSize >= large:
		p.blame(PartyNetwork, "no answer to a packet of %d octets (%s): the MTU on the way? Try --fragment with less", p.lastSize, p.step)
	case p.step == StepHandshake && p.sawCertificate():
		p.blame(PartyNetwork, "the server stopped answering after its certificate: MTU, or a server that died on our answer")
	case p.step == StepHandshake:
		p.blame(PartyNetwork, "no answer to the TLS handshake's first packets: a certificate too large for the MTU on the way?")
	default:
		p.blame(PartyServer, "the server stopped answering at %s", p.step)
	}
}

func types(all []Type) string {
	texts := make([]string, len(all))
	for i, t := range all {
		texts[i] = t.String()
	}
	return strings.Join(texts, ", ")
}

// handshakeFailed says why the TLS handshake broke.
func (m *tlsMethod) handshakeFailed(err error) {
	var untrusted *TrustError
	version := m.tunnel.wire.offered()
	switch alert := alertOf(err); {
	case errors.As(err, &untrusted):
		m.blame(PartyServer, "the server's certificate is not trusted: %s", untrusted.Reason)
	case alert != "":
		m.blame(alertParty(alert), "%s", m.alertText(alert))
	case version != 0 && version < m.config.MinTLS:
		m.blame(PartyServer, "the server offers only %s, the device wants %s", tls.VersionName(version), m.versions())
	default:
		m.blame(PartyServer, "the TLS handshake failed: %s", strings.TrimPrefix(err.Error(), "tls: "))
	}
}

// alertOf returns the text of an alert that the server sent, "" where it sent none.
func alertOf(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "remote error" {
		return strings.TrimPrefix(op.Err.Error(), "tls: ")
	}
	return ""
}

// certificateAlerts are crypto/tls' words for those about a certificate (RFC 8446 §6.2).
func certificateAlert(alert string) bool {
	switch alert {
	case "bad certificate", "unsupported certificate", "revoked certificate", "expired certificate", "unknown certificate",
		"unknown certificate authority", "access denied", "certificate required":
		return true
	}
	return false
}

func alertParty(alert string) Party {
	if certificateAlert(alert) || alert == "protocol version not supported" || alert == "handshake failure" {
		return PartyDevice
	}
	return PartyServer
}

func (m *tlsMethod) alertText(alert string) string {
	switch {
	case alert == "protocol version not supported":
		return "the server takes no TLS version that the device offers: " + m.versions()
	case alert == "handshake failure" && m.config.Method == TLS:
		return "the server found no cipher in common with the device, or misses its certificate"
	case alert == "handshake failure":
		return "the server found no cipher, curve or signature in common with the device"
	case certificateAlert(alert):
		return "the server does not take the device's certificate: " + alert
	}
	return "the server broke the TLS handshake off: " + alert
}

func (m *tlsMethod) versions() string {
	highest := m.config.MaxTLS
	if highest == 0 {
		highest = tls.VersionTLS13
	}
	if highest == m.config.MinTLS {
		return tls.VersionName(highest)
	}
	return tls.VersionName(m.config.MinTLS) + " to " + strings.TrimPrefix(tls.VersionName(highest), "TLS ")
}
