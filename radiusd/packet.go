package radiusd

import "encoding/binary"

// Codes of RFC 2865 §4, RFC 2866 §4 and RFC 5997 §3.
const (
	codeAccessRequest      = 1
	codeAccessAccept       = 2
	codeAccessReject       = 3
	codeAccountingRequest  = 4
	codeAccountingResponse = 5
	codeAccessChallenge    = 11
	codeStatusServer       = 12
)

// Attribute types that the spine itself reads or writes.
const (
	typeUserName             = 1
	typeUserPassword         = 2
	typeCHAPPassword         = 3
	typeServiceType          = 6
	typeReplyMessage         = 18
	typeState                = 24
	typeClass                = 25
	typeVendorSpecific       = 26
	typeCalledStationID      = 30
	typeCallingStationID     = 31
	typeNASIdentifier        = 32
	typeProxyState           = 33
	typeCHAPChallenge        = 60
	typeFramedMTU            = 12
	typeEAPMessage           = 79
	typeMessageAuthenticator = 80
	typeCUI                  = 89
	typeErrorCause           = 101
	typeEAPKeyName           = 102
)

const (
	headerSize        = 20   // RFC 2865 §3
	maxPacket         = 4096 // RFC 2865 §3
	maxValue          = 253  // an attribute's value, RFC 2865 §5
	authenticatorSize = 16
	// maxAttributes bounds the work that one small packet can ask for, as
	// FreeRADIUS's max_attributes does: 4,096 octets hold 2,038 attributes.
	maxAttributes = 200
)

// A request is a packet decoded in place: every slice lies in raw. Nil is an
// attribute that is absent; one that is there but empty is not nil.
type request struct {
	raw  []byte // cut to the packet's own Length: what follows is padding
	code byte
	id   byte

	userName, userPassword, chapPassword, state, cui []byte
	chapChallenge, serviceType                       []byte
	calledStation, callingStation, nasIdentifier     []byte
	nasPort, statusType, acctSession                 []byte
	msChallenge, msResponse, ms2Response, vendorSSID []byte

	authAt   int // where Message-Authenticator's value begins; 0: there is none
	auths    int // how many Message-Authenticators there are
	proxies  int // how many Proxy-States
	vendors  int // how many Vendor-Specifics
	eap      bool
	eapIdent byte
	// eapEnds is where the last EAP-Message ends; scattered: something stands between two of them.
	eapEnds   int
	scattered bool
	framedMTU []byte
	// message says that there is a Reply-Message.
	message bool
	// keyName says that the NAS wants EAP-Key-Name (RFC 4072 §4.1).
	keyName bool
}

func (r *request) authenticator() []byte { return r.raw[4:headerSize] }

// peek reads the header and cuts the packet to its Length (RFC 2865 §3):
// octets after it are padding, a datagram shorter than it is discarded.
func (r *request) peek(datagram []byte) bool {
	if len(datagram) < headerSize {
		return false
	}
	n := int(binary.BigEndian.Uint16(datagram[2:]))
	if n < headerSize || n > maxPacket || n > len(datagram) {
		return false
	}
	*r = request{raw: datagram[:n:n], code: datagram[0], id: datagram[1]}
	return true
}

// walk finds the attributes and reads none of them, so that nothing is
// interpreted before the packet is known to be authentic. It fails on an
// attribute that is too short or overruns the packet (P8) and on too many.
func (r *request) walk() bool {
	raw := r.raw
	count := 0
	for at := headerSize; at < len(raw); {
		if len(raw)-at < 2 {
			return false
		}
		size := int(raw[at+1])
		if size < 2 || size > len(raw)-at {
			return false
		}
		if count++; count > maxAttributes {
			return false
		}
		r.attribute(raw[at], at+2, raw[at+2:at+size:at+size])
		at += size
	}
	return true
}

// attribute keeps where the value of an attribute lies. Of several the first
// counts, whatever the order of the types (RFC 2865 §5).
func (r *request) attribute(kind byte, at int, value []byte) {
	switch kind {
	case typeUserName:
		keepFirst(&r.userName, value)
	case typeUserPassword:
		keepFirst(&r.userPassword, value)
	case typeCHAPPassword:
		keepFirst(&r.chapPassword, value)
	case typeCHAPChallenge:
		keepFirst(&r.chapChallenge, value)
	case typeServiceType:
		keepFirst(&r.serviceType, value)
	case typeState:
		keepFirst(&r.state, value)
	case typeCUI:
		keepFirst(&r.cui, value)
	case typeCalledStationID:
		keepFirst(&r.calledStation, value)
	case typeCallingStationID:
		keepFirst(&r.callingStation, value)
	case typeNASIdentifier:
		keepFirst(&r.nasIdentifier, value)
	case typeNASPort:
		keepFirst(&r.nasPort, value)
	case typeAcctStatusType:
		keepFirst(&r.statusType, value)
	case typeAcctSessionID:
		keepFirst(&r.acctSession, value)
	case typeReplyMessage:
		r.message = true
	case typeProxyState:
		r.proxies++
	case typeVendorSpecific:
		r.vendors++
	case typeEAPMessage:
		if !r.eap && len(value) >= 2 {
			r.eapIdent = value[1]
		}
		r.scattered = r.scattered || r.eap && r.eapEnds != at-2
		r.eap, r.eapEnds = true, at+len(value)
	case typeFramedMTU:
		keepFirst(&r.framedMTU, value)
	case typeEAPKeyName:
		r.keyName = true
	case typeMessageAuthenticator:
		r.auths++
		r.authAt = at
		if len(value) != authenticatorSize {
			r.auths = len(r.raw) // never right: B7
		}
	}
}

func keepFirst(kept *[]byte, value []byte) {
	if *kept == nil {
		*kept = value
	}
}

// each calls f for every attribute of a packet that walk has taken.
func (r *request) each(f func(kind byte, value []byte)) {
	for at := headerSize; at < len(r.raw); at += int(r.raw[at+1]) {
		f(r.raw[at], r.raw[at+2:at+int(r.raw[at+1])])
	}
}
