package pki

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestOpenSSL asks a foreign implementation about all that is made here.
func TestOpenSSL(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed")
	}
	dir := t.TempDir()
	k := open(t, Config{Dir: dir, ServerName: "radius.example.com"})
	bob, alice := issue(t, k, "bob@example.com"), issue(t, k, "alice")
	if err := k.Revoke("alice"); err != nil {
		t.Fatal(err)
	}
	legacy, err := bob.Legacy()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"bob.pem": certificatePEM(bob.Certificate.Raw), "alice.pem": certificatePEM(alice.Certificate.Raw), "bob.p12": bob.PKCS12, "old.p12": legacy} {
		put(t, filepath.Join(dir, name), text)
	}
	for _, tt := range []struct{ command, want string }{
		{"verify -x509_strict -purpose sslserver -verify_hostname radius.example.com -CAfile ca.crt server.pem", "server.pem: OK"},
		{"verify -x509_strict -purpose sslclient -crl_check_all -CRLfile crl.pem -CAfile ca.crt bob.pem", "bob.pem: OK"},
		{"verify -purpose sslclient -crl_check_all -CRLfile crl.pem -CAfile ca.crt alice.pem", "certificate revoked"},
		{"crl -in crl.pem -noout -CAfile ca.crt", "verify OK"},
		{"x509 -in bob.pem -noout -ext subjectAltName", "email:bob@example.com"},
		{"x509 -in alice.pem -noout -ext subjectAltName", "UPN:"},
		{"pkcs12 -in bob.p12 -noenc -passin pass:" + string(bob.Password), "friendlyName|PRIVATE KEY"},
		{"pkcs12 -in bob.p12 -noout -info -passin pass:" + string(bob.Password), "AES-256-CBC"},
		{"pkcs12 -legacy -in old.p12 -noenc -passin pass:" + string(bob.Password), "PRIVATE KEY"},
	} {
		cmd := exec.CommandContext(t.Context(), "openssl", strings.Fields(tt.command)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		found := false
		for want := range strings.SplitSeq(tt.want, "|") {
			found = found || strings.Contains(string(out), want)
		}
		if !found {
			t.Errorf("openssl %s: %v\n%s", strings.ReplaceAll(tt.command, string(bob.Password), redacted), err, out)
		}
	}
}
