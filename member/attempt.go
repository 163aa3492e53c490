package member

import (
	"fmt"
	"io"
	"time"
)

// An Attempt is one try to come in, as a member system sees it. While a
// request is answered from memory its strings alias the packet: whoever keeps
// one copies it (strings.Clone).
type Attempt struct {
	// Login is who claims to come in, as sent. Compare it with Fold.
	Login string
	// Proof is what came along to prove it.
	Proof Proof
	// Port is the UDP or TCP port of ours that received the request.
	Port uint16
	// Site is the [[site]] and Client the [[client]] that the request came by.
	Site, Client string
	// NAS is the NAS-Identifier as sent; a claim, never an identity.
	NAS string
	// SSID is the network's name, from Called-Station-Id (RFC 3580 §3.20).
	SSID string
	// StationMAC is the device, as "aa:bb:cc:dd:ee:ff"; empty where
	// Calling-Station-Id holds no MAC address.
	StationMAC string
	// Received is when the request arrived.
	Received time.Time
}

// At returns the time to judge the attempt by: when it was received, or now()
// where that is not known. Reading the clock again would cost each request of a
// batch as much as looking its member up.
func (a *Attempt) At(now func() time.Time) time.Time {
	if a.Received.IsZero() {
		return now()
	}
	return a.Received
}

// A ProofKind says what a Proof holds.
type ProofKind uint8

const (
	// NoProof proves nothing. It is the zero value.
	NoProof ProofKind = iota
	// Password is a password in clear: PAP, and later TTLS-PAP and PEAP-GTC.
	Password
	// CHAP is an MD5 challenge and response (RFC 2865 §5.3).
	CHAP
	// MSCHAPv1 is an MS-CHAP-Response (RFC 2433, RFC 2548 §2.1.3).
	MSCHAPv1
	// MSCHAPv2 is an MS-CHAP2-Response (RFC 2759, RFC 2548 §2.3.2).
	MSCHAPv2
	// Certificate is a client certificate that the TLS layer has verified.
	Certificate
	// MAC is a device's address and nothing else: a claim that proves nobody.
	MAC
	// Proved says that this server has proved the login already: what a gate is asked with.
	Proved
)

var proofNames = [...]string{"none", "pap", "chap", "mschap", "mschapv2", "certificate", "mac", "proved"}

// String returns the kind as configuration, log and metrics spell it.
func (k ProofKind) String() string {
	if int(k) < len(proofNames) {
		return proofNames[k]
	}
	return "unknown"
}

// A Proof is what an Attempt brings to prove its login. All of it is secret:
// MS-CHAP challenges and responses too, since the pair can be cracked.
type Proof struct {
	Kind ProofKind
	// Password is set for kind Password, and empty otherwise.
	Password Secret
	// MSCHAP is set for the kinds MSCHAPv1 and MSCHAPv2.
	MSCHAP MSCHAP
	// CHAP is set for kind CHAP.
	CHAP CHAPProof
}

// A CHAPProof is a CHAP exchange (RFC 2865 §5.3): Response is MD5 of ID,
// password and Challenge.
type CHAPProof struct {
	ID byte
	// Challenge is up to 253 octets; like an Attempt's strings it may alias the packet.
	Challenge Secret
	Response  [16]byte
}

// Format implements fmt.Formatter: only the kind is ever printed.
func (p Proof) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, p.Kind.String()+" "+redacted)
}

// MSCHAP is an MS-CHAP exchange as the NAS sent it, and the two parts of it
// that member systems ask for.
type MSCHAP struct {
	// Challenge is the MS-CHAP-Challenge: 16 octets in version 2, the first 8 in version 1.
	Challenge [16]byte
	// Response is the value of MS-CHAP2-Response or MS-CHAP-Response: 50 octets.
	Response [50]byte
	// ChallengeHash is what the response answers: RFC 2759 §8.2 in version 2, the challenge itself in version 1.
	ChallengeHash [8]byte
	// NTResponse is the 24 octets of Response that answer ChallengeHash.
	NTResponse [24]byte
}
