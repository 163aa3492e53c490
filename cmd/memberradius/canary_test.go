package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/mschap"
	"memberradius/radiusd/radiustest"

	"github.com/sirupsen/logrus"
)

// What must never be seen again once the server has it.
const (
	canaryPassword = "canary-password-7f3a"
	canaryWrong    = "canary-wrong-password-91"
	canaryOf       = "canary-of-the-hash-22"
	canaryToken    = "canary-token-5be1c0de"
	canarySecret   = "canary-radius-secret-04d2"
)

// A mine collects what is secret and what was said.
type mine struct {
	mu      sync.Mutex
	secrets map[string][]byte
	said    bytes.Buffer
}

// Write implements io.Writer: it takes what the server says.
func (m *mine) Write(b []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.said.Write(b)
}

func (m *mine) hide(name string, secret []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.secrets[name] = secret
}

// search returns the names of secrets that were said in any spelling.
func (m *mine) search() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	text := m.said.String()
	var hits []string
	for name, s := range m.secrets {
		h := hex.EncodeToString(s)
		for _, spelling := range []string{
			string(s), h, strings.ToUpper(h), base64.StdEncoding.EncodeToString(s), base64.RawURLEncoding.EncodeToString(s),
			strings.Trim(fmt.Sprint(s), "[]"), strings.Trim(fmt.Sprintf("%#v", s), "[]byte{}"), fmt.Sprintf("%q", s),
		} {
			if strings.Contains(text, spelling) {
				hits = append(hits, name)
			}
		}
	}
	return hits
}

// club is a member system that behaves and misbehaves by login, and puts what
// it was sent into its bodies.
func (m *mine) club(t *testing.T) *httptest.Server {
	t.Helper()
	nt := mschap.NTHash(canaryPassword)
	key := mschap.HashHash(nt)
	m.hide("nt_key", key[:])
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var in map[string]string
		_ = json.Unmarshal(body, &in)
		for _, k := range []string{"mschap_challenge", "mschap_response"} {
			if v, err := hex.DecodeString(in[k]); err == nil && len(v) > 0 {
				m.hide(k+" of "+in["login"], v)
			}
		}
		w.Header().Set("Content-Type", "application/json")
		switch in["login"] {
		case "broken":
			_, _ = fmt.Fprintf(w, `{"nt_key": %q, "attributes": %q, %s`, hex.EncodeToString(key[:]), body, r.Header.Get("Authorization"))
		case "down":
			http.Error(w, string(body), http.StatusInternalServerError)
		case "token":
			http.Error(w, r.Header.Get("Authorization"), http.StatusUnauthorized)
		case "html":
			w.Header().Set("Content-Type", "text/html")
			_, _ = fmt.Fprintf(w, "<html>%s %s", body, r.Header.Get("Authorization"))
		case "redirect":
			http.Redirect(w, r, "/?token="+r.Header.Get("Authorization"), http.StatusFound)
		case "reset":
			panic(http.ErrAbortHandler)
		default:
			if in["password"] == canaryPassword || in["mschap_response"] != "" {
				_, _ = fmt.Fprintf(w, `{"nt_key": %q, "attributes": [{"name": "MS-MPPE-Send-Key", "value": %q}, {"name": "Idle-Timeout", "value": %q}]}`,
					hex.EncodeToString(key[:]), canaryPassword, canaryToken)
				return
			}
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = io.WriteString(w, `{"errors": ["no"]}`)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// TestCanary runs every way that a login can take at log level debug, and looks
// for its secrets in the log, the metrics, the control socket and every error.
func TestCanary(t *testing.T) {
	t.Parallel()
	m := &mine{secrets: map[string][]byte{}}
	for _, s := range []string{canaryPassword, canaryWrong, canaryOf, canaryToken, canarySecret} {
		m.hide(s, []byte(s))
	}
	for _, password := range []string{canaryPassword, canaryOf} {
		nt := mschap.NTHash(password)
		m.hide("NT hash of "+password, nt[:])
	}
	s, dir := m.server(t, m.club(t).URL)
	m.doors(t, s, dir) // first: logins opens the breaker
	m.logins(t, s)
	m.questions(t, s, dir)
	m.badConfigs(t)
	if s.radius.Why("bob", 1) == nil || m.said.Len() < 5000 || len(m.secrets) < 12 {
		t.Fatalf("the canary did not fly: %d octets said, %d secrets", m.said.Len(), len(m.secrets))
	}
	for _, hit := range m.search() {
		t.Errorf("said: %s", hit)
	}
	m.hide("control", []byte("let in at lobby"))
	if len(m.search()) == 0 {
		t.Error("the search finds nothing at all")
	}
}

// server starts one in this process, with everything that holds secrets.
func (m *mine) server(t *testing.T, url string) (*server, string) {
	t.Helper()
	nt := mschap.NTHash(canaryOf)
	dir := setup(t, map[string]string{
		"members.toml": fmt.Sprintf("[[member]]\nlogin = \"bob\"\npassword = %q\n[[member]]\nlogin = \"alice\"\nnt_hash = %q\n", canaryPassword, hex.EncodeToString(nt[:])),
		"token":        canaryToken + "\n",
		"config.toml": fmt.Sprintf(`
[server]
auth = ["127.0.0.1:0"]
acct = ["127.0.0.1:0"]
reject_delay = "0s"
[log]
level = "debug"
[http]
listen = "127.0.0.1:0"
[[site]]
name = "main"
default_plan = "guest"
[[plan]]
name = "guest"
[[portal]]
site = "main"
methods = ["login", "voucher"]
controller = "uam"
[[backend]]
name = "staff"
kind = "file"
path = "members.toml"
[[backend]]
name = "club"
kind = "rest"
url = %q
token = "file:token"
[[client]]
name = "lobby"
address = "127.0.0.1"
secret = %q
methods = ["pap", "mschap", "mschapv2", "chap", "mac"]
coa = "127.0.0.1:1"
`, url, canarySecret),
	})
	s := startServer(t, filepath.Join(dir, "config.toml"), m)
	return s, dir
}

// startServer runs a server in this process until the test ends.
func startServer(t *testing.T, path string, log io.Writer) *server {
	t.Helper()
	s, stop := runServer(t, path, log)
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	return s
}

// runServer runs a server in this process until stop is called, which does
// what SIGTERM does and returns when the server has ended.
func runServer(t *testing.T, path string, log io.Writer) (s *server, stop func() error) {
	t.Helper()
	c, found, err := loadConfig(path)
	if err != nil || found.bad() {
		t.Fatal(err, found)
	}
	s, err = newServer(t.Context(), c, newLogger(log, c.Log))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.run(ctx, make(chan os.Signal)) }()
	stop = func() error {
		cancel()
		return <-done
	}
	if _, err := awaitServer(c.Server.Data); err != nil {
		t.Fatal(errors.Join(err, stop()))
	}
	return s, stop
}

// logins tries every login with right and wrong passwords, by every method,
// and once with the wrong RADIUS secret.
func (m *mine) logins(t *testing.T, s *server) {
	t.Helper()
	timing := radiustest.Timing{Initial: 500 * time.Millisecond, Count: 1}
	try := func(secret string) {
		nas := &radiustest.NAS{Server: s.radius.Addrs()[0], Secret: member.Secret(secret), Timing: timing}
		if err := nas.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = nas.Close() }()
		var tries sync.WaitGroup
		for _, login := range []string{"bob", "alice", "club", "broken", "down", "token", "html", "redirect", "reset", "evil\r\nlevel=error\x1b[2J"} {
			for _, method := range []radiustest.Method{radiustest.PAP, radiustest.CHAP, radiustest.MSCHAP, radiustest.MSCHAPv2} {
				for _, password := range []member.Secret{canaryPassword, canaryWrong, canaryOf} {
					tries.Go(func() {
						reply, err := nas.Do(t.Context(), &radiustest.Request{Method: method, Login: login, Password: password})
						if err != nil {
							_, _ = fmt.Fprintln(m, err)
							return
						}
						m.keys(login, method, reply)
					})
				}
			}
		}
		tries.Wait()
	}
	try(canarySecret)
	try("another-secret-than-that")
}

// keys hides the session keys of a reply, and says all that `test` would.
func (m *mine) keys(login string, method radiustest.Method, reply *radiustest.Reply) {
	if len(reply.SendKey) > 0 {
		m.hide(fmt.Sprintf("send key of %s by %s", login, method), []byte(reply.SendKey))
		m.hide(fmt.Sprintf("receive key of %s by %s", login, method), []byte(reply.RecvKey))
	}
	_, _ = fmt.Fprintf(m, "%+v %+v\n", reply.Attributes, reply.Faults)
}

// questions asks the control socket and HTTP everything that they answer.
func (m *mine) questions(t *testing.T, s *server, dir string) {
	t.Helper()
	control := newControlClient(filepath.Join(dir, "data"))
	call := func(method, path string, in any) {
		var out json.RawMessage
		err := control.call(t.Context(), method, path, in, &out)
		_, _ = fmt.Fprintf(m, "%s %s: %v %s\n", method, path, err, out)
	}
	for _, login := range []string{"bob", "alice", "club", "broken", "token"} {
		call(http.MethodGet, "/why?most=10&login="+login, nil)
	}
	loan := loanRequest{Addresses: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9")}, Secret: canarySecret, Seconds: 1}
	call(http.MethodPost, "/clients/lend", &loan)
	loan.Client = "nobody"
	call(http.MethodPost, "/clients/lend", &loan)
	call(http.MethodPost, "/clients/lend", map[string]string{"secrets": canarySecret})
	call(http.MethodPost, "/members/refresh", nil)
	call(http.MethodPost, "/reload", nil)
	call(http.MethodGet, "/status", nil)
	for _, page := range []string{"/metrics", "/healthz", "/readyz"} {
		resp, err := http.Get("http://" + s.web.Addrs()[0].String() + page)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(m, resp.Body)
		_ = resp.Body.Close()
	}
	_, _ = fmt.Fprintf(m, "%v %+v %#v\n", s.config.Load().Clients, s.config.Load().Clients, s.config.Load().Clients)
	for _, b := range s.config.Load().Backends {
		_, _ = fmt.Fprintf(m, "%+v %+v\n", b, b.opener)
	}
}

// badConfigs has secrets in every place where something is wrong.
func (m *mine) badConfigs(t *testing.T) {
	t.Helper()
	for _, text := range []string{
		"[[client]]\nname = \"x\"\nsecret = " + canarySecret,
		"[[client]]\nname = \"x\"\nsecret = \"" + canarySecret,
		"[[client]]\nname = \"x\"\nsecret = [\"" + canarySecret + "\"]",
		"[[client]]\nname = \"x\"\nsecrets = \"" + canarySecret + "\"",
		"[[backend]]\nname = \"x\"\nkind = \"rest\"\nurl = \"https://u:" + canaryPassword + "@example.com\"\ntoken = \"" + canaryToken + "\"",
		"[[backend]]\nname = \"x\"\nkind = \"rest\"\nurl = \"https://example.com\"\ntoken = [\"" + canaryToken + "\"]",
		"[[backend]]\nname = \"x\"\nkind = \"rest\"\nurl = \"https://example.com\"\ntoken = \"" + canaryToken + " \\n\"",
	} {
		c, found := readConfig("config.toml", t.TempDir(), text+"\n")
		if c != nil && !found.bad() {
			found = append(found, c.tryAll(t.Context(), false)...)
		}
		if !found.bad() {
			t.Errorf("taken: %s", text)
		}
		found.print(m)
		log := logrus.New()
		log.SetOutput(m)
		found.log(log)
	}
}
