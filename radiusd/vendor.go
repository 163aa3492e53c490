package radiusd

import "encoding/binary"

// Vendors and their attributes that the spine itself reads or writes; all
// others are the dictionary's and policy's.
const (
	vendorCisco     = 9
	vendorMicrosoft = 311 // RFC 2548
	vendorAruba     = 14823
	vendorRuckus    = 25053

	msCHAPResponse         = 1
	msCHAPError            = 2
	msMPPEEncryptionPolicy = 7
	msMPPEEncryptionTypes  = 8
	msCHAPChallenge        = 11
	msCHAPMPPEKeys         = 12
	msMPPESendKey          = 16
	msMPPERecvKey          = 17
	msCHAP2Response        = 25
	msCHAP2Success         = 26

	ciscoAVPair    = 1
	arubaESSIDName = 5
	ruckusSSID     = 3
)

// vendorSpecific reads the Vendor-Specific attributes of an authentic packet
// (RFC 2865 §5.26). One that does not follow the recommended format is ignored.
func (r *request) vendorSpecific() {
	for at := headerSize; r.vendors > 0 && at < len(r.raw); at += int(r.raw[at+1]) {
		if r.raw[at] != typeVendorSpecific {
			continue
		}
		r.vendors--
		value := r.raw[at+2 : at+int(r.raw[at+1])]
		if len(value) < 6 {
			continue
		}
		vendor := binary.BigEndian.Uint32(value)
		for sub := value[4:]; len(sub) >= 2; {
			size := int(sub[1])
			if size < 2 || size > len(sub) {
				break
			}
			r.subAttribute(vendor, sub[0], sub[2:size:size])
			sub = sub[size:]
		}
	}
}

func (r *request) subAttribute(vendor uint32, kind byte, value []byte) {
	switch vendor {
	case vendorMicrosoft:
		switch kind {
		case msCHAPChallenge:
			keepFirst(&r.msChallenge, value)
		case msCHAPResponse:
			keepFirst(&r.msResponse, value)
		case msCHAP2Response:
			keepFirst(&r.ms2Response, value)
		}
	case vendorAruba:
		if kind == arubaESSIDName {
			keepFirst(&r.vendorSSID, value)
		}
	case vendorRuckus:
		if kind == ruckusSSID {
			keepFirst(&r.vendorSSID, value)
		}
	}
}
