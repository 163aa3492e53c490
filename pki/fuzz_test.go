package pki

import (
	"crypto/x509"
	"math/big"
	"slices"
	"testing"
	"time"
)

func FuzzJournal_NoPanic(f *testing.F) {
	f.Add([]byte("{\"serial\":\"4f\",\"login\":\"bob\",\"issued\":\"2026-01-01T00:00:00Z\",\"until\":\"2027-01-01T00:00:00Z\"}\n{\"serial\":\"4f\",\"revoked\":\"2026-02-01T00:00:00Z\"}\n"))
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		records, whole, err := decodeJournal(text)
		if err == nil && (whole > len(text) || len(records) > whole) {
			t.Errorf("%d records, %d of %d octets", len(records), whole, len(text))
		}
	})
}

func FuzzJournal_RoundTrip(f *testing.F) {
	f.Add("4f", "bob", int64(1), int64(2), true)
	f.Add("00", "\u2028\"", int64(-1), int64(1<<40), false)
	f.Fuzz(func(t *testing.T, serial, login string, from, until int64, revoked bool) {
		octets, ok := parseSerial(serial)
		at := func(n int64) time.Time { return time.Unix(n%(1<<36), 0).UTC() }
		r := Record{Serial: serialText(octets), Login: login, Issued: at(from), Until: at(until)}
		if !ok || !plainLogin(login) || r.Issued.Year() < 1 || r.Until.Year() < 1 {
			return
		}
		lines := []journalLine{{Serial: r.Serial, Login: r.Login, Issued: r.Issued, Until: r.Until}}
		if revoked {
			r.Revoked = r.Until
			lines = append(lines, journalLine{Serial: r.Serial, Revoked: r.Revoked})
		}
		var text []byte
		for _, l := range lines {
			line, err := l.encode()
			if err != nil {
				t.Fatal(err)
			}
			text = append(text, line...)
		}
		got, whole, err := decodeJournal(text)
		if err != nil || whole != len(text) || !slices.Equal(got, []Record{r}) {
			t.Errorf("%v is read as %v, %v", r, got, err)
		}
	})
}

func FuzzCRL_NoPanic(f *testing.F) {
	f.Add([]byte("-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"))
	f.Add([]byte{0x30, 0x80})
	ca := newMaker(f, "ca", nil)
	f.Add(ca.crl(newClock().now(), ca.cert))
	f.Fuzz(func(t *testing.T, text []byte) {
		lists, err := decodeLists(text)
		if (err == nil) != (len(lists) > 0) {
			t.Errorf("%d lists, %v", len(lists), err)
		}
	})
}

// FuzzCRL_RoundTrip: what a CA revokes is what is looked up.
func FuzzCRL_RoundTrip(f *testing.F) {
	ca := newMaker(f, "ca", nil)
	f.Add([]byte{1}, []byte{2}, true)
	f.Add([]byte{0x80}, []byte{0, 0x80}, false)
	f.Add([]byte{0xff, 0}, []byte{0xff}, true)
	f.Fuzz(func(t *testing.T, one, two []byte, inPEM bool) {
		revoked, other := new(big.Int).SetBytes(one), new(big.Int).SetBytes(two)
		if revoked.Sign() == 0 || other.Sign() == 0 || len(one) > maxSerial {
			return
		}
		ca := &maker{t: t, cert: ca.cert, key: ca.key} // f may not be used in here
		text := ca.crl(newClock().now(), &x509.Certificate{SerialNumber: revoked})
		if inPEM {
			text = crlPEM(text)
		}
		lists, err := decodeLists(text)
		if err != nil || len(lists) != 1 {
			t.Fatal(err)
		}
		if _, ok := lists[0].revoked[string(revoked.Bytes())]; !ok || !lists[0].of(ca.cert) {
			t.Errorf("%x is not revoked", one)
		}
		if _, ok := lists[0].revoked[string(other.Bytes())]; ok != (revoked.Cmp(other) == 0) {
			t.Errorf("%x was revoked, and %x is looked up", one, two)
		}
	})
}

func FuzzScope_NoPanic(f *testing.F) {
	f.Add([]byte{0x30, 0})
	f.Add([]byte{0x30, 3, 0x81, 1, 0xff})
	f.Add([]byte{0x30, 6, 0x81, 1, 0xff, 0x82, 1, 0xff})
	f.Add([]byte{0x30, 7, 0xa0, 2, 0xa0, 0, 0x84, 1, 0})
	f.Fuzz(func(t *testing.T, der []byte) {
		if s, ok := decodeScope(der); ok && s.usersOnly && s.casOnly {
			t.Error("a list of nothing is taken")
		}
	})
}

func FuzzSerial_NoPanic(f *testing.F) {
	f.Add("4F:0C")
	f.Add("0")
	f.Fuzz(func(t *testing.T, s string) {
		octets, ok := parseSerial(s)
		if !ok {
			return
		}
		if again, ok := parseSerial(serialText(octets)); !ok || !slices.Equal(again, octets) {
			t.Errorf("%q: %x, %x", s, octets, again)
		}
	})
}
