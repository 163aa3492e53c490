package coa

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"memberradius/radiusd/policy"

	"layeh.com/radius"
)

var update = flag.Bool("update", false, "write golden files anew")

// monday is a moment like any other.
var monday = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func encoded(t testing.TB, r request) []byte {
	t.Helper()
	b, err := r.encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestRequestGolden keeps requests octet for octet. C2.
func TestRequestGolden(t *testing.T) {
	t.Parallel()
	var s strings.Builder
	for _, vendor := range policy.Vendors() {
		for _, code := range []byte{codeDisconnectRequest, codeCoARequest} {
			r := request{code: code, id: 7, secret: testSecret, at: monday, session: policy.Identify(vendor, session(), nil)}
			if code == codeCoARequest {
				r.changes = policy.Reauthenticate(vendor, []byte{27, 6, 0, 0, 14, 16}) // Session-Timeout = 3600
			}
			fmt.Fprintf(&s, "# %s, %s\n%s\n", nameOf(code), vendor, hex.EncodeToString(encoded(t, r)))
		}
	}
	path := filepath.Join("testdata", "requests.golden")
	if *update {
		if err := os.WriteFile(path, []byte(s.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; go test -update writes it", err)
	}
	if got := s.String(); got != string(want) {
		t.Errorf("%s differs from what is sent; go test -update writes it anew. Now:\n%s", path, got)
	}
}

// layeh.com/radius reads what is sent, finds it authentic, and encodes the same.
func TestRequestOracle(t *testing.T) {
	t.Parallel()
	for _, code := range []byte{codeDisconnectRequest, codeCoARequest} {
		for _, vendor := range policy.Vendors() {
			b := encoded(t, request{code: code, id: 200, secret: testSecret, at: monday, session: policy.Identify(vendor, session(), nil)})
			if why := lawful(b, testSecret, monday); why != "" {
				t.Errorf("%s, %s: %s", nameOf(code), vendor, why)
			}
			p, err := radius.Parse(b, []byte(testSecret))
			if err != nil {
				t.Fatal(err)
			}
			again, err := p.Encode()
			if err != nil || hex.EncodeToString(again) != hex.EncodeToString(b) {
				t.Errorf("%s, %s: layeh encodes %x, %v; not %x", nameOf(code), vendor, again, err, b)
			}
		}
	}
}

func TestRequestTooLong(t *testing.T) {
	t.Parallel()
	r := request{code: codeCoARequest, secret: testSecret, at: monday, session: make([]byte, 40), changes: make([]byte, 4012)}
	if b := encoded(t, r); len(b) != maxPacket {
		t.Errorf("%d octets", len(b))
	}
	r.changes = make([]byte, 4013)
	if _, err := r.encode(); err == nil {
		t.Error("a packet of 4,097 octets is sent")
	}
}

// TestAnswers reads answers that layeh made, with every Error-Cause and none.
func TestAnswers(t *testing.T) {
	t.Parallel()
	causes := []ErrorCause{0, 201, 202, 401, 402, 403, 404, 405, 406, 407, 501, 502, 503, 504, 505, 506, 507, 508, 999}
	for _, code := range []byte{codeDisconnectRequest, codeCoARequest} {
		b := encoded(t, request{code: code, id: 255, secret: testSecret, at: monday, session: []byte{44, 3, '1'}})
		for _, signed := range []bool{false, true} {
			for _, cause := range causes {
				for _, to := range []byte{toACK, toNAK} {
					reply := answerTo(t, b, radius.Code(code+to), testSecret, cause, signed)
					for _, padding := range []int{0, 1, 100} {
						got, err := decodeAnswer(append(append([]byte(nil), reply...), make([]byte, padding)...), b, testSecret)
						if err != nil || got.ack != (to == toACK) || got.cause != cause {
							t.Errorf("code %d, %v, signed %t, %d octets behind: %+v, %v", code+to, cause, signed, padding, got, err)
						}
					}
				}
			}
		}
	}
}

// Nothing that is changed in an answer passes: not one bit, not its end, not its
// request, not the secret.
func TestAnswersChanged(t *testing.T) {
	t.Parallel()
	b := encoded(t, request{code: codeDisconnectRequest, id: 1, secret: testSecret, at: monday, session: []byte{44, 3, '1'}})
	for _, signed := range []bool{false, true} {
		good := answerTo(t, b, radius.CodeDisconnectNAK, testSecret, SessionContextNotFound, signed)
		for i := range 8 * len(good) {
			bad := append([]byte(nil), good...)
			bad[i/8] ^= 1 << (i % 8)
			if a, err := decodeAnswer(bad, b, testSecret); err == nil {
				t.Errorf("signed %t, bit %d: %+v", signed, i, a)
			}
		}
		for n := range good {
			if a, err := decodeAnswer(good[:n], b, testSecret); err == nil {
				t.Errorf("signed %t, %d octets: %+v", signed, n, a)
			}
		}
		if a, err := decodeAnswer(good, b, testSecret+"x"); !errors.Is(err, errForged) {
			t.Errorf("another secret: %+v, %v", a, err)
		}
		other := encoded(t, request{code: codeDisconnectRequest, id: 1, secret: testSecret, at: monday.Add(time.Second), session: []byte{44, 3, '1'}})
		if a, err := decodeAnswer(good, other, testSecret); !errors.Is(err, errForged) {
			t.Errorf("another request: %+v, %v", a, err)
		}
	}
	for _, code := range []radius.Code{radius.CodeCoAACK, radius.CodeCoANAK, radius.CodeAccessAccept, radius.CodeAccessReject} {
		if a, err := decodeAnswer(answerTo(t, b, code, testSecret, 0, true), b, testSecret); err == nil {
			t.Errorf("code %d: %+v", code, a)
		}
	}
}

// A Message-Authenticator that is there must be right, and there once, though the
// Response Authenticator over it is.
func TestAnswersMessageAuthenticator(t *testing.T) {
	t.Parallel()
	b := encoded(t, request{code: codeDisconnectRequest, id: 1, secret: testSecret, at: monday, session: []byte{44, 3, '1'}})
	request, err := radius.Parse(b, []byte(testSecret))
	if err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int{"wrong": 16, "short": 15, "long": 17, "empty": 0, "the first of two": 16} {
		r := request.Response(radius.CodeDisconnectACK)
		r.Add(typeMessageAuthenticator, make([]byte, size))
		if name == "the first of two" {
			r.Add(typeMessageAuthenticator, make([]byte, authenticatorSize))
			plain, err := r.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			mac := hmac.New(md5.New, []byte(testSecret))
			mac.Write(plain)
			copy(r.Attributes[1].Attribute, mac.Sum(nil))
		}
		reply, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if a, err := decodeAnswer(reply, b, testSecret); !errors.Is(err, errForged) {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

func TestErrorCauseNames(t *testing.T) {
	t.Parallel()
	for c, want := range map[ErrorCause]string{
		0: "none", 201: "Residual-Session-Context-Removed", 202: "Invalid-EAP-Packet", 203: "203",
		UnsupportedAttribute: "Unsupported-Attribute", NASIdentificationMismatch: "NAS-Identification-Mismatch",
		InvalidAttributeValue: "Invalid-Attribute-Value", 408: "408", 500: "500",
		AdministrativelyProhibited: "Administratively-Prohibited", SessionContextNotFound: "Session-Context-Not-Found",
		MultipleSessionSelectionUnsupported: "Multiple-Session-Selection-Unsupported", 509: "509", 4294967295: "4294967295",
	} {
		if got := c.String(); got != want {
			t.Errorf("%d: %s, want %s", uint32(c), got, want)
		}
	}
	if ErrorCause(77).label() != "other" || SessionContextNotFound.label() != "Session-Context-Not-Found" {
		t.Error("labels")
	}
}

func TestGone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		r    Result
		gone bool
	}{
		{Result{}, false}, {Result{Outcome: ACK}, true}, {Result{Outcome: ACK, Cause: ResidualSessionContextRemoved}, true},
		{Result{Outcome: NAK}, false}, {Result{Outcome: NAK, Cause: SessionContextNotFound}, true},
		{Result{Outcome: NAK, Cause: SessionContextNotRemovable}, false}, {Result{Outcome: Timeout, Cause: SessionContextNotFound}, false},
		{Result{Outcome: Refused}, false}, {Result{Outcome: Busy}, false}, {Result{Outcome: Ended}, false},
	} {
		if c.r.Gone() != c.gone || c.r.Acked() != (c.r.Outcome == ACK) {
			t.Errorf("%+v: gone %t, acked %t", c.r, c.r.Gone(), c.r.Acked())
		}
	}
	if Outcome(200).String() != "unknown" || Ended.String() != "ended" || Unsent.String() != "unsent" {
		t.Error("the words of outcomes")
	}
}

// nowhere is an address that no test listens at.
var nowhere = netip.MustParseAddrPort("192.0.2.1:3799")

func FuzzAnswer_NoPanic(f *testing.F) {
	b := encoded(f, request{code: codeDisconnectRequest, id: 1, secret: testSecret, at: monday, session: []byte{44, 3, '1'}})
	good := answerTo(f, b, radius.CodeDisconnectNAK, testSecret, SessionContextNotFound, true)
	f.Add(good)
	f.Add(good[:headerSize])
	f.Add(append(append([]byte(nil), good...), 0))
	f.Add([]byte{41, 1, 0, 22, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 80, 0})
	f.Fuzz(func(t *testing.T, datagram []byte) {
		before := string(datagram)
		if _, err := decodeAnswer(datagram, b, testSecret); err != nil && !errors.Is(err, errForged) && !errors.Is(err, errMalformed) {
			t.Errorf("%v", err)
		}
		if string(datagram) != before {
			t.Error("the datagram is not what it was")
		}
		// The attributes too, though the signature would stop them.
		var a answer
		if len(datagram) >= headerSize {
			_ = a.read(append([]byte(nil), datagram...), testSecret)
		}
	})
}

// FuzzAnswer_RoundTrip: whatever attributes a NAS signs are read as it meant them.
func FuzzAnswer_RoundTrip(f *testing.F) {
	f.Add(true, uint32(503), []byte{18, 4, 'n', 'o'}, uint8(1))
	f.Add(false, uint32(0), []byte{}, uint8(200))
	f.Add(false, uint32(1), []byte{101, 6, 0, 0, 0, 9}, uint8(0))
	f.Fuzz(func(t *testing.T, ack bool, cause uint32, extra []byte, id uint8) {
		b := encoded(t, request{code: codeCoARequest, id: id, secret: testSecret, at: monday, session: []byte{44, 3, '1'}})
		p, err := radius.Parse(b, []byte(testSecret))
		if err != nil {
			t.Fatal(err)
		}
		attributes, err := radius.ParseAttributes(extra)
		if err != nil || attributes.Get(typeMessageAuthenticator) != nil || len(extra) > 4000 {
			return
		}
		r := p.Response(radius.CodeCoANAK)
		if ack {
			r.Code = radius.CodeCoAACK
		}
		r.Add(typeErrorCause, []byte{byte(cause >> 24), byte(cause >> 16), byte(cause >> 8), byte(cause)})
		r.Attributes = append(r.Attributes, attributes...)
		reply, err := r.Encode()
		if err != nil {
			return
		}
		got, err := decodeAnswer(reply, b, testSecret)
		if err != nil || got.ack != ack || cause != 0 && got.cause != ErrorCause(cause) {
			t.Errorf("%+v, %v; want ack %t, cause %d", got, err, ack, cause)
		}
	})
}
