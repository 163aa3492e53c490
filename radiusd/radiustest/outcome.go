package radiustest

import (
	"crypto/subtle"
	"fmt"
	"io"
	"strconv"
	"strings"

	"memberradius/dictionary"
)

// A Key is a session key. It is never printed; []byte(k) is the one way to it.
type Key []byte

const redacted = "[redacted]"

// Format implements fmt.Formatter for every verb.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText implements encoding.TextMarshaler, and so JSON.
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// An MSCHAPError is what MS-CHAP-Error says (RFC 2759 §6): why, whether the
// device may try again, the challenge for that, the version, and a text.
type MSCHAPError struct {
	Code      int
	Retry     bool
	Challenge string
	Version   int
	Message   string
}

// String returns the error in the RFC's form, without its challenge.
func (e *MSCHAPError) String() string {
	retry := 0
	if e.Retry {
		retry = 1
	}
	return fmt.Sprintf("E=%d R=%d V=%d M=%s", e.Code, retry, e.Version, e.Message)
}

// parseError reads "E=691 R=0 C=<32 hexadecimal digits> V=3 M=text". M= ends
// it, since only the text may hold blanks.
func parseError(text string) (*MSCHAPError, error) {
	e := &MSCHAPError{}
	for text != "" {
		key, rest, ok := strings.Cut(text, "=")
		if !ok {
			return nil, fmt.Errorf("%w: MS-CHAP-Error has a part without \"=\"", ErrMalformed)
		}
		if key == "M" {
			e.Message = rest
			return e, nil
		}
		value, rest, _ := strings.Cut(rest, " ")
		text = rest
		var err error
		switch key {
		case "E":
			e.Code, err = strconv.Atoi(value)
		case "R":
			e.Retry = value == "1"
		case "C":
			e.Challenge = value
		case "V":
			e.Version, err = strconv.Atoi(value)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: MS-CHAP-Error: %s is no number", ErrMalformed, key)
		}
	}
	return e, nil
}

// read decodes a verified reply and says what is wrong with it.
func (s *Sent) read(r *Reply) error {
	err := s.dictionary.Each(r.Raw[headerSize:], func(a *dictionary.Attribute, value []byte) {
		r.Attributes = append(r.Attributes, Attribute{a.Name, a.Text(value)})
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	var lines []string
	for _, line := range r.Values(typeReplyMessage) {
		lines = append(lines, string(line))
	}
	r.Message = strings.Join(lines, "\n")
	s.readSuccess(r)
	s.readError(r)
	switch s.expect.method {
	case MSCHAPv2:
		s.readKeys(r)
	case MSCHAP:
		s.readKeysV1(r)
	case eapRound:
		s.readEAP(r)
	}
	if r.Signed && !r.SignedFirst {
		r.fault("Message-Authenticator is not the first attribute (CVE-2024-3596)")
	}
	return nil
}

func (r *Reply) fault(format string, args ...any) {
	r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
}

// readSuccess checks the server's own proof (RFC 2759 §5): a device that gets
// none, or a wrong one, must hang up.
func (s *Sent) readSuccess(r *Reply) {
	values := r.VendorValues(vendorMicrosoft, typeMSCHAP2Success)
	switch {
	case len(values) == 0:
		if r.Code == AccessAccept && s.expect.method == MSCHAPv2 {
			r.fault("MS-CHAP2-Success is missing: the device can't tell that this is its server")
		}
		return
	case r.Code != AccessAccept:
		r.fault("MS-CHAP2-Success stands in an %s", r.Code)
	case s.expect.method != MSCHAPv2:
		r.fault("MS-CHAP2-Success answers a request without MS-CHAPv2")
	}
	want := append([]byte{s.expect.ident}, s.expect.success[:]...)
	if len(values) == 1 && s.expect.method == MSCHAPv2 && subtle.ConstantTimeCompare(values[0], want) == 1 {
		r.Success = Right
		return
	}
	r.Success = Mismatch
	r.fault("MS-CHAP2-Success does not show that the server knows the password")
}

func (s *Sent) readError(r *Reply) {
	for _, value := range r.VendorValues(vendorMicrosoft, typeMSCHAPError) {
		if len(value) < 1 {
			r.fault("MS-CHAP-Error is empty")
			return
		}
		if value[0] != s.expect.ident && s.expect.method != eapRound {
			r.fault("MS-CHAP-Error has another identifier than the request")
		}
		e, err := parseError(string(value[1:]))
		if err != nil {
			r.fault("MS-CHAP-Error can't be read")
			return
		}
		if len(e.Challenge) != 32 && s.expect.method == MSCHAPv2 {
			r.fault("MS-CHAP-Error has no challenge of 32 digits (RFC 2759 §6)")
		}
		r.Error = e
	}
}

// readKeys decrypts the MPPE keys of MS-CHAPv2 or EAP and compares them (RFC
// 2548 §2.4.2, RFC 3079 §3.3, RFC 3580 §3.16).
func (s *Sent) readKeys(r *Reply) {
	send := r.VendorValues(vendorMicrosoft, typeMSMPPESendKey)
	recv := r.VendorValues(vendorMicrosoft, typeMSMPPERecvKey)
	if len(send)+len(recv) == 0 {
		return
	}
	r.Keys = Mismatch
	if len(send) != 1 || len(recv) != 1 {
		r.fault("the reply has %d MS-MPPE-Send-Key and %d MS-MPPE-Recv-Key instead of one each", len(send), len(recv))
		return
	}
	sendKey, sendSalt, err1 := s.signer.decryptKey(send[0], &s.authenticator)
	recvKey, recvSalt, err2 := s.signer.decryptKey(recv[0], &s.authenticator)
	if err1 != nil || err2 != nil {
		r.fault("the MPPE keys can't be decrypted")
		return
	}
	r.SendKey, r.RecvKey = sendKey, recvKey
	if sendSalt[0]&recvSalt[0]&0x80 == 0 {
		r.fault("the salt of an MPPE key lacks its highest bit (RFC 2548 §2.4.2)")
	}
	if sendSalt == recvSalt {
		r.fault("both MPPE keys have the same salt (RFC 2548 §2.4.2)")
	}
	if s.short(r) {
		r.fault("the MPPE keys have 16 octets each, and together are the first half of the MSK: WPA takes 32 of MS-MPPE-Recv-Key")
		r.Keys = Right
		return
	}
	if subtle.ConstantTimeCompare(sendKey, s.expect.sendKey)&subtle.ConstantTimeCompare(recvKey, s.expect.recvKey) != 1 {
		r.fault("the MPPE keys are not those of this login: the device and the access point will not understand each other")
		return
	}
	r.Keys = Right
}

// short says whether the keys are those of MS-CHAPv2 (RFC 3079) where EAP's are
// due, as FreeRADIUS sends them with EAP-MSCHAPv2 outside a tunnel.
func (s *Sent) short(r *Reply) bool {
	const half = 16
	return len(s.expect.recvKey) == 2*half && len(r.RecvKey) == half && len(r.SendKey) == half &&
		subtle.ConstantTimeCompare(append(append([]byte(nil), r.RecvKey...), r.SendKey...), s.expect.recvKey) == 1
}

// readKeysV1 does the same for MS-CHAP-MPPE-Keys (RFC 2548 §2.4.1), of whose LM
// key nothing is known here.
func (s *Sent) readKeysV1(r *Reply) {
	values := r.VendorValues(vendorMicrosoft, typeMSCHAPMPPEKeys)
	if len(values) == 0 {
		return
	}
	r.Keys = Mismatch
	if len(values) != 1 || len(values[0]) != 32 {
		r.fault("MS-CHAP-MPPE-Keys is not one value of 32 octets")
		return
	}
	keys := s.signer.reveal(values[0], s.authenticator[:])
	if subtle.ConstantTimeCompare(keys[8:24], s.expect.keysV1[8:]) != 1 {
		r.fault("MS-CHAP-MPPE-Keys is not that of this login")
		return
	}
	r.SendKey, r.RecvKey = keys[8:24], keys[8:24]
	r.Keys = Right
}
