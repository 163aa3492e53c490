package radiustest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"

	"memberradius/dictionary"
	"memberradius/member"
	"memberradius/radiusd/radiustest/peer"
)

// A Method is what a request proves its login with.
type Method string

const (
	// NoProof sends no proof at all: for requests whose attributes a test gives itself.
	NoProof Method = "none"
	// PAP is a User-Password (RFC 2865 §5.2).
	PAP Method = "pap"
	// CHAP is a CHAP-Password with its CHAP-Challenge (RFC 2865 §5.3).
	CHAP Method = "chap"
	// MSCHAP is MS-CHAP version 1 with an NT response (RFC 2433, RFC 2548 §2.1).
	MSCHAP Method = "mschap"
	// MSCHAPv2 is MS-CHAP version 2 (RFC 2759, RFC 2548 §2.3).
	MSCHAPv2 Method = "mschapv2"
	// MAC is MAC authentication: the device of AccessPoint.Station, as Form says.
	MAC Method = "mac"
	// Status asks whether the server is alive (RFC 5997); it has no login.
	Status Method = "status"

	// These are EAP methods: conversations of several requests, by NAS.Do only.

	// PEAP is version 0, with what EAP.Inner names inside (MS-PEAP).
	PEAP = Method(peer.PEAP)
	// TTLS is EAP-TTLS (RFC 5281).
	TTLS = Method(peer.TTLS)
	// TLS is EAP-TLS with EAP.Certificate (RFC 5216, RFC 9190); it has no password.
	TLS = Method(peer.TLS)
	// EAPMSCHAPv2 is EAP-MSCHAPv2 without a tunnel.
	EAPMSCHAPv2 = Method(peer.MSCHAPv2)
)

// Methods returns those that ParseMethod knows, for usage texts.
func Methods() []Method {
	return []Method{PAP, CHAP, MSCHAP, MSCHAPv2, MAC, PEAP, TTLS, TLS, EAPMSCHAPv2, Status, NoProof}
}

// EAP says whether the method is one of EAP.
func (m Method) EAP() bool { return m.Tunnel() || m == EAPMSCHAPv2 }

// Tunnel says whether the method has a TLS session, which can be resumed.
func (m Method) Tunnel() bool { return m == PEAP || m == TTLS || m == TLS }

// ParseMethod returns the method of that name.
func ParseMethod(name string) (Method, error) {
	for _, m := range Methods() {
		if string(m) == name {
			return m, nil
		}
	}
	return "", fmt.Errorf("radiustest: method %q: one of %s is needed", name, strings.Trim(fmt.Sprint(Methods()), "[]"))
}

// A Placement says where a request's Message-Authenticator stands.
type Placement uint8

const (
	// First is where CVE-2024-3596 wants it.
	First Placement = iota
	// Last is where older NASes put it.
	Last
	// Absent sends none.
	Absent
	// Wrong sends one in the first place that is wrong by one bit.
	Wrong
)

// A Request is what a NAS is to ask. The zero Method is an error, so that
// nothing is sent by accident.
type Request struct {
	Method Method
	// Code is Access-Request, or Status-Server with method Status, where it is 0.
	Code Code
	// Login is the User-Name; there is none where it is empty.
	Login    string
	Password member.Secret
	// ChallengeName is what MS-CHAPv2 hashes instead of Login without its
	// "DOMAIN\" (RFC 2759 §4).
	ChallengeName string
	// ChallengeSize is how long CHAP-Challenge is, in octets (0: 16). Where it is
	// negative there is none: the challenge is the Request Authenticator (RFC 2865 §5.40).
	ChallengeSize int
	// Form is how MAC writes User-Name and password. A Login of the request's own
	// stays as it is.
	Form MACForm
	// EAP is how the device is set up, with an EAP method; nil is the zero value.
	EAP *EAP
	// AccessPoint says where the member stands.
	AccessPoint          AccessPoint
	MessageAuthenticator Placement
	// Attributes are added by name, in their order; Op counts for nothing.
	Attributes []member.Attribute
	// Octets are added as they are, after Attributes.
	Octets []byte
	// ProxyStates come last, as a proxy adds them (RFC 2865 §5.33).
	ProxyStates [][]byte
	// Edit, where it is set, changes the packet before it is signed.
	Edit func(*Packet)

	round *round // of an EAP conversation
}

// An AccessPoint is what a NAS says about itself and the device. All of it is
// optional; without Identifier and Address the NAS's own address is sent
// (RFC 2865 §4.1).
type AccessPoint struct {
	// Identifier is the NAS-Identifier.
	Identifier string
	// Address is the NAS-IP-Address or NAS-IPv6-Address.
	Address netip.Addr
	// BSSID and SSID make Called-Station-Id, "AA-BB-CC-DD-EE-FF:SSID" (RFC 3580
	// §3.20). An SSID alone gets a BSSID of local administration.
	BSSID net.HardwareAddr
	SSID  string
	// Station is the device's address, for Calling-Station-Id.
	Station net.HardwareAddr
}

// wireless is NAS-Port-Type Wireless-802.11 (RFC 2865 §5.41).
const wireless = 19

// localBSSID stands for an access point that has an SSID only.
var localBSSID = net.HardwareAddr{2, 0, 0, 0, 0, 1}

func (a *AccessPoint) add(p *Packet, local netip.Addr) {
	address := a.Address
	if !address.IsValid() && a.Identifier == "" {
		address = local
	}
	switch address = address.Unmap(); {
	case address.Is4():
		p.Add(typeNASIPAddress, address.AsSlice())
	case address.Is6():
		p.Add(typeNASIPv6Address, address.AsSlice())
	}
	if a.Identifier != "" {
		p.Add(typeNASIdentifier, []byte(a.Identifier))
	}
	if a.SSID == "" && a.BSSID == nil && a.Station == nil {
		return
	}
	p.Add(typeNASPortType, []byte{0, 0, 0, wireless})
	called := a.BSSID
	if called == nil {
		called = localBSSID
	}
	name := stationID(called)
	if a.SSID != "" {
		name += ":" + a.SSID
	}
	p.Add(typeCalledStationID, []byte(name))
	if a.Station != nil {
		p.Add(typeCallingStationID, []byte(stationID(a.Station)))
	}
}

// stationID returns an address as RFC 3580 §3.20 and §3.21 write it.
func stationID(a net.HardwareAddr) string {
	return strings.ToUpper(strings.ReplaceAll(a.String(), ":", "-"))
}

// A composer turns requests into packets.
type composer struct {
	dictionary *dictionary.Dictionary
	local      netip.Addr
	secret     member.Secret
	rand       io.Reader
}

var errMethod = errors.New("radiustest: the request names no method; NoProof sends none")

// compose returns the request, not signed yet, and what its reply is checked against.
func (c *composer) compose(r *Request) (*Packet, expectation, error) {
	p := &Packet{Code: r.Code}
	if p.Code == 0 {
		p.Code = AccessRequest
		if r.Method == Status {
			p.Code = StatusServer
		}
	}
	if r.Method == MAC {
		var err error
		if r, err = c.device(r); err != nil {
			return nil, expectation{}, err
		}
	}
	if _, err := io.ReadFull(c.rand, p.Authenticator[:]); err != nil {
		return nil, expectation{}, fmt.Errorf("radiustest: Request Authenticator: %w", err)
	}
	switch r.MessageAuthenticator {
	case First:
		p.AddMessageAuthenticator()
	case Wrong:
		p.AddBrokenMessageAuthenticator()
	}
	if r.Login != "" {
		p.Add(typeUserName, []byte(r.Login))
	}
	r.AccessPoint.add(p, c.local)
	expect, err := c.prove(p, r)
	if err != nil {
		return nil, expect, err
	}
	for _, a := range r.Attributes {
		p.AddNamed(c.dictionary, a.Name, a.Value)
	}
	p.AddOctets(r.Octets...)
	for _, state := range r.ProxyStates {
		p.Add(typeProxyState, state)
	}
	if r.MessageAuthenticator == Last {
		p.AddMessageAuthenticator()
	}
	if r.Edit != nil {
		r.Edit(p)
	}
	expect.code = p.Code
	return p, expect, p.err
}
