package peer

import (
	"encoding/binary"
	"fmt"
)

// A tlv is one of those that EAP type 33 carries inside PEAP
// (draft-josefsson-pppext-eap-tls-eap-10 §4, MS-PEAP §2.2.8).
type tlv struct {
	Kind      uint16
	Mandatory bool
	Value     []byte
}

const (
	tlvHeader    = 4
	tlvMandatory = 0x8000
	tlvKinds     = 0x3fff

	tlvResult  = 3
	tlvBinding = 12

	resultSuccess = 1
	resultFailure = 2
)

func (t tlv) append(b []byte) []byte {
	kind := t.Kind
	if t.Mandatory {
		kind |= tlvMandatory
	}
	b = binary.BigEndian.AppendUint16(b, kind)
	b = binary.BigEndian.AppendUint16(b, uint16(len(t.Value)))
	return append(b, t.Value...)
}

func parseTLVs(b []byte) ([]tlv, error) {
	var all []tlv
	for len(b) > 0 {
		if len(b) < tlvHeader {
			return nil, fmt.Errorf("peer: TLV of %d octets: %w", len(b), errMalformed)
		}
		kind, size := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if size > len(b)-tlvHeader {
			return nil, fmt.Errorf("peer: TLV %d of length %d in %d octets: %w", kind&tlvKinds, size, len(b), errMalformed)
		}
		all = append(all, tlv{kind & tlvKinds, kind&tlvMandatory != 0, b[tlvHeader : tlvHeader+size]})
		b = b[tlvHeader+size:]
	}
	return all, nil
}

// result returns a Result TLV (MS-PEAP §2.2.8.1.2).
func result(status uint16) tlv {
	return tlv{tlvResult, true, binary.BigEndian.AppendUint16(nil, status)}
}
