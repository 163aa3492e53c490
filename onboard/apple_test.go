package onboard

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"encoding/xml"
	"errors"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"memberradius/member"
)

func TestApple_Golden(t *testing.T) {
	t.Parallel()
	for _, s := range samples(t) {
		profile, err := s.network.Apple(s.access, nil)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, s.name+".mobileconfig", profile)
	}
}

// An applePlist is what Python's plistlib, which knows nothing of ours, reads.
type applePlist struct {
	PayloadType, PayloadIdentifier, PayloadUUID, PayloadDisplayName string
	PayloadContent                                                  json.RawMessage
	SSIDString                                                      string `json:"SSID_STR"`
	EncryptionType                                                  string
	EAPClientConfiguration                                          struct {
		AcceptEAPTypes                                                 []int
		UserName, UserPassword, OuterIdentity, TTLSInnerAuthentication string
		TLSTrustedServerNames, PayloadCertificateAnchorUUID            []string
	}
}

func readPlist(t *testing.T, profile []byte) (top, wifi applePlist, ca []byte) {
	t.Helper()
	const program = `import base64, json, plistlib, sys
print(json.dumps(plistlib.loads(sys.stdin.buffer.read()), default=lambda o: base64.b64encode(o).decode()))`
	decode := func(text []byte, into any) {
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
	}
	decode(run(t, profile, need(t, "python3", "python3"), "-c", program), &top)
	var parts []applePlist
	decode(top.PayloadContent, &parts)
	for _, p := range parts {
		switch p.PayloadType {
		case "com.apple.wifi.managed":
			wifi = p
		case "com.apple.security.root":
			var text string
			decode(p.PayloadContent, &text)
			var err error
			if ca, err = base64.StdEncoding.DecodeString(text); err != nil {
				t.Fatal(err)
			}
			if got := wifi.EAPClientConfiguration.PayloadCertificateAnchorUUID; len(got) != 1 || got[0] != p.PayloadUUID {
				t.Errorf("the network trusts %q, the CA is %q", got, p.PayloadUUID)
			}
		default:
			t.Errorf("payload of type %q", p.PayloadType)
		}
		if !strings.HasPrefix(p.PayloadIdentifier, top.PayloadIdentifier+".") {
			t.Errorf("%q is not below %q", p.PayloadIdentifier, top.PayloadIdentifier)
		}
	}
	return top, wifi, ca
}

func TestApple_ReadByAnother(t *testing.T) {
	t.Parallel()
	for _, s := range samples(t) {
		profile, err := s.network.Apple(s.access, nil)
		if err != nil {
			t.Fatal(err)
		}
		top, wifi, ca := readPlist(t, profile)
		eap := wifi.EAPClientConfiguration
		number, inner := 25, ""
		if s.network.Method == TTLS {
			number, inner = 21, map[string]string{PAP: "PAP", MSCHAPv2: "MSCHAPv2"}[s.network.TTLSInner]
		}
		if top.PayloadType != "Configuration" || wifi.SSIDString != s.network.SSID || wifi.EncryptionType != "WPA2" ||
			len(eap.AcceptEAPTypes) != 1 || eap.AcceptEAPTypes[0] != number || eap.TTLSInnerAuthentication != inner ||
			eap.UserName != s.access.Login || eap.UserPassword != string(s.access.Password) ||
			eap.OuterIdentity != "anonymous@radius.example.com" ||
			len(eap.TLSTrustedServerNames) != 1 || eap.TLSTrustedServerNames[0] != s.network.ServerName {
			t.Errorf("%s: read as %+v", s.name, wifi)
		}
		if s.network.CA == nil && (ca != nil || eap.PayloadCertificateAnchorUUID != nil) || s.network.CA != nil && string(ca) != string(s.network.CA.Raw) {
			t.Errorf("%s: CA %x", s.name, ca)
		}
	}
}

func TestApple_SSIDIsNoText(t *testing.T) {
	t.Parallel()
	for _, ssid := range []string{"\xff\xfe", "a\x00b", "line\nline"} {
		n := plainNetwork(t)
		n.SSID = ssid
		if _, err := n.Apple(plainAccess(), nil); !errors.Is(err, ErrUnfit) {
			t.Errorf("%q: %v", ssid, err)
		}
		for _, write := range []func(*Access) ([]byte, error){n.ONC, n.Windows} {
			if _, err := write(plainAccess()); err != nil {
				t.Errorf("%q: %v", ssid, err)
			}
		}
	}
}

// signer makes a root, an intermediate and a certificate with the key.
func signer(t *testing.T, dir string, key crypto.Signer) *tls.Certificate {
	t.Helper()
	var parent *x509.Certificate
	var parentKey crypto.Signer
	chain := &tls.Certificate{PrivateKey: key}
	for i, name := range []string{"Root", "Between", "Example Space"} {
		own := key
		if i < 2 {
			var err error
			if own, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
				t.Fatal(err)
			}
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(int64(i) + 1), Subject: pkix.Name{CommonName: name},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true, IsCA: i < 2,
			KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
		if parent == nil {
			parent, parentKey = template, own
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, own.Public(), parentKey)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
			if err := os.WriteFile(filepath.Join(dir, "root.pem"), root, 0o600); err != nil {
				t.Fatal(err)
			}
		} else {
			chain.Certificate = append([][]byte{der}, chain.Certificate...)
		}
		if parent, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
		parentKey = own
	}
	return chain
}

func keys(t *testing.T) map[string]crypto.Signer {
	t.Helper()
	small, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]crypto.Signer{"RSA": small, "ECDSA": curve}
}

// TestApple_Signed: OpenSSL finds the signature good, its chain whole, and the
// profile unchanged inside; with one octet changed it does not.
func TestApple_Signed(t *testing.T) {
	t.Parallel()
	openssl := need(t, "openssl", "openssl")
	n, a := hostileNetwork(t), hostileAccess()
	bare, err := n.Apple(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range keys(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			signed, err := n.Apple(a, signer(t, dir, key))
			if err != nil {
				t.Fatal(err)
			}
			verify := []string{"cms", "-verify", "-binary", "-inform", "DER", "-CAfile", filepath.Join(dir, "root.pem"), "-purpose", "any"}
			if out := run(t, signed, openssl, verify...); string(out) != string(bare) {
				t.Errorf("inside is another profile:\n%s", out)
			}
			at := strings.Index(string(signed), "Members")
			if at < 0 {
				at = len(signed) / 2
			}
			signed[at] ^= 1
			if err := runs(t, signed, openssl, verify...); err == nil {
				t.Error("a changed profile is taken for signed")
			}
		})
	}
}

func TestApple_SignedByTheWrongKey(t *testing.T) {
	t.Parallel()
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := signer(t, t.TempDir(), other)
	mixed := *signer(t, t.TempDir(), edwards)
	mixed.PrivateKey = other
	for name, c := range map[string]*tls.Certificate{
		"RSA or ECDSA":        signer(t, t.TempDir(), edwards),
		"no certificate":      {PrivateKey: other},
		"not the certificate": &mixed,
		"no private key":      {Certificate: good.Certificate},
		"signing":             {Certificate: [][]byte{{1, 2, 3}}, PrivateKey: other},
	} {
		if _, err := plainNetwork(t).Apple(plainAccess(), c); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// texts are those of an XML document's elements of one name.
func texts(t *testing.T, document []byte, name string) []string {
	t.Helper()
	var all []string
	for d := xml.NewDecoder(bytes.NewReader(document)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%v in %s", err, document)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == name {
			var text string
			if err := d.DecodeElement(&text, &start); err != nil {
				t.Fatal(err)
			}
			all = append(all, text)
		}
	}
}

// FuzzProfile_RoundTrip: whatever people are called, a profile that is written
// is whole, and says what went in.
func FuzzProfile_RoundTrip(f *testing.F) {
	f.Add("Members", "anna@example.com", "abcd-efgh", "Example Space")
	f.Add("<&>\"'", "</string>", "]]>", "\u202e\x00\xff")
	f.Add("\xff\x00", "é", "", "")
	f.Fuzz(func(t *testing.T, ssid, login, password, space string) {
		n := &Network{Space: space, SSID: ssid, ServerName: "radius.example.com"}
		a := &Access{Login: login, Name: space, Password: member.Secret(password)}
		if profile, err := n.Apple(a, nil); err == nil {
			got := texts(t, profile, "string")
			for _, want := range []string{ssid, login, password} {
				if want != "" && !slices.Contains(got, want) {
					t.Errorf("%q is not in the Apple profile: %q", want, got)
				}
			}
		}
		if profile, err := n.Windows(a); err == nil {
			if got, err := hex.DecodeString(texts(t, profile, "hex")[0]); err != nil || string(got) != ssid {
				t.Errorf("SSID %q became %q (%v)", ssid, got, err)
			}
		}
		if profile, err := n.ONC(a); err == nil {
			var file oncFile
			if err := json.Unmarshal(profile, &file); err != nil {
				t.Fatal(err)
			}
			if eap := file.NetworkConfigurations[0].WiFi.EAP; eap.Identity != login || eap.Password != password {
				t.Errorf("%q and %q became %+v", login, password, eap)
			}
		}
	})
}
