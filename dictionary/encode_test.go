package dictionary

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

const typesFile = `
ATTRIBUTE T-String     200 string
ATTRIBUTE T-Octets     201 octets
ATTRIBUTE T-Byte       202 byte
ATTRIBUTE T-Short      203 short
ATTRIBUTE T-Integer    204 integer
ATTRIBUTE T-Integer64  205 integer64
ATTRIBUTE T-Signed     206 signed
ATTRIBUTE T-Date       207 date
ATTRIBUTE T-IPv4       208 ipaddr
ATTRIBUTE T-IPv4Prefix 209 ipv4prefix
ATTRIBUTE T-IPv6       210 ipv6addr
ATTRIBUTE T-IPv6Prefix 211 ipv6prefix
ATTRIBUTE T-IFID       212 ifid
ATTRIBUTE T-Ether      213 ether
ATTRIBUTE T-Tagged     214 octets has_tag
VALUE     T-Signed     Cold 0xfffffff6
VENDOR Wide 70001 format=2,2
BEGIN-VENDOR Wide
ATTRIBUTE W-Text 0x1234 string
END-VENDOR Wide
VENDOR Bare 70002 format=4,0
BEGIN-VENDOR Bare
ATTRIBUTE B-Text 0x12345678 string
END-VENDOR Bare
VENDOR Long 70003 format=1,1,c
BEGIN-VENDOR Long
ATTRIBUTE L-Text 1 string
END-VENDOR Long
`

func TestAppend(t *testing.T) {
	t.Parallel()
	d := with(t, typesFile)
	for _, c := range []struct{ name, value, want string }{
		{"T-String", "ü", "c804c3bc"},
		{"T-String", "", "at least 1 octet is needed"},
		{"T-String", strings.Repeat("x", 253), "c8ff" + strings.Repeat("78", 253)},
		{"T-String", strings.Repeat("x", 254), "254 octets: at most 253 are needed"},
		{"T-Octets", "0x00ff", "c90400ff"},
		{"T-Octets", "00ff", "octets are needed as 0x"},
		{"T-Octets", "0x0", "an even number of hex digits"},
		{"T-Octets", "0x", "at least 1 octet is needed"},
		{"T-Byte", "255", "ca03ff"},
		{"T-Byte", "256", "a number from 0 to 255 is needed"},
		{"T-Short", "0xffff", "cb04ffff"},
		{"T-Short", "65536", "a number from 0 to 65535 is needed"},
		{"T-Integer", "4294967295", "cc06ffffffff"},
		{"T-Integer", "4294967296", "a number from 0 to 4294967295 is needed"},
		{"T-Integer", "-1", "a number from 0"},
		{"T-Integer", "1e3", "a number from 0"},
		{"T-Integer", "", "a number from 0"},
		{"T-Integer64", "18446744073709551615", "cd0affffffffffffffff"},
		{"T-Signed", "-2", "ce06fffffffe"},
		{"T-Signed", "cold", "ce06fffffff6"},
		{"T-Signed", "2147483648", "a number from -2147483648"},
		{"T-Date", "2026-01-02T03:04:05Z", "cf06695735a5"},
		{"T-Date", "1767323045", "cf06695735a5"},
		{"T-Date", "yesterday", "a time is needed"},
		{"T-IPv4", "192.0.2.1", "d006c0000201"},
		{"T-IPv4", "2001:db8::1", "an IPv4 address is needed"},
		{"T-IPv4", "192.0.2.256", "an IPv4 address is needed"},
		{"T-IPv4Prefix", "192.0.2.0/24", "d1080018c0000200"},
		{"T-IPv4Prefix", "192.0.2.1/24", "the bits behind the prefix must be 0"},
		{"T-IPv4Prefix", "2001:db8::/32", "an IPv4 prefix is needed"},
		{"T-IPv6", "2001:db8::1", "d21220010db8000000000000000000000001"},
		{"T-IPv6", "fe80::1%eth0", "an IPv6 address is needed"},
		{"T-IPv6Prefix", "2001:db8::/32", "d314002020010db8000000000000000000000000"},
		{"T-IPv6Prefix", "10.0.0.0/8", "an IPv6 prefix is needed"},
		{"T-IFID", "0:1:a:ffff", "d40a00000001000affff"},
		{"T-IFID", "0:1:a", "an interface identifier"},
		{"T-IFID", "0:1:a:b:c", "an interface identifier"},
		{"T-Ether", "AA-BB-CC-DD-EE-FF", "d508aabbccddeeff"},
		{"T-Ether", "aa:bb:cc:dd:ee:ff:00:11", "a MAC address is needed"},
		{"T-Tagged", "0x20", "d60320"},
		{"T-Tagged", "0x1f", "would be taken for a tag"},
		{"W-Text", "x", "1a0b0001117112340005" + "78"},
		{"B-Text", "x", "1a0b0001117212345678" + "78"},
		{"L-Text", "x", "the format of vendor Long is not supported"},
		{"W-Text", strings.Repeat("x", 246), "246 octets: at most 245 are needed"},
		{"WISPr-Redirection-URL", strings.Repeat("x", 247), "1aff0000372a04f9" + strings.Repeat("78", 247)},
		{"WISPr-Redirection-URL", strings.Repeat("x", 248), "248 octets: at most 247 are needed"},
		{"Tunnel-Type", "VLAN", "40060000000d"},
		{"Tunnel-Type", "0x01000000", "a number from 0 to 16777215 is needed, or one of its names: PPTP, "},
		{"Tunnel-Medium-Type", "ieee-802", "410600000006"},
		{"Tunnel-Private-Group-Id", "101", "5105313031"},
		{"Tunnel-Private-Group-Id", "\x01101", "would be taken for a tag"},
	} {
		a := attribute(t, d, c.name)
		prefix := []byte("before")
		got, err := a.Append(prefix, c.value)
		if err != nil {
			var e *ValueError
			if !errors.As(err, &e) || !strings.Contains(e.Need, c.want) || e.Attribute != a.Name || string(got) != "before" {
				t.Errorf("%s = %.20q: %v; want %s", c.name, c.value, err, c.want)
			}
			continue
		}
		if hex := fmt.Sprintf("%x", got[len(prefix):]); hex != c.want {
			t.Errorf("%s = %.20q: %s, want %s", c.name, c.value, hex, c.want)
		}
	}
}

func TestErrorsAreSafe(t *testing.T) {
	t.Parallel()
	_, err := attribute(t, Builtin(), "Idle-Timeout").Append(nil, "1\r\n\u202e")
	if want := `dictionary: Idle-Timeout: "1\\r\\n\\u202e": a number from 0 to 4294967295 is needed`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	_, err = attribute(t, Builtin(), "MS-CHAP2-Success").Append(nil, "geheim")
	if err == nil || strings.Contains(err.Error(), "geheim") {
		t.Error(err)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	d := with(t, typesFile)
	for _, c := range []struct{ name, value, want string }{
		{"T-String", "Grüße 5 \"x\" 'y'", "Grüße 5 \"x\" 'y'"},
		{"T-String", "a\r\n\x1b[2J\x00\\", `a\r\n\x1b[2J\x00\\`},
		{"T-String", "x\u202ey\u2066z\u200f\u200b\u2028", `x\u202ey\u2066z\u200f\u200b\u2028`},
		{"T-String", "\xffok\xc3", `\xffok\xc3`},
		{"T-Octets", "\x00\xff", "0x00ff"},
		{"T-Byte", "\x07", "7"},
		{"T-Byte", "\x07\x08", "0x0708"},
		{"T-Integer", "\x00\x00\x01\x00", "256"},
		{"T-Integer", "\x00\x01\x00", "0x000100"},
		{"T-Integer64", "\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615"},
		{"T-Signed", "\xff\xff\xff\xfe", "-2"},
		{"T-Signed", "\xff\xff\xff\xf6", "Cold"},
		{"T-Date", "\x69\x57\x35\xa5", "2026-01-02T03:04:05Z"},
		{"T-IPv4", "\xc0\x00\x02\x01", "192.0.2.1"},
		{"T-IPv4", "\xc0\x00\x02", "0xc00002"},
		{"T-IPv4Prefix", "\x00\x18\xc0\x00\x02\x00", "192.0.2.0/24"},
		{"T-IPv4Prefix", "\x00\x21\xc0\x00\x02\x00", "0x0021c0000200"},
		{"T-IPv6Prefix", "\x00\x20\x20\x01\x0d\xb8", "2001:db8::/32"},
		{"T-IPv6Prefix", "\x00\x21\x20\x01\x0d\xb8", "0x002120010db8"},
		{"T-IFID", "\x00\x00\x00\x01\x00\x0a\xff\xff", "0:1:a:ffff"},
		{"T-Ether", "\xaa\xbb\xcc\xdd\xee\xff", "aa:bb:cc:dd:ee:ff"},
		{"Tunnel-Type", "\x00\x00\x00\x0d", "VLAN"},
		{"Tunnel-Type", "\x02\x00\x00\x0d", "VLAN (tag 2)"},
		{"Tunnel-Type", "\x02\x00\x0d", "0x02000d"},
		{"Tunnel-Private-Group-Id", "101", "101"},
		{"Tunnel-Private-Group-Id", "\x03101", "101 (tag 3)"},
		{"Tunnel-Private-Group-Id", "\x00101", "101"},
		{"Tunnel-Private-Group-Id", "", ""},
		{"User-Password", "geheim", "[redacted]"},
		{"CHAP-Password", "geheim", "[redacted]"},
		{"Tunnel-Password", "geheim", "[redacted]"},
		{"EAP-Message", "geheim", "[redacted]"},
		{"MS-MPPE-Recv-Key", "geheim", "[redacted]"},
		{"MS-MPPE-Send-Key", "geheim", "[redacted]"},
		{"MS-CHAP-MPPE-Keys", "geheim", "[redacted]"},
		{"MS-CHAP-Challenge", "geheim", "[redacted]"},
		{"MS-CHAP2-Response", "geheim", "[redacted]"},
		{"MS-CHAP2-Success", "geheim", "[redacted]"},
		{"MS-CHAP-Error", "geheim", "[redacted]"},
		{"MS-MPPE-Encryption-Policy", "\x00\x00\x00\x01", "Encryption-Allowed"},
	} {
		if got := attribute(t, d, c.name).Text([]byte(c.value)); got != c.want {
			t.Errorf("%s %q: %s, want %s", c.name, c.value, got, c.want)
		}
	}
}

func TestEach(t *testing.T) {
	t.Parallel()
	d := with(t, typesFile)
	for _, c := range []struct{ name, wire, want, err string }{
		{"none", "", "", ""},
		{"RFC attributes in order", "\x0b\x03a\x1b\x06\x00\x00\x00\x3c\x0b\x03b", "Filter-Id=a;Session-Timeout=60;Filter-Id=b", ""},
		{"unknown", "\xfa\x03\x01", "Attr-250=0x01", ""},
		{"empty value", "\x4f\x02", "EAP-Message=[redacted]", ""},
		{"several of one vendor", "\x1a\x14\x00\x00\x37\x2a\x07\x06\x00\x00\x00\x01\x08\x06\x00\x00\x00\x02\xfe\x02",
			"WISPr-Bandwidth-Max-Up=1;WISPr-Bandwidth-Max-Down=2;Vendor-14122-Attr-254=0x", ""},
		{"unknown vendor", "\x1a\x09\x00\x01\x00\x00\x01\x03x", "Vendor-65536-Attr-1=0x78", ""},
		{"unknown vendor, a form of its own", "\x1a\x08\x00\x01\x00\x00\x01\xff", "Vendor-65536=0x01ff", ""},
		{"unknown vendor, empty", "\x1a\x06\x00\x01\x00\x00", "Vendor-65536=0x", ""},
		{"two octets of type and length", "\x1a\x0b\x00\x01\x11\x71\x12\x34\x00\x05x", "W-Text=x", ""},
		{"four octets of type, no length", "\x1a\x0b\x00\x01\x11\x72\x12\x34\x56\x78x", "B-Text=x", ""},
		{"continued", "\x1a\x0a\x00\x01\x11\x73\x01\x04\x00x", "Vendor-70003=0x01040078", ""},
		{"length 0", "\x0b\x03a\x0b\x00", "Filter-Id=a", "attribute at octet 3: its length does not fit"},
		{"length 1", "\x0b\x01", "", "attribute at octet 0"},
		{"beyond the end", "\x0b\x04a", "", "attribute at octet 0"},
		{"one octet", "\x0b", "", "attribute at octet 0"},
		{"vendor cut off", "\x1a\x05\x00\x00\x37", "", "Vendor-Specific at octet 0: 3 octets: at least 4"},
		{"vendor's empty", "\x1a\x06\x00\x00\x37\x2a", "", "vendor WISPr: lengths do not fit"},
		{"vendor's length 0", "\x1a\x08\x00\x00\x37\x2a\x07\x00", "", "vendor WISPr: lengths do not fit"},
		{"vendor's length 1", "\x1a\x08\x00\x00\x37\x2a\x07\x01", "", "vendor WISPr: lengths do not fit"},
		{"vendor's beyond the end", "\x1a\x0b\x00\x00\x37\x2a\x07\x03x\x07\x06", "", "vendor WISPr: lengths do not fit"},
		{"vendor's one octet", "\x1a\x07\x00\x00\x37\x2a\x07", "", "vendor WISPr: lengths do not fit"},
	} {
		var got []string
		err := d.Each([]byte(c.wire), func(a *Attribute, value []byte) { got = append(got, a.Name+"="+a.Text(value)) })
		if s := strings.Join(got, ";"); s != c.want {
			t.Errorf("%s: %s, want %s", c.name, s, c.want)
		}
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v, want %s", c.name, err, c.err)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	d := Builtin()
	dst := make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() {
		a, ok := d.ByName("tunnel-private-GROUP-id")
		if !ok {
			t.Fatal("unknown")
		}
		if _, err := a.Append(dst, "101"); err != nil {
			t.Fatal(err)
		}
		a, _ = d.ByName("Mikrotik-Wireless-VLANID")
		if _, err := a.Append(dst, "101"); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func FuzzEach_NoPanic(f *testing.F) {
	f.Add([]byte("\x1a\x14\x00\x00\x37\x2a\x07\x06\x00\x00\x00\x01\x08\x06\x00\x00\x00\x02\xfe\x02"))
	f.Add([]byte("\x0b\x03a\x1b\x06\x00\x00\x00\x3c"))
	d := with(f, typesFile)
	f.Fuzz(func(t *testing.T, wire []byte) {
		n := 0
		err := d.Each(wire, func(a *Attribute, value []byte) {
			if a.Name == "" || len(value) > 253 {
				t.Errorf("%q with %d octets", a.Name, len(value))
			}
			if strings.ContainsAny(a.Text(value), "\r\n\x00\x1b\u202e") {
				t.Errorf("%s: %q is not safe to show", a.Name, a.Text(value))
			}
			n++
		})
		if n > len(wire)/2 {
			t.Errorf("%d attributes in %d octets (%v)", n, len(wire), err)
		}
	})
}

// What Append writes, Each finds, with the same name; and its text, where it
// is one and not escaped, writes the same again.
func FuzzAppend_RoundTrip(f *testing.F) {
	for _, seed := range [][2]string{{"T-String", "x"}, {"T-Octets", "0x00"}, {"T-Date", "2026-01-02T03:04:05Z"}, {"T-IPv6Prefix", "2001:db8::/32"},
		{"T-Signed", "-1"}, {"Tunnel-Type", "VLAN"}, {"W-Text", "x"}, {"B-Text", "x"}, {"T-IFID", "1:2:3:4"}, {"Cisco-AVPair", "a=b"}} {
		f.Add(seed[0], seed[1])
	}
	d := with(f, typesFile)
	f.Fuzz(func(t *testing.T, name, value string) {
		a, ok := d.ByName(name)
		if !ok {
			return
		}
		wire, err := a.Append(nil, value)
		if err != nil {
			return
		}
		n, text := 0, ""
		if err := d.Each(wire, func(got *Attribute, v []byte) {
			n++
			text = got.Text(v)
			if got.Vendor != a.Vendor || got.Number != a.Number {
				t.Errorf("%s became %s", a.Name, got.Name)
			}
		}); err != nil || n != 1 {
			t.Fatalf("%s = %q: %x is %d attributes, %v", a.Name, value, wire, n, err)
		}
		if a.Secret || a.Type == String && text != value {
			return
		}
		again, err := a.Append(nil, text)
		if err != nil || string(again) != string(wire) {
			t.Errorf("%s = %q: %x, as %q %x (%v)", a.Name, value, wire, text, again, err)
		}
	})
}
