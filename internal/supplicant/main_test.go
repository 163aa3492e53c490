//go:build linux

package supplicant

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"text/template"
)

var serverFlag = flag.String("server", "memberradius", "what the table runs against: memberradius or freeradius")

// lanes is how many rows run at once: they wait for each other's processes and
// for resends more than they compute.
const lanes = "8"

// A setting is what a server is set up with.
type setting struct {
	// Methods are offered in this order.
	Methods []string
	// TLSMax is the highest version of every tunnel; "" is what the server does by itself.
	TLSMax string
	// Stored: the members are those of the embedded store, which has none at first.
	Stored bool
	// Strict switches off what is on by default: resumption, and peers without Extended Master Secret.
	Strict bool
}

// The settings that rows ask for. A server of each serves all of its rows.
var (
	open   = &setting{Methods: []string{"peap", "ttls", "tls", "mschapv2"}, TLSMax: "1.3"}
	plain  = &setting{Methods: []string{"ttls", "peap", "tls"}}
	stored = &setting{Methods: []string{"peap"}, Stored: true}
	strict = &setting{Methods: []string{"peap", "ttls", "tls"}, TLSMax: "1.3", Strict: true}
)

// A contender is a server that the table runs against.
type contender interface {
	// start serves the members of this package's templates, in an empty folder.
	start(dir string, s *setting) (netip.AddrPort, error)
	// why says in words what the server knows of a device's last refusal; "" if
	// this server can't say.
	why(login, device string) (string, error)
}

// shop is what the tests of a run share: the folder, the certificates, and a
// server for each setting.
var shop struct {
	dir     string
	once    sync.Once
	err     error
	program string

	mu       sync.Mutex
	serving  map[*setting]func() (*serving, error)
	children []*child
}

// A serving is a contender at work.
type serving struct {
	contender
	address netip.AddrPort
}

// lookAtSources has go test see what the program is built from: it remembers a
// run by the files that the test looks at, and go build runs apart from it.
func lookAtSources() error {
	root := filepath.Join("..", "..")
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (d.Name()[0] == '.' || d.Name() == "internal" || d.Name() == "data"):
			return fs.SkipDir
		case filepath.Ext(path) == ".go" || filepath.Ext(path) == ".s":
			_, err = os.Stat(path)
		}
		return err
	})
}

func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f != nil && f.Value.String() == f.DefValue {
		_ = flag.Set("test.parallel", lanes)
	}
	code := m.Run()
	for _, c := range shop.children {
		c.stop()
	}
	if shop.dir != "" {
		_ = os.RemoveAll(shop.dir)
	}
	os.Exit(code)
}

// prepare makes, once, the folder, the certificates and the program.
func prepare(t *testing.T) {
	t.Helper()
	shop.once.Do(func() {
		if shop.dir, shop.err = os.MkdirTemp("", "supplicant-"); shop.err != nil {
			return
		}
		shop.serving = map[*setting]func() (*serving, error){}
		if shop.err = makeCertificates(shop.dir); shop.err != nil {
			return
		}
		if *serverFlag == "memberradius" {
			shop.program, shop.err = buildProgram()
		}
	})
	if shop.err != nil {
		t.Fatal(shop.err)
	}
}

// buildProgram builds the program as it is installed.
func buildProgram() (string, error) {
	if err := lookAtSources(); err != nil {
		return "", err
	}
	path := filepath.Join(shop.dir, "memberradius")
	build := exec.Command("go", "build", "-o", path, "./cmd/memberradius")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/memberradius: %w\n%s", err, out)
	}
	return path, nil
}

// serve returns the one server of a setting.
func serve(t *testing.T, s *setting) *serving {
	t.Helper()
	prepare(t)
	shop.mu.Lock()
	start := shop.serving[s]
	if start == nil {
		start = sync.OnceValues(func() (*serving, error) { return startContender(s) })
		shop.serving[s] = start
	}
	shop.mu.Unlock()
	v, err := start()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// newFolder makes a server's folder. Its path is short, as that of a Unix socket must be.
func newFolder() (string, error) { return os.MkdirTemp(shop.dir, "server-") }

func startContender(s *setting) (*serving, error) {
	dir, err := newFolder()
	if err != nil {
		return nil, err
	}
	v := &serving{}
	switch *serverFlag {
	case "memberradius":
		v.contender = &ours{}
	case "freeradius":
		v.contender = &freeradius{}
	default:
		return nil, fmt.Errorf("-server=%s: memberradius or freeradius", *serverFlag)
	}
	v.address, err = v.start(dir, s)
	return v, err
}

// keep remembers a process that TestMain ends.
func keep(c *child) {
	shop.mu.Lock()
	defer shop.mu.Unlock()
	shop.children = append(shop.children, c)
}

// need skips where a program is missing, and fails where the environment says CI=true.
func need(t *testing.T, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if errors.Is(err, exec.ErrNotFound) {
		path, err = exec.LookPath("/usr/sbin/" + name)
	}
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is missing: apt-get install %s", name, debian)
	default:
		t.Skipf("%s is missing, so no real device tries this (Debian: apt-get install %s)", name, debian)
	}
	return path
}

// A site is what the templates of a server's files are made of.
type site struct {
	*setting
	Dir, Certificates, ServerName, Secret string
	Auth, Acct, HTTP, Clients             string
	Modules                               string
	Port                                  uint16
	VLAN, OwnVLAN, OtherVLAN              string
	Bob, Carol, Dora, Erik, Zoe, Ida      person
}

func newSite(dir string, s *setting) site {
	return site{
		setting: s, Dir: dir, Certificates: shop.dir, ServerName: serverName, Secret: sharedSecret, Clients: "127.0.0.0/8",
		VLAN: vlan, OwnVLAN: ownVLAN, OtherVLAN: otherVLAN, Bob: bob, Carol: carol, Dora: dora, Erik: erik, Zoe: zoe, Ida: ida,
	}
}

// write makes the file name in the site's folder of its template.
func (s *site) write(name string) error {
	t, err := template.ParseFiles(filepath.Join("testdata", name+".tmpl"))
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(s.Dir, name), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(t.Execute(f, s), f.Close())
}

// freePorts returns loopback addresses for UDP, UDP and TCP that nobody has now.
func freePorts(ctx context.Context) (auth, acct, web string, err error) {
	var listen net.ListenConfig
	var closers []interface{ Close() error }
	defer func() {
		for _, c := range closers {
			_ = c.Close()
		}
	}()
	for _, a := range []*string{&auth, &acct} {
		c, err := listen.ListenPacket(ctx, "udp4", "127.0.0.1:0")
		if err != nil {
			return "", "", "", err
		}
		closers = append(closers, c)
		*a = c.LocalAddr().String()
	}
	l, err := listen.Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return "", "", "", err
	}
	closers = append(closers, l)
	return auth, acct, l.Addr().String(), nil
}
