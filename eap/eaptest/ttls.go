package eaptest

import "encoding/binary"

// Codes of RFC 5281 §10.1, which are RADIUS's; Microsoft's have its number.
const (
	CodeUserName     = 1
	CodeUserPassword = 2
	CodeCHAPPassword = 3
	CodeChallenge    = 60
	CodeEAPMessage   = 79

	Microsoft        = 311
	CodeMSResponse   = 1
	CodeMSChallenge  = 11
	CodeMS2Response  = 25
	flagVendor       = 0x80
	flagMandatory    = 0x40
	avpHeader        = 8
	avpVendor        = 4
	passwordMultiple = 16
)

// An AVP is one of TTLS's, mandatory.
type AVP struct {
	Vendor, Code uint32
	Data         []byte
}

// Append appends the AVP and its padding (RFC 5281 §10.1).
func (a AVP) Append(dst []byte) []byte {
	n, flags := avpHeader+len(a.Data), uint32(flagMandatory)
	if a.Vendor != 0 {
		n, flags = n+avpVendor, flags|flagVendor
	}
	dst = binary.BigEndian.AppendUint32(dst, a.Code)
	dst = binary.BigEndian.AppendUint32(dst, flags<<24|uint32(n))
	if a.Vendor != 0 {
		dst = binary.BigEndian.AppendUint32(dst, a.Vendor)
	}
	dst = append(dst, a.Data...)
	return append(dst, make([]byte, -len(a.Data)&3)...)
}

// AVPs appends several.
func AVPs(all ...AVP) (out []byte) {
	for _, a := range all {
		out = a.Append(out)
	}
	return out
}

// PAP is what a Device says inside TTLS: the password, padded (RFC 5281
// §11.2.5), once, unless the session was resumed.
func PAP(login, password string) func(*Device, []byte) []byte {
	said := false
	return func(d *Device, _ []byte) []byte {
		if said || d.Resumed() {
			return nil
		}
		said = true
		padded := append([]byte(password), make([]byte, -len(password)&(passwordMultiple-1))...)
		return AVPs(AVP{Code: CodeUserName, Data: []byte(login)}, AVP{Code: CodeUserPassword, Data: padded})
	}
}
