package pki

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

func issue(t *testing.T, k *Keeper, login string) *Issued {
	t.Helper()
	i, err := k.Issue(login, 365*days)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// join is what TLS says when a device shows a certificate to the server, and
// what Verify says then.
func join(t *testing.T, i *Identity, cert tls.Certificate, version uint16, now func() time.Time) (login string, err error) {
	t.Helper()
	device, server := net.Pipe()
	defer func() { _, _ = device.Close(), server.Close() }()
	roots := x509.NewCertPool()
	roots.AddCert(i.CA)
	done := make(chan struct{})
	go func() {
		c := tls.Client(device, &tls.Config{RootCAs: roots, ServerName: i.ServerName(), Certificates: []tls.Certificate{cert}, MaxVersion: version, Time: now})
		_, _ = c.Read(make([]byte, 1)) // TLS 1.3: what the server says of the certificate comes after the handshake
		close(done)
	}()
	s := tls.Server(server, &tls.Config{Certificates: []tls.Certificate{i.Certificate}, ClientCAs: i.ClientCAs, ClientAuth: tls.RequireAndVerifyClientCert, Time: now,
		VerifyConnection: func(st tls.ConnectionState) error { return i.Verify(st.VerifiedChains) }})
	err = s.Handshake()
	if err == nil {
		login = Login(s.ConnectionState().PeerCertificates[0])
	}
	_ = server.Close()
	<-done
	return login, err
}

func TestIssue(t *testing.T) {
	t.Parallel()
	c, dir := newClock(), t.TempDir()
	k := open(t, Config{Dir: dir, Now: c.now})
	for _, login := range []string{"bob@example.com", "bob", `CORP\bob`, "zoë@example.com", "a b@example.com", strings.Repeat("x", 253)} {
		i := issue(t, k, login)
		if got := Login(i.Certificate); got != login || i.Login != login {
			t.Errorf("%q was issued for %q", login, got)
		}
		if email := len(i.Certificate.EmailAddresses) == 1; email != (login == "bob@example.com") {
			t.Errorf("%q: rfc822Name %v", login, i.Certificate.EmailAddresses)
		}
		if !i.Until.Equal(c.now().Add(365*days)) || i.Certificate.ExtKeyUsage[0] != x509.ExtKeyUsageClientAuth {
			t.Errorf("until %s, for %v", i.Until, i.Certificate.ExtKeyUsage)
		}
		key, cert, cas, err := pkcs12.DecodeChain(i.PKCS12, string(i.Password))
		if err != nil || !cert.Equal(i.Certificate) || len(cas) != 1 || !cas[0].Equal(k.Identity().CA) {
			t.Fatalf("%v", err)
		}
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			got, err := join(t, k.Identity(), tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}, version, c.now)
			if err != nil || got != login {
				t.Errorf("%q joins as %q: %v", login, got, err)
			}
		}
	}
	i := issue(t, k, "bob")
	legacy, err := i.Legacy()
	if err != nil {
		t.Fatal(err)
	}
	if _, cert, _, err := pkcs12.DecodeChain(legacy, string(i.Password)); err != nil || !cert.Equal(i.Certificate) {
		t.Errorf("%v", err)
	}
	if _, _, _, err := pkcs12.DecodeChain(i.PKCS12, "wrong"); err == nil {
		t.Error("any password opens it")
	}
	records, err := k.Authority().Issued()
	if err != nil || len(records) != 7 || records[6].Serial != i.Serial || records[6].Login != "bob" || !records[6].Revoked.IsZero() {
		t.Errorf("%v, %v", records, err)
	}
	// Two keys are kept: the CA's and the server's.
	keys := 0
	names, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		keys += bytes.Count(text, []byte("PRIVATE KEY-----")) / 2
	}
	if keys != 2 {
		t.Errorf("%d keys are kept", keys)
	}
}

func TestIssueRefuses(t *testing.T) {
	t.Parallel()
	k := open(t, Config{Dir: t.TempDir(), Now: newClock().now})
	for _, login := range []string{"", " bob", "bob\n", "b\x00b", strings.Repeat("x", 254), "\xff"} {
		if _, err := k.Issue(login, days); err == nil {
			t.Errorf("%q was issued", login)
		}
	}
	if _, err := k.Issue("bob", 0); err == nil {
		t.Error("a certificate that holds for nothing was issued")
	}
	i, err := k.Issue("bob", 100*365*days)
	if err != nil || !i.Until.Equal(k.Identity().CA.NotAfter) {
		t.Errorf("%v, %v", i, err)
	}
	ca := newMaker(t, "others", nil)
	cert, key := ca.server(t, nil)
	k = open(t, Config{Dir: t.TempDir(), Certificate: cert, Key: key, ClientCA: file(t, "ca.pem", certificatePEM(ca.cert.Raw)), Now: newClock().now})
	if _, err := k.Issue("bob", days); !errors.Is(err, errNoCA) {
		t.Errorf("%v", err)
	}
	if err := k.Revoke("bob"); !errors.Is(err, errNoCA) {
		t.Errorf("%v", err)
	}
}

func TestPasswordIsRedacted(t *testing.T) {
	t.Parallel()
	i := Issued{Password: newPassword()}
	text, err := json.Marshal(i.Password)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{fmt.Sprint(i.Password), fmt.Sprintf("%+v %q %x", i, i.Password, i.Password), string(text)} {
		if strings.Contains(s, string(i.Password)) || !strings.Contains(s, redacted) {
			t.Errorf("printed as %s", s)
		}
	}
	if len(i.Password) != 19 || i.Password == newPassword() {
		t.Error("the password is not what it should be")
	}
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	c, dir := newClock(), t.TempDir()
	k := open(t, Config{Dir: dir, Now: c.now})
	other := open(t, Config{Dir: dir, Now: c.now}) // the running server
	bob, again, alice := issue(t, k, "bob@example.com"), issue(t, k, "bob@example.com"), issue(t, k, "alice")
	verify := func(k *Keeper, i *Issued) error {
		return k.Identity().Verify([][]*x509.Certificate{{i.Certificate, k.Identity().CA}})
	}
	if err := k.Revoke("BOB@example.com"); err != nil {
		t.Fatal(err)
	}
	reload(t, other)
	for _, k := range []*Keeper{k, other} {
		for _, i := range []*Issued{bob, again} {
			var revoked *RevokedError
			if err := verify(k, i); !errors.As(err, &revoked) || revoked.Serial != i.Serial || !strings.Contains(err.Error(), "bob@example.com") {
				t.Errorf("%v", err)
			}
		}
		if err := verify(k, alice); err != nil {
			t.Error(err)
		}
	}
	colons := strings.ToUpper(alice.Serial[:2] + ":" + alice.Serial[2:])
	if err := k.Revoke(colons); err != nil || verify(k, alice) == nil {
		t.Errorf("%v", err)
	}
	if err := k.Revoke(alice.Serial); err != nil {
		t.Errorf("a second time: %v", err)
	}
	for _, which := range []string{"carol", "", "00", "ff", strings.Repeat("f", 99)} {
		if err := k.Revoke(which); !errors.Is(err, ErrNotIssued) {
			t.Errorf("%q: %v", which, err)
		}
	}
	carol := issue(t, k, "carol")
	c.add(366 * days)
	if err := k.Revoke("carol"); !errors.Is(err, ErrNotIssued) || !carol.Until.Before(c.now()) {
		t.Errorf("%v", err)
	}
	if _, err := join(t, k.Identity(), tls.Certificate{Certificate: [][]byte{bob.Certificate.Raw}, PrivateKey: bob.key}, tls.VersionTLS13, newClock().now); err == nil {
		t.Error("joined with a revoked certificate")
	}
}

// TestRevocationsOutlive: one of the two files that say what is revoked may be
// lost, and a crash may come between them.
func TestRevocationsOutlive(t *testing.T) {
	t.Parallel()
	for _, lost := range []string{crlFile, issuedFile} {
		c := Config{Dir: t.TempDir(), Now: newClock().now}
		k := open(t, c)
		bob := issue(t, k, "bob")
		if err := k.Revoke("bob"); err != nil {
			t.Fatal(err)
		}
		remove(t, c.Dir, lost)
		reload(t, k)
		if issue(t, k, "alice"); k.Revoke("alice") != nil {
			t.Error("nothing can be revoked any more")
		}
		var revoked *RevokedError
		i := open(t, c).Identity()
		if err := i.Verify([][]*x509.Certificate{{bob.Certificate, i.CA}}); !errors.As(err, &revoked) {
			t.Errorf("without %s: %v", lost, err)
		}
	}
}

// TestOwnListDoesNotAge: what was revoked here is known whatever the clock says.
func TestOwnListDoesNotAge(t *testing.T) {
	t.Parallel()
	c := newClock()
	k := open(t, Config{Dir: t.TempDir(), Now: c.now})
	bob := issue(t, k, "bob")
	for _, step := range []time.Duration{-30 * days, CALife + 60*days} {
		c.add(step)
		if err := k.Identity().Verify([][]*x509.Certificate{{bob.Certificate, k.Identity().CA}}); err != nil {
			t.Error(err)
		}
		if f := said(k.Findings(), "revocation list"); f != nil {
			t.Errorf("%v", f)
		}
	}
}

// TestTornJournal: the end of a line that was cut off by a crash is written over.
func TestTornJournal(t *testing.T) {
	t.Parallel()
	c := Config{Dir: t.TempDir(), Now: newClock().now}
	k := open(t, c)
	issue(t, k, "bob")
	path := filepath.Join(c.Dir, issuedFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	put(t, path, text, bytes.Repeat(text[:len(text)-1], 9))
	issue(t, k, "alice")
	issue(t, k, "carol")
	if now, err := os.ReadFile(path); err != nil || bytes.Count(now, []byte("bob")) != 1 {
		t.Errorf("what was cut off is still there: %s", now)
	}
	records, err := k.Authority().Issued()
	if err != nil || len(records) != 3 || records[0].Login != "bob" || records[1].Login != "alice" {
		t.Errorf("%v, %v", records, err)
	}
}

func TestJournalIsStrict(t *testing.T) {
	t.Parallel()
	const one = `{"serial":"4f","login":"bob","issued":"2026-01-01T00:00:00Z","until":"2027-01-01T00:00:00Z"}` + "\n"
	const gone = `{"serial":"4f","revoked":"2026-02-01T00:00:00Z"}` + "\n"
	for text, want := range map[string]string{
		"": "", one: "", one + gone: "", one + gone + gone: "", one + "{": "",
		gone: "never issued", one + one: "issued before", "x\n": "line 1: invalid", "\n": "line 1: EOF",
		one + `{"serial":"xx","revoked":"2026-02-01T00:00:00Z"}` + "\n": "line 2: the serial number is none",
		`{"serial":"4f","login":"bob"}` + "\n":                          "a time is missing",
		`{"serial":"4f"}` + "\n":                                        "a time is missing",
		`{"serial":"4f","more":1}` + "\n":                               "unknown field",
		strings.TrimSuffix(one, "\n") + "{}\n":                          "more follows",
	} {
		_, _, err := decodeJournal([]byte(text))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
