package onboard

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The account at the mail servers of the tests.
const (
	smtpUser     = "wifi@example.com"
	smtpPassword = "smtp-topsecret"
)

// A smtpd is Debian's aiosmtpd at work, and a Mail that is set up for it.
type smtpd struct {
	mail  Mail
	lines chan received
}

// received is a letter as the mail server saw it.
type received struct {
	Port     int
	MailFrom string   `json:"mail_from"`
	RcptTos  []string `json:"rcpt_tos"`
	Content  string
	TLS      bool
	Login    string
}

// letter returns the next letter that came in.
func (s *smtpd) letter(t *testing.T) received {
	t.Helper()
	select {
	case r := <-s.lines:
		return r
	case <-time.After(10 * time.Second):
		t.Fatal("no letter came in")
		return received{}
	}
}

// python returns an interpreter that has aiosmtpd; the first of the PATH may be
// another than Debian's.
func python(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		if exec.CommandContext(t.Context(), name, "-c", "import aiosmtpd").Run() == nil {
			return name
		}
	}
	missing(t, "aiosmtpd", "python3-aiosmtpd")
	return ""
}

// startSMTP starts a mail server: mode is tls, starttls or plain; with an
// account it takes letters from nobody else.
func startSMTP(t *testing.T, mode string, account bool) *smtpd {
	t.Helper()
	dir := t.TempDir()
	roots := writeCertificate(t, dir)
	settings := map[string]string{"mode": mode, "certificate": filepath.Join(dir, "cert.pem"), "key": filepath.Join(dir, "key.pem"), "login": "", "password": ""}
	s := &smtpd{lines: make(chan received, 16), mail: Mail{From: "Example Space <wifi@example.com>", Roots: roots}}
	user := ""
	if account {
		settings["login"], settings["password"] = smtpUser, smtpPassword
		s.mail.Password, user = smtpPassword, smtpUser+"@"
	}
	text, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, python(t), filepath.Join("testdata", "smtpd.py"), string(text))
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var r received
			if json.Unmarshal(lines.Bytes(), &r) == nil {
				s.lines <- r
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		_ = command.Wait() // it was killed
	})
	scheme := "smtp"
	if mode == "tls" {
		scheme = "smtps"
	}
	s.mail.SMTP = fmt.Sprintf("%s://%s127.0.0.1:%d", scheme, user, s.letter(t).Port)
	return s
}

// mailer makes a Mailer for the server. Where elsewhere is set it takes the
// server for one on another host.
func (s *smtpd) mailer(t *testing.T, elsewhere bool) *Mailer {
	t.Helper()
	m, err := NewMailer(s.mail)
	if err != nil {
		t.Fatal(err)
	}
	if elsewhere {
		m.here = false
	}
	return m
}

// writeCertificate writes cert.pem and key.pem for 127.0.0.1, and returns its root.
func writeCertificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true, IsCA: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, text := range map[string][]byte{"cert.pem": certificate, "key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	return roots
}

// refusedWith checks an error of Send: what it says, whether it is permanent,
// and that nothing secret is in it.
func refusedWith(t *testing.T, err error, says string, permanent bool) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), says) || Permanent(err) != permanent {
		t.Errorf("%v (permanent: %t), want %q (permanent: %t)", err, Permanent(err), says, permanent)
		return
	}
	for _, secret := range []string{"abcd-efgh", "Tok3n", smtpPassword, "welcome"} {
		if strings.Contains(fmt.Sprintf("%+v %#v", err, err), secret) {
			t.Errorf("%q is in the error: %v", secret, err)
		}
	}
}
