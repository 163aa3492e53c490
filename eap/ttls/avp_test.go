package ttls

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func unhex(t testing.TB, digits string) []byte {
	t.Helper()
	octets, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		t.Fatalf("%q: %v", digits, err)
	}
	return octets
}

func same(a, b avp) bool {
	return a.vendor == b.vendor && a.code == b.code && a.mandatory == b.mandatory && bytes.Equal(a.data, b.data)
}

// TestT9AVPs has lengths and padding of RFC 5281 §10.1 and §10.2.
func TestT9AVPs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, octets string
		want         []avp
		back         bool // it is also how it is written
	}{
		{"nothing", "", nil, true},
		{"a name of four", "00000001 40 00000c 616e6e61", []avp{{code: 1, mandatory: true, data: []byte("anna")}}, true},
		{"a name of three, padded", "00000001 40 00000b 626f6200", []avp{{code: 1, mandatory: true, data: []byte("bob")}}, true},
		{"the last one without its padding", "00000001 40 00000b 626f62", []avp{{code: 1, mandatory: true, data: []byte("bob")}}, false},
		{"no data", "00000001 00 000008", []avp{{code: 1}}, true},
		{"a vendor's", "0000001a c0 000010 00000137 01020304", []avp{{vendor: 311, code: 26, mandatory: true, data: []byte{1, 2, 3, 4}}}, true},
		{"a vendor's without data", "0000001a 80 00000c 00000137", []avp{{vendor: 311, code: 26}}, true},
		{"vendor 0 is none", "00000001 80 00000d 00000000 61000000", []avp{{code: 1, data: []byte("a")}}, false},
		{"reserved bits", "00000001 3f 000009 61000000", []avp{{code: 1, data: []byte("a")}}, false},
		{"two", "00000001 40 000009 61000000 00000002 40 00000a 62620000", []avp{
			{code: 1, mandatory: true, data: []byte("a")}, {code: 2, mandatory: true, data: []byte("bb")}}, true},
	}
	for _, c := range tests {
		octets := unhex(t, c.octets)
		got, err := parseAVPs(octets)
		if err != nil || len(got) != len(c.want) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
			continue
		}
		var back []byte
		for i := range got {
			if !same(got[i], c.want[i]) {
				t.Errorf("%s: %+v, want %+v", c.name, got[i], c.want[i])
			}
			back = got[i].append(back)
		}
		if c.back && !bytes.Equal(back, octets) {
			t.Errorf("%s: written as %x", c.name, back)
		}
	}
}

func TestAVPsThatOverrun(t *testing.T) {
	t.Parallel()
	for name, octets := range map[string]string{
		"half a header":                   "00000001 40 0000",
		"one octet too many":              "00000001 40 00000d 616e6e61",
		"16 MiB":                          "00000001 40 ffffff 61",
		"a length without the header":     "00000001 40 000007",
		"length 0, which would never end": "00000001 40 000000",
		"a vendor that is not there":      "00000001 c0 00000a 0000",
		"a length without the vendor":     "00000001 c0 00000b 00000137",
		"the second one":                  "00000001 40 000009 61000000 00000002 40 00000a 62",
	} {
		octets := unhex(t, octets)
		if got, err := parseAVPs(octets); !errors.Is(err, errAVP) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestT9UnknownAVPs: one that is mandatory ends it, the others are passed over.
func TestT9UnknownAVPs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		avp  avp
		want string
	}{
		{"unknown", avp{code: 200}, ""},
		{"unknown and mandatory", avp{code: 200, mandatory: true}, "a mandatory AVP that is unknown here: 200 of vendor 0"},
		{"Microsoft's, unknown", avp{vendor: 311, code: 99}, ""},
		{"Microsoft's, unknown and mandatory", avp{vendor: 311, code: 99, mandatory: true}, "a mandatory AVP that is unknown here: 99 of vendor 311"},
		{"another vendor's number of a known one, mandatory", avp{vendor: 9, code: 1, mandatory: true}, "a mandatory AVP that is unknown here: 1 of vendor 9"},
		{"known and mandatory", avp{code: codeUserName, mandatory: true}, ""},
		{"Reply-Message", avp{code: codeReplyMessage, mandatory: true}, ""},
	}
	for _, c := range tests {
		_, err := sort([]avp{{code: codeUserName, mandatory: true}, c.avp})
		if (err != nil) != (c.want != "") || err != nil && err.Error() != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestSort finds each by its vendor and code, and joins EAP-Messages.
func TestSort(t *testing.T) {
	t.Parallel()
	p, err := sort([]avp{
		{code: codeUserName, data: []byte("name")}, {code: codeUserPassword, data: []byte("password")},
		{code: codeCHAPPassword, data: []byte("chap")}, {code: codeCHAPChallenge, data: []byte("challenge")},
		{code: codeEAPMessage, data: []byte("one ")}, {code: codeEAPMessage, data: []byte("packet")},
		{vendor: vendorMicrosoft, code: codeMSResponse, data: []byte("response")},
		{vendor: vendorMicrosoft, code: codeMSChallenge, data: []byte("mschallenge")},
		{vendor: vendorMicrosoft, code: codeMS2Response, data: []byte("response2")},
	})
	for got, want := range map[string]string{
		string(p.userName): "name", string(p.password): "password", string(p.chap): "chap", string(p.challenge): "challenge",
		string(p.eap): "one packet", string(p.msResponse): "response", string(p.msChallenge): "mschallenge", string(p.ms2Response): "response2",
	} {
		if got != want {
			t.Errorf("%q is in the place of %q", got, want)
		}
	}
	if err != nil || !p.named || !p.hasPassword || !p.hasEAP {
		t.Errorf("%+v, %v", p, err)
	}
}

func FuzzAVPs_NoPanic(f *testing.F) {
	for _, seed := range []string{"", "0000000140 00000c616e6e61", "0000001ac0 0000100000013701020304", "00000001 40 000000"} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, octets []byte) {
		all, err := parseAVPs(octets)
		size := 0
		for _, a := range all {
			size += avpHeader + len(a.data)
		}
		if size > len(octets) {
			t.Fatalf("%d octets are read as AVPs of %d", len(octets), size)
		}
		if err == nil {
			_, _ = sort(all)
		}
	})
}

func FuzzAVPs_RoundTrip(f *testing.F) {
	f.Add(uint32(0), uint32(1), true, []byte("anna"), []byte("bob"))
	f.Add(uint32(311), uint32(26), false, []byte{}, []byte{1})
	f.Fuzz(func(t *testing.T, vendor, code uint32, mandatory bool, first, second []byte) {
		a, b := avp{vendor, code, mandatory, first}, avp{0, code, !mandatory, second}
		octets := b.append(a.append(nil))
		got, err := parseAVPs(octets)
		if err != nil || len(got) != 2 || !same(got[0], a) || !same(got[1], b) || len(octets)%4 != 0 {
			t.Errorf("%+v, %+v came back as %+v, %v", a, b, got, err)
		}
	})
}
