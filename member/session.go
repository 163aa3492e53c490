package member

import (
	"net/netip"
	"time"
)

// An Event is what a NAS reports of a session, or of itself (RFC 2866 §5.1).
type Event uint8

const (
	// NoEvent reports nothing. It is the zero value.
	NoEvent Event = iota
	// Start: a session has begun.
	Start
	// Interim: it goes on, and its counters are (RFC 2869 §2.1).
	Interim
	// Stop: it has ended.
	Stop
	// NASOn: the NAS begins to report (Accounting-On). Whatever sessions it had are over.
	NASOn
	// NASOff: it ends to report (Accounting-Off), and so do its sessions.
	NASOff
)

var eventWords = [...]string{"none", "start", "interim", "stop", "on", "off"}

// String returns the event as log, metrics and exports spell it.
func (e Event) String() string {
	if int(e) < len(eventWords) {
		return eventWords[e]
	}
	return "unknown"
}

// A Session is what a NAS reports of one session at one moment: an
// Accounting-Request (RFC 2866). Client, NAS, ID and User are its key; the
// counters are totals since it began.
type Session struct {
	Event Event
	// Client is the [[client]] that the report came by. NAS is who reports: the
	// NAS-Identifier, else the NAS-IP-Address, else the address it came from. ID is
	// Acct-Session-Id, User the User-Name, as they were sent.
	Client, NAS, ID, User string
	// MultiID is Acct-Multi-Session-Id: the same on all access points that a
	// device moves between; empty where the NAS has none.
	MultiID string
	// Login, Backend, Plan and VLAN are what the decision behind the session gave,
	// Decision its id (from Class, RFC 2865 §5.25). Where the NAS does not return
	// Class, or the server has started since, Login is User and the others are empty.
	Login, Backend, Plan, VLAN, Decision string
	// Site is the client's [[site]], SSID the network's name.
	Site, SSID string
	// Audit is Cisco's own id of the session, the audit-session-id of a Cisco-AVPair; empty where there is none.
	Audit string
	// StationMAC is the device as "aa:bb:cc:dd:ee:ff"; Calling and Called are
	// Calling-Station-Id and Called-Station-Id as they were sent.
	StationMAC, Calling, Called string
	// Address is the device's Framed-IP-Address; invalid where it is not known.
	Address netip.Addr
	// Peer is where the report came from, NASAddress and NASIdentifier what it says of
	// itself, Port and PortID its NAS-Port (with HasPort) and NAS-Port-Id.
	Peer, NASAddress netip.Addr
	NASIdentifier    string
	Port             uint32
	HasPort          bool
	PortID           string
	// At is when it was so: Event-Timestamp (RFC 2869 §5.3), else Received less
	// Acct-Delay-Time. Received is when the report came.
	At, Received time.Time
	// Input is octets from the device, Output to it, with their Gigawords.
	Input, Output, InputPackets, OutputPackets uint64
	// Duration is Acct-Session-Time; 0 where the NAS did not say.
	Duration time.Duration
	// Cause is Acct-Terminate-Cause by its name ("User-Request"); only with Stop.
	Cause string
	// Interim is the Acct-Interim-Interval and Timeout the Session-Timeout that the
	// NAS was told; 0 where none, or where the decision is not known any more.
	Interim, Timeout time.Duration
}

// MaxSessionText is the longest of a Session's texts in octets: one attribute (RFC 2865 §5).
const MaxSessionText = 253

// AddressText writes an address; "" where there is none.
func AddressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
