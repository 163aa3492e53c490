package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestFirstStart(t *testing.T) {
	t.Parallel()
	c, dir := newClock(), filepath.Join(t.TempDir(), "pki")
	k := open(t, Config{Dir: dir, ServerName: "radius.example.com", Now: c.now})
	i := k.Identity()
	leaf := i.Certificate.Leaf
	roots := x509.NewCertPool()
	roots.AddCert(i.CA)
	if _, err := leaf.Verify(x509.VerifyOptions{DNSName: "radius.example.com", Roots: roots, CurrentTime: c.now()}); err != nil {
		t.Error(err)
	}
	for _, cert := range []*x509.Certificate{leaf, i.CA} {
		if key, ok := cert.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
			t.Errorf("%s has no P-256 key", cert.Subject)
		}
	}
	if leaf.Subject.CommonName != "radius.example.com" || len(leaf.ExtKeyUsage) != 1 || leaf.ExtKeyUsage[0] != x509.ExtKeyUsageServerAuth || leaf.IsCA {
		t.Errorf("subject %s, for %v, CA %v", leaf.Subject, leaf.ExtKeyUsage, leaf.IsCA)
	}
	if life := leaf.NotAfter.Sub(leaf.NotBefore); life > 825*days || life < 800*days {
		t.Errorf("the server's certificate holds for %s", life)
	}
	if life := i.CA.NotAfter.Sub(c.now()); life != CALife || !i.CA.IsCA || i.CA.MaxPathLen != 0 {
		t.Errorf("the CA holds for %s, path length %d", life, i.CA.MaxPathLen)
	}
	if len(i.Certificate.Certificate) != 1 || i.ServerName() != "radius.example.com" || !i.Made || i.ClientCAs == nil || !i.Takes(i.CA) {
		t.Errorf("%d certificates are sent, for %q", len(i.Certificate.Certificate), i.ServerName())
	}
	for name, want := range map[string]os.FileMode{"": 0o700, caFile: 0o600, serverFile: 0o600, caPublic: 0o644, crlFile: 0o644} {
		if got := mode(t, filepath.Join(dir, name)); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
	if found := k.Findings(); len(found) != 0 {
		t.Errorf("findings of a first start: %v", found)
	}
	again := open(t, Config{Dir: dir, Now: c.now}).Identity()
	if !again.CA.Equal(i.CA) || !again.Certificate.Leaf.Equal(leaf) {
		t.Error("a second start made certificates anew")
	}
}

func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "pki")
	var all [8]*Identity
	var starts sync.WaitGroup
	for n := range all {
		starts.Go(func() {
			k, err := Open(t.Context(), Config{Dir: dir, Now: newClock().now})
			if err != nil {
				t.Error(err)
				return
			}
			all[n] = k.Identity()
		})
	}
	starts.Wait()
	for _, i := range all {
		if i == nil || !i.CA.Equal(all[0].CA) || !i.Certificate.Leaf.Equal(all[0].Certificate.Leaf) {
			t.Fatal("two starts at once made two CAs")
		}
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.pem.*"))
	if err != nil || len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}
}

func TestRenew(t *testing.T) {
	t.Parallel()
	c, dir := newClock(), t.TempDir()
	k := open(t, Config{Dir: dir, ServerName: "radius.example.com", Now: c.now})
	before := k.Identity()
	c.add(100 * days)
	if err := k.Renew(); err != nil {
		t.Fatal(err)
	}
	i := k.Identity()
	if !i.CA.Equal(before.CA) || i.Certificate.Leaf.Equal(before.Certificate.Leaf) || i.ServerName() != before.ServerName() {
		t.Error("renewed to another CA or name, or not at all")
	}
	if err := i.Certificate.Leaf.CheckSignatureFrom(before.CA); err != nil {
		t.Error(err)
	}
	if left := i.Certificate.Leaf.NotAfter.Sub(c.now()); left != ServerLife {
		t.Errorf("it holds for %s", left)
	}
}

func TestRenewedByItself(t *testing.T) {
	t.Parallel()
	c := newClock()
	k := open(t, Config{Dir: t.TempDir(), Now: c.now})
	first := k.Identity().Certificate.Leaf
	c.add(ServerLife - RenewBefore)
	reload(t, k)
	if !k.Identity().Certificate.Leaf.Equal(first) {
		t.Error("renewed a moment too early")
	}
	c.add(time.Second)
	reload(t, k)
	i := k.Identity()
	if i.Certificate.Leaf.Equal(first) || i.Certificate.Leaf.DNSNames[0] != first.DNSNames[0] {
		t.Error("not renewed, or for another name")
	}
	if f := said(k.Findings(), "made anew by itself"); f == nil || f.Wrong {
		t.Errorf("%v", k.Findings())
	}
	reload(t, k)
	if f := said(k.Findings(), "made anew"); f != nil {
		t.Errorf("said again: %v", f)
	}
}

// TestEndOfCA: nothing outlives the CA, and nothing is made in vain.
func TestEndOfCA(t *testing.T) {
	t.Parallel()
	c := newClock()
	k := open(t, Config{Dir: t.TempDir(), Now: c.now})
	c.add(CALife - 10*days)
	reload(t, k)
	leaf := k.Identity().Certificate.Leaf
	if !leaf.NotAfter.Equal(k.Identity().CA.NotAfter) {
		t.Errorf("until %s, and the CA until %s", leaf.NotAfter, k.Identity().CA.NotAfter)
	}
	reload(t, k)
	if !k.Identity().Certificate.Leaf.Equal(leaf) {
		t.Error("renewed without gain")
	}
	c.add(11 * days)
	if err := k.Renew(); err == nil || !strings.Contains(err.Error(), "a new CA is made, which every device must be told") {
		t.Errorf("%v", err)
	}
	if f := said(k.Findings(), "ended on"); f == nil || !f.Wrong {
		t.Errorf("%v", k.Findings())
	}
}

func TestServerName(t *testing.T) {
	t.Parallel()
	c, dir := newClock(), t.TempDir()
	ca := open(t, Config{Dir: dir, ServerName: "one.example.com", Now: c.now}).Identity().CA
	k := open(t, Config{Dir: dir, Now: c.now})
	if name := k.Identity().ServerName(); name != "one.example.com" {
		t.Errorf("without a name in the configuration it became %q", name)
	}
	if err := k.Reconfigure(t.Context(), Config{Dir: dir, ServerName: "two.example.com", Now: c.now}); err != nil {
		t.Fatal(err)
	}
	if i := k.Identity(); i.ServerName() != "two.example.com" || !i.CA.Equal(ca) {
		t.Errorf("%q", i.ServerName())
	}
	if f := said(k.Findings(), `was for "one.example.com"`); f == nil || f.Key != KeyServerName {
		t.Errorf("%v", k.Findings())
	}
	err := k.Reconfigure(t.Context(), Config{Dir: dir, ServerName: "no host", Now: c.now})
	if !isProblem(err, KeyServerName, "no name of a host") || k.Identity().ServerName() != "two.example.com" {
		t.Errorf("%v, %q", err, k.Identity().ServerName())
	}
	if name := firstName(""); !isHost(name) || !strings.Contains(name, ".") {
		t.Errorf("the name of a first start is %q", name)
	}
}

// TestDamage: what can't be read is said, and never silently made anew: every
// device would have to be told another CA.
func TestDamage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, dir string)
		want string
	}{
		{"CA lost", func(t *testing.T, dir string) { remove(t, dir, caFile) }, "there was a private CA"},
		{"CA empty", func(t *testing.T, dir string) { put(t, filepath.Join(dir, caFile)) }, "put the file back from a backup"},
		{"server's empty", func(t *testing.T, dir string) { put(t, filepath.Join(dir, serverFile)) }, "a new one is made under the same CA"},
		{"server's of another CA", func(t *testing.T, dir string) {
			other := t.TempDir()
			open(t, Config{Dir: other, Now: newClock().now})
			text, err := os.ReadFile(filepath.Join(other, serverFile))
			if err != nil {
				t.Fatal(err)
			}
			put(t, filepath.Join(dir, serverFile), text)
		}, "a new one is made under the same CA"},
		{"list of another CA", func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, crlFile), crlPEM(newMaker(t, "other", nil).crl(newClock().now())))
		}, "it is made anew of what issued.log says"},
		{"journal", func(t *testing.T, dir string) { put(t, filepath.Join(dir, issuedFile), []byte("{}\n")) }, "line 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := Config{Dir: t.TempDir(), Now: newClock().now}
			k := open(t, c)
			before := k.Identity()
			tt.do(t, c.Dir)
			if _, err := Open(t.Context(), c); !isProblem(err, "", tt.want) {
				t.Errorf("start: %v", err)
			}
			if err := k.Reload(t.Context()); err == nil || k.Identity() != before {
				t.Errorf("reload: %v", err)
			}
			if f := said(k.Findings(), "those of before hold"); f == nil {
				t.Errorf("%v", k.Findings())
			}
		})
	}
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func TestPermission(t *testing.T) {
	t.Parallel()
	p := problem(KeyKey, "the key can't be read", "put it back", &fs.PathError{Op: "open", Path: "server.key", Err: fs.ErrPermission})
	if !isProblem(p, KeyKey, "let the server's user read it") {
		t.Errorf("%v", p)
	}
	if !errors.Is(p, fs.ErrPermission) {
		t.Error("the cause is lost")
	}
}

func TestClockOf1970(t *testing.T) {
	t.Parallel()
	_, err := Open(t.Context(), Config{Dir: t.TempDir(), Now: func() time.Time { return time.Unix(0, 0) }})
	if !isProblem(err, "", "clock says 1970-01-01") {
		t.Errorf("%v", err)
	}
}

func TestUnwritable(t *testing.T) {
	t.Parallel()
	if _, err := Open(t.Context(), Config{Dir: "/dev/null/pki"}); !isProblem(err, "", "can't be made") {
		t.Errorf("%v", err)
	}
}

func TestInspectMakesNothing(t *testing.T) {
	t.Parallel()
	c := Config{Dir: filepath.Join(t.TempDir(), "pki"), Now: newClock().now}
	i, found, problems := Inspect(t.Context(), c)
	if i.CA != nil || len(found) > 0 || len(problems) > 0 {
		t.Errorf("%v, %v, %v", i.CA, found, problems)
	}
	if _, err := os.Stat(c.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	// Everything that is wrong is said at once.
	c.Certificate, c.Key, c.ClientCA, c.CRL = "none.pem", "none.key", "none.ca", "none.crl"
	_, _, problems = Inspect(t.Context(), c)
	if len(problems) != 3 || problems[0].Key != KeyCertificate || problems[1].Key != KeyClientCA || problems[2].Key != KeyCRL {
		t.Errorf("%v", problems)
	}
	c = Config{Dir: c.Dir, Now: c.Now}
	k := open(t, c)
	if i, _, problems := Inspect(t.Context(), c); len(problems) > 0 || !i.Certificate.Leaf.Equal(k.Identity().Certificate.Leaf) {
		t.Errorf("%v", problems)
	}
}

func TestLooseKey(t *testing.T) {
	t.Parallel()
	c := Config{Dir: t.TempDir(), Now: newClock().now}
	k := open(t, c)
	if err := os.Chmod(filepath.Join(c.Dir, caFile), 0o640); err != nil {
		t.Fatal(err)
	}
	reload(t, k)
	if f := said(k.Findings(), "others on this machine may read"); f == nil || !strings.HasPrefix(f.Remedy, "chmod 600 ") {
		t.Errorf("%v", k.Findings())
	}
}

func TestExpiryFindings(t *testing.T) {
	t.Parallel()
	c := newClock()
	ca := newMaker(t, "club CA", nil)
	cert, key := ca.server(t, func(tpl *x509.Certificate) { tpl.NotAfter = c.now().Add(40 * days) })
	k := open(t, Config{Dir: t.TempDir(), Certificate: cert, Key: key, ClientCA: file(t, "ca.pem", certificatePEM(ca.cert.Raw)), Now: c.now})
	var texts []string
	for range 41 * 24 {
		for _, f := range k.Findings() {
			if len(texts) == 0 || texts[len(texts)-1] != f.What {
				texts = append(texts, f.What)
				if f.Key != KeyCertificate || f.Remedy == "" {
					t.Errorf("%+v", f)
				}
			}
		}
		c.add(time.Hour)
	}
	if len(texts) != 4 || !strings.HasSuffix(texts[0], "within 30 days") || !strings.HasSuffix(texts[1], "within 7 days") ||
		!strings.HasSuffix(texts[2], "within a day") || !strings.Contains(texts[3], "ended on") {
		t.Errorf("%q", texts)
	}
	names := ""
	for _, e := range k.Identity().Expiries() {
		names += e.Name + " "
	}
	if names != "server ca client_ca " {
		t.Errorf("%q", names)
	}
}

// TestRootMakesForOthers: what root makes by the command line is the server's.
func TestRootMakesForOthers(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	const user = 65534
	data := t.TempDir()
	if err := os.Chown(data, user, user); err != nil {
		t.Fatal(err)
	}
	k := open(t, Config{Dir: filepath.Join(data, "pki"), Now: newClock().now})
	issue(t, k, "bob")
	names, err := filepath.Glob(filepath.Join(data, "pki", "*"))
	if err != nil || len(names) < 6 {
		t.Fatalf("%v, %v", names, err)
	}
	for _, name := range append(names, filepath.Join(data, "pki")) {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := info.Sys().(*syscall.Stat_t); !ok || s.Uid != user || s.Gid != user {
			t.Errorf("%s belongs to %d", name, s.Uid)
		}
	}
}
