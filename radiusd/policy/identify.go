package policy

import (
	"encoding/binary"
	"strings"

	"memberradius/member"
)

// An identity is one attribute that names a session, or the NAS that has it.
type identity uint8

const (
	// nasIdentifier and nasAddress are what the NAS says of itself: a NAS
	// refuses requests that are meant for another (RFC 5176 §3.5, 403).
	nasIdentifier identity = iota
	nasAddress
	// userName is the session's, as it was sent; personName leaves out one that is
	// the device's MAC: hostapd finds User-Name among the identities of 802.1X
	// alone, and says of a device that came by its MAC that it has no such session.
	userName
	personName
	// hotspotName is userName where the device's address is known, since a MikroTik
	// hotspot reports it; wirelessName is the MAC elsewhere: MikroTik's wireless knows
	// devices by a User-Name that is their MAC.
	hotspotName
	wirelessName
	callingStation
	sessionID
	multiSessionID
	framedAddress
	// auditID is Cisco's own, and Acct-Session-Id where there is none.
	auditID
)

// standardSession is what RFC 5176 §3 lists and hostapd takes. Framed-IP-Address
// is not part of it: hostapd refuses it (401).
var standardSession = []identity{nasIdentifier, nasAddress, personName, callingStation, sessionID, multiSessionID}

// identities says how each is written. named are those that one session alone has,
// or one device: User-Name would end all the sessions of a member (RFC 5176 §3).
var identities = [...]struct {
	title  string
	named  bool
	append func(dst []byte, s *member.Session) []byte
}{
	nasIdentifier: {"NAS-Identifier", false, func(dst []byte, s *member.Session) []byte {
		return appendText(dst, typeNASIdentifier, s.NASIdentifier)
	}},
	nasAddress: {"NAS-IP-Address", false, appendNASAddress},
	userName: {"User-Name", false, func(dst []byte, s *member.Session) []byte {
		return appendText(dst, typeUserName, s.User)
	}},
	personName: {"User-Name (unless it is the MAC)", false, appendPersonName},
	hotspotName: {"User-Name (where the device's address is known)", false, func(dst []byte, s *member.Session) []byte {
		if byMAC(s) {
			return dst
		}
		return appendText(dst, typeUserName, s.User)
	}},
	wirelessName: {"the MAC as User-Name (where it is not)", true, func(dst []byte, s *member.Session) []byte {
		if !byMAC(s) {
			return dst
		}
		return appendText(dst, typeUserName, strings.ToUpper(s.StationMAC))
	}},
	callingStation: {"Calling-Station-Id", true, func(dst []byte, s *member.Session) []byte {
		return appendText(dst, typeCallingStationID, callingOf(s))
	}},
	sessionID: {"Acct-Session-Id", true, func(dst []byte, s *member.Session) []byte {
		return appendText(dst, typeAcctSessionID, s.ID)
	}},
	multiSessionID: {"Acct-Multi-Session-Id", true, func(dst []byte, s *member.Session) []byte {
		return appendText(dst, typeAcctMultiSessionID, s.MultiID)
	}},
	framedAddress: {"Framed-IP-Address", true, appendFramedAddress},
	auditID:       {"Cisco-AVPair audit-session-id, else Acct-Session-Id", true, appendAudit},
}

// Attributes that identify, by their numbers (RFC 2865 §5, RFC 2866 §5, RFC 3162 §2.1).
const (
	typeUserName           = 1
	typeNASIPAddress       = 4
	typeFramedIPAddress    = 8
	typeVendorSpecific     = 26
	typeCallingStationID   = 31
	typeNASIdentifier      = 32
	typeAcctSessionID      = 44
	typeAcctMultiSessionID = 50
	typeNASIPv6Address     = 95
	// maxAVPair is the longest value of one attribute in a Vendor-Specific (RFC 2865 §5.26).
	maxAVPair = member.MaxSessionText - 6
)

// Identify appends what names the session, and the NAS that has it, to a NAS of this
// vendor (RFC 5176 §3): encoded attributes for a Disconnect-Request, and for the
// beginning of a CoA-Request. A vendor that is not known, or empty, is generic. A
// value that the NAS has not told is left out; Calling-Station-Id is as it was sent,
// else the MAC as RFC 3580 §3.21 spells it.
//
// Where nothing is left that names this session or this device alone, it returns dst
// as it was: what is sent to a NAS then might end everybody's.
func Identify(vendor string, s *member.Session, dst []byte) []byte {
	out, named := dst, false
	for _, i := range vendorOf(vendor).session {
		id := &identities[i]
		n := len(out)
		out = id.append(out, s)
		named = named || id.named && len(out) > n
	}
	if !named {
		return dst
	}
	return out
}

// Reauthenticate appends what makes a CoA-Request ask a NAS of this vendor to
// authenticate the session's device again. A vendor that has no such attributes
// gets nothing: there a Disconnect-Request serves, since a device that is put off
// comes again.
func Reauthenticate(vendor string, dst []byte) []byte {
	return appendAVPair(dst, vendorOf(vendor).reauthenticate, "")
}

// vendorOf returns the vendor of that name, else the generic one.
func vendorOf(name string) *vendor {
	if v := find(name); v != nil {
		return v
	}
	return vendors[0]
}

// appendText appends an attribute; an empty one is left out (RFC 2865 §5).
func appendText(dst []byte, kind byte, value string) []byte {
	if value == "" || len(value) > member.MaxSessionText {
		return dst
	}
	return append(append(dst, kind, byte(2+len(value))), value...)
}

// appendAVPair appends the Cisco-AVPair key + value, unless key is empty.
func appendAVPair(dst []byte, key, value string) []byte {
	n := len(key) + len(value)
	if key == "" || n > maxAVPair {
		return dst
	}
	dst = append(dst, typeVendorSpecific, byte(8+n))
	dst = binary.BigEndian.AppendUint32(dst, vendorCisco)
	dst = append(dst, ciscoAVPair, byte(2+n))
	return append(append(dst, key...), value...)
}

func appendNASAddress(dst []byte, s *member.Session) []byte {
	switch a := s.NASAddress.Unmap(); {
	case a.Is4():
		return append(append(dst, typeNASIPAddress, 2+4), a.AsSlice()...)
	case a.Is6():
		return append(append(dst, typeNASIPv6Address, 2+16), a.AsSlice()...)
	}
	return dst
}

func appendFramedAddress(dst []byte, s *member.Session) []byte {
	if a := s.Address.Unmap(); a.Is4() {
		return append(append(dst, typeFramedIPAddress, 2+4), a.AsSlice()...)
	}
	return dst
}

func appendPersonName(dst []byte, s *member.Session) []byte {
	if isMAC(s.User, s.StationMAC) {
		return dst
	}
	return appendText(dst, typeUserName, s.User)
}

// byMAC says whether MikroTik knows the device by its MAC.
func byMAC(s *member.Session) bool { return s.StationMAC != "" && !s.Address.Unmap().Is4() }

func appendAudit(dst []byte, s *member.Session) []byte {
	if s.Audit == "" || len(s.Audit) > maxAVPair-len(auditKey) {
		return appendText(dst, typeAcctSessionID, s.ID)
	}
	return appendAVPair(dst, auditKey, s.Audit)
}

const auditKey = "audit-session-id="

// callingOf returns Calling-Station-Id as it was sent, else the MAC with hyphens.
func callingOf(s *member.Session) string {
	if s.Calling != "" {
		return s.Calling
	}
	return strings.ToUpper(strings.ReplaceAll(s.StationMAC, ":", "-"))
}

// isMAC says whether a name spells that MAC ("aa:bb:cc:dd:ee:ff"), in whatever way
// NASes spell one.
func isMAC(name, mac string) bool {
	digits := strings.NewReplacer(":", "", "-", "", ".", "")
	return mac != "" && strings.EqualFold(digits.Replace(name), digits.Replace(mac))
}
