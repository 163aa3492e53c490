package pki

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"strings"
	"testing"
)

// sanOf makes a certificate with a subjectAltName in DER.
func sanOf(cn string, san []byte, emails ...string) *x509.Certificate {
	c := &x509.Certificate{Subject: pkix.Name{CommonName: cn}, EmailAddresses: emails}
	if san != nil {
		c.Extensions = []pkix.Extension{{Id: oidSAN(), Value: san}}
	}
	return c
}

func upn(t testing.TB, login string) []byte {
	t.Helper()
	der, err := encodeUPN(login)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestLogin(t *testing.T) {
	t.Parallel()
	both := upn(t, "one@corp")
	second := upn(t, "two@corp")
	two := append([]byte{0x30, byte(len(both) + len(second) - 4)}, append(bytes.Clone(both[2:]), second[2:]...)...)
	for _, tt := range []struct {
		name string
		cert *x509.Certificate
		want string
	}{
		{"common name", sanOf("bob", nil), "bob"},
		{"UPN", sanOf("Bob Smith", upn(t, "bob@corp")), "bob@corp"},
		{"email", sanOf("Bob Smith", upn(t, "bob@corp"), "bob@example.com", "b@example.com"), "bob@example.com"},
		{"first of two UPNs", sanOf("", two), "one@corp"},
		{"nothing", sanOf("", nil), ""},
		{"none", nil, ""},
		{"control character", sanOf("bob\n", nil), ""},
		{"NUL in an email, and a name beside it", sanOf("bob", nil, "bob\x00@example.com"), ""},
		{"too long", sanOf(strings.Repeat("x", 254), nil), ""},
		{"broken UPN", sanOf("bob", both[:len(both)-1]), "bob"},
		{"no UTF-8", sanOf("", upn(t, "\xff\xfe")), ""},
	} {
		if got := Login(tt.cert); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestUPNOfActiveDirectory reads a subjectAltName as AD CS writes it, and as
// OpenSSL does: otherName:msUPN;UTF8:bob@corp.example.
func TestUPNOfActiveDirectory(t *testing.T) {
	t.Parallel()
	const text = "3022" + "a020" + "060a2b060104018237140203" + "a012" + "0c10" + "626f6240636f72702e6578616d706c65"
	der, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	if got := decodeUPN(der); got != "bob@corp.example" {
		t.Errorf("%q", got)
	}
	if got := upn(t, "bob@corp.example"); !bytes.Equal(got, der) {
		t.Errorf("%x", got)
	}
	for n := range der {
		if got := decodeUPN(der[:n]); got != "" {
			t.Errorf("%d octets of it are %q", n, got)
		}
	}
}

func TestIsEmail(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"bob@example.com": true, "b+x@example": true, "bob": false, "@example.com": false, "bob@": false, "a@b@c": false,
		"zoë@example.com": false, "a b@example.com": false, "<a@b>": false, "a@b\x00": false,
	} {
		if isEmail(s) != want {
			t.Errorf("%q", s)
		}
	}
}

func FuzzUPN_NoPanic(f *testing.F) {
	f.Add(upn(f, "bob@corp"))
	f.Add([]byte{0x30, 0x80})
	f.Add([]byte{0x30, 2, 0xa0, 0})
	f.Fuzz(func(t *testing.T, der []byte) {
		if login := Login(sanOf("", der)); login != "" && !plainLogin(login) {
			t.Errorf("%q", login)
		}
	})
}

func FuzzUPN_RoundTrip(f *testing.F) {
	f.Add("bob@corp")
	f.Add("")
	f.Add("zoë")
	f.Fuzz(func(t *testing.T, login string) {
		if !plainLogin(login) {
			return
		}
		if got := decodeUPN(upn(t, login)); got != login {
			t.Errorf("%q is read as %q", login, got)
		}
	})
}

// FuzzLogin_RoundTrip: whom a certificate is issued for is whom it is read as.
func FuzzLogin_RoundTrip(f *testing.F) {
	for _, s := range []string{"bob@example.com", "bob", `CORP\bob`, "zoë@example.com", "a@b@c", " "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, login string) {
		template, err := clientTemplate(login)
		if (err == nil) != plainLogin(login) {
			t.Fatalf("%q: %v", login, err)
		}
		if err != nil {
			return
		}
		template.Extensions = template.ExtraExtensions
		if got := Login(template); got != login {
			t.Errorf("%q is read as %q", login, got)
		}
	})
}

func FuzzLogin_NoPanic(f *testing.F) {
	f.Add([]byte{0x30, 0})
	f.Add(newMaker(f, "ca", nil).client("bob").Raw)
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		if login := Login(c); login != "" && !plainLogin(login) {
			t.Errorf("%q", login)
		}
	})
}
