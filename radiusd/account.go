package radiusd

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"memberradius/member"
)

// The way of an Accounting-Request (RFC 2866). It is taken up where the others
// are, waits in a pool of its own until what it reports is kept, and is only
// then acknowledged: a disk that stands still must hold up no login.

// Attributes of RFC 2866 §5, RFC 2869 §5, RFC 2865 §5 and RFC 3162 §2.1 that reports are made of.
const (
	typeNASIPAddress     = 4
	typeNASPort          = 5
	typeFramedIPAddress  = 8
	typeAcctStatusType   = 40
	typeAcctDelayTime    = 41
	typeAcctInput        = 42
	typeAcctOutput       = 43
	typeAcctSessionID    = 44
	typeAcctSessionTime  = 46
	typeAcctInputPkts    = 47
	typeAcctOutputPkts   = 48
	typeAcctCause        = 49
	typeAcctMultiID      = 50
	typeAcctInputGiga    = 52
	typeAcctOutputGiga   = 53
	typeEventTimestamp   = 55
	typeNASPortID        = 87
	typeNASIPv6Address   = 95
	clockTolerance       = 24 * time.Hour
	maxClassLookup       = time.Minute
	defaultAccounts      = 512
	defaultAccountsQueue = 8192
)

// A Recorder keeps what NASes report.
type Recorder interface {
	// Record returns nil once the report is kept so that it survives a power cut:
	// then it is acknowledged (RFC 2866 §4.1). After an error the NAS hears
	// nothing and reports again. It may wait until ctx ends, is called by many
	// goroutines, and must be idempotent. The session is Record's to keep.
	Record(ctx context.Context, s *member.Session) error
}

// events are the values of Acct-Status-Type (RFC 2866 §5.1) that report
// something of a session. Others (tunnels, a NAS's own words) are acknowledged,
// so that they are not sent for ever, and not kept.
var events = map[uint32]member.Event{
	1: member.Start, 2: member.Stop, 3: member.Interim, 7: member.NASOn, 8: member.NASOff,
}

// causes are the names of Acct-Terminate-Cause (RFC 2866 §5.10), by its value.
var causes = [...]string{
	1: "User-Request", 2: "Lost-Carrier", 3: "Lost-Service", 4: "Idle-Timeout", 5: "Session-Timeout", 6: "Admin-Reset",
	7: "Admin-Reboot", 8: "Port-Error", 9: "NAS-Error", 10: "NAS-Request", 11: "NAS-Reboot", 12: "Port-Unneeded",
	13: "Port-Preempted", 14: "Port-Suspended", 15: "Service-Unavailable", 16: "Callback", 17: "User-Error", 18: "Host-Request",
	// RFC 3580 §3.5
	19: "Supplicant-Restart", 20: "Reauthentication-Failure", 21: "Port-Reinit", 22: "Port-Disabled",
}

// address reads an address of that many octets; 0.0.0.0 is none.
func address(to *netip.Addr, value []byte, size int) {
	if a, ok := netip.AddrFromSlice(value); ok && len(value) == size && !a.IsUnspecified() {
		*to = a
	}
}

// verifiedReport: the Request Authenticator of a report is a sum over it with
// the secret (RFC 2866 §3). A Message-Authenticator may be there besides; it is
// made with zeros in the other's place.
func (x *exchange) verifiedReport() bool {
	raw := x.raw
	x.arena = append(append(append(append(x.arena[:0], raw[:4]...), unsigned[:]...), raw[headerSize:]...), x.client.key.secret...)
	sum := md5.Sum(x.arena)
	if !sameAuthenticator(sum[:], x.request.authenticator()) {
		return x.drop(dropWrongRequestAuthenticator)
	}
	switch {
	case x.auths == 0:
		return true
	case x.auths > 1:
		return x.drop(dropSeveralAuthenticators)
	}
	text := x.arena[:len(raw)]
	clear(text[x.authAt : x.authAt+authenticatorSize])
	mac := hmac.New(md5.New, x.client.key.secret)
	_, _ = mac.Write(text)
	if !sameAuthenticator(mac.Sum(nil), raw[x.authAt:x.authAt+authenticatorSize]) {
		return x.drop(dropWrongAuthenticator)
	}
	return true
}

// lawfulReport: it says what it reports, of which session, and holds nothing
// that belongs to a login (RFC 2866 §5.13, RFC 3579 §3.3).
func (x *exchange) lawfulReport() bool {
	if x.userPassword != nil || x.chapPassword != nil || x.state != nil || x.eap || x.message || len(x.statusType) != 4 {
		return x.drop(dropNoReport)
	}
	if e := x.event(); len(x.acctSession) == 0 && (e == member.Start || e == member.Interim || e == member.Stop) {
		return x.drop(dropNoReport)
	}
	return true
}

// event is what a report tells of; NoEvent is nothing that is kept.
func (r *request) event() member.Event { return events[binary.BigEndian.Uint32(r.statusType)] }

// account is the rest of the way: the report is kept, then acknowledged.
func (x *exchange) account() {
	e := x.event()
	switch {
	case e == member.NoEvent:
		x.acknowledge()
		return
	case x.server.config.Recorder == nil:
		x.drop(dropAccounting)
		x.forget()
		return
	case !x.mayWait:
		x.leave()
		return
	}
	s := x.report()
	ctx, cancel := context.WithDeadline(context.Background(), x.deadline)
	defer cancel()
	if err := x.server.config.Recorder.Record(ctx, s); err != nil {
		x.drop(dropUnrecorded)
		if !tooSoon(&x.server.unrecordedSaid, refusedPause) {
			x.server.trouble(fmt.Errorf("accounting of client %s is not acknowledged, its NAS reports again: %w", s.Client, err))
		}
		x.forget()
		return
	}
	x.server.meters.reports.WithLabelValues(s.Client, e.String()).Inc()
	x.acknowledge()
}

// acknowledge answers with an Accounting-Response (RFC 2866 §4.2).
func (x *exchange) acknowledge() {
	x.open(codeAccountingResponse)
	x.close(0)
}

// report reads the session that the request is about. Its texts are copies.
func (x *exchange) report() *member.Session {
	s := &member.Session{
		Client: x.client.config.Name, Site: x.client.config.Site, User: string(x.userName),
		NASIdentifier: string(x.nasIdentifier), Calling: string(x.callingStation), Called: string(x.calledStation),
		Peer: x.arrival.Remote.Addr().Unmap(), Received: x.received.UTC().Round(0), Event: x.event(), ID: string(x.acctSession),
	}
	s.At = s.Received
	if readMAC(&x.mac, x.callingStation) > 0 {
		s.StationMAC = string(x.mac[:])
	}
	r := reading{s: s}
	x.each(r.take)
	r.finish()
	x.vendorSpecific()
	s.SSID = string(x.ssid())
	switch {
	case s.NASIdentifier != "":
		s.NAS = s.NASIdentifier
	case s.NASAddress.IsValid():
		s.NAS = s.NASAddress.String()
	default:
		s.NAS = s.Peer.String()
	}
	s.Login = s.User
	if x.link(s, r.class); s.Decision == "" {
		x.own(s)
	}
	return s
}

// A reading is a report while its attributes are read. Of several of one kind
// the first counts.
type reading struct {
	s                 *member.Session
	seen              [256]bool
	class             []byte
	inGiga, outGiga   uint64
	delay             time.Duration
	stamp             uint32
	cause             uint32
	hasCause, stamped bool
}

// take reads one attribute. One of a wrong length is no value (RFC 8044).
func (r *reading) take(kind byte, value []byte) {
	if kind == typeVendorSpecific {
		r.cisco(value)
		return
	}
	if r.seen[kind] {
		return
	}
	r.seen[kind] = true
	if len(value) == 4 {
		r.number(kind, binary.BigEndian.Uint32(value))
	}
	s := r.s
	switch kind {
	case typeAcctMultiID:
		s.MultiID = string(value)
	case typeNASPortID:
		s.PortID = string(value)
	case typeClass:
		r.class = value
	case typeNASIPAddress:
		address(&s.NASAddress, value, 4)
	case typeNASIPv6Address:
		if !s.NASAddress.IsValid() {
			address(&s.NASAddress, value, 16)
		}
	case typeFramedIPAddress:
		address(&s.Address, value, 4)
	}
}

// auditKey begins the Cisco-AVPair that names a session to Cisco's controllers
// and to those that took it over from them (Meraki).
const auditKey = "audit-session-id="

// cisco reads a Vendor-Specific of Cisco's (RFC 2865 §5.26): vendor, type 1, length, text.
func (r *reading) cisco(value []byte) {
	const header = 6
	if len(value) < header || binary.BigEndian.Uint32(value) != vendorCisco || value[4] != ciscoAVPair || int(value[5]) != len(value)-4 {
		return
	}
	if id, ok := strings.CutPrefix(string(value[header:]), auditKey); ok && r.s.Audit == "" {
		r.s.Audit = id
	}
}

// number reads an attribute of 4 octets.
func (r *reading) number(kind byte, n uint32) {
	s := r.s
	switch kind {
	case typeAcctDelayTime:
		r.delay = time.Duration(n) * time.Second
	case typeAcctInput:
		s.Input = uint64(n)
	case typeAcctOutput:
		s.Output = uint64(n)
	case typeAcctInputGiga:
		r.inGiga = uint64(n)
	case typeAcctOutputGiga:
		r.outGiga = uint64(n)
	case typeAcctInputPkts:
		s.InputPackets = uint64(n)
	case typeAcctOutputPkts:
		s.OutputPackets = uint64(n)
	case typeAcctSessionTime:
		s.Duration = time.Duration(n) * time.Second
	case typeAcctCause:
		r.cause, r.hasCause = n, true
	case typeEventTimestamp:
		r.stamp, r.stamped = n, true
	case typeNASPort:
		s.Port, s.HasPort = n, true
	}
}

// finish puts together what several attributes say. A NAS whose clock is off by
// more than a day, as after a start without time, is not believed.
func (r *reading) finish() {
	s := r.s
	s.Input, s.Output = s.Input+r.inGiga<<32, s.Output+r.outGiga<<32
	if stamp := time.Unix(int64(r.stamp), 0).UTC(); r.stamped && stamp.Sub(s.Received).Abs() <= clockTolerance {
		s.At = stamp
	} else if r.delay <= clockTolerance {
		s.At = s.Received.Add(-r.delay)
	}
	if s.Event == member.Stop && r.hasCause {
		s.Cause = causeName(r.cause)
	}
}

func causeName(n uint32) string {
	if n > 0 && int64(n) < int64(len(causes)) {
		return causes[n]
	}
	return fmt.Sprint(n)
}

// link adds what the decision behind a session gave, where the NAS returns our
// Class and the decision is not too long ago. What a session keeps from its
// beginning the Recorder knows.
func (x *exchange) link(s *member.Session, class []byte) {
	if len(class) != len(decisionID{}) {
		return
	}
	id := decisionID(class)
	if s.Event != member.Start && s.Received.Sub(id.time()) > maxClassLookup {
		return
	}
	d, ok := x.server.decided(id)
	if !ok || d.client.config.Name != s.Client {
		return
	}
	s.Login, s.Backend = string(d.login[:d.loginLen]), d.backend
	if d.owner != "" {
		s.Login = d.owner
	}
	s.Plan, s.VLAN, s.Decision, s.Timeout = d.plan, d.vlan, id.String(), d.session
	if x.tables.Book != nil {
		s.Interim = x.tables.Book.Interim(d.plan)
	}
}

// own names whose device it is that came in by its address, where the NAS does not
// return our Class: what becomes of her becomes of it.
func (x *exchange) own(s *member.Session) {
	mac, ok := ParseMAC(s.User)
	if !ok || x.tables.Doors == nil {
		return
	}
	a := member.Attempt{Login: mac, StationMAC: mac, Proof: member.Proof{Kind: member.MAC}, Site: s.Site, Client: s.Client, Received: s.Received}
	var out member.Answer
	if x.tables.Doors.Known(&a, &out) && out.Verdict == member.Allow && !out.Guest {
		s.Login, s.Backend = out.Member.Login, out.Member.Backend
	}
}

// decided finds a decision by its id.
func (s *Server) decided(id decisionID) (record, bool) {
	for _, j := range s.journals {
		if r, ok := j.byID(id); ok {
			return r, true
		}
	}
	return record{}, false
}
