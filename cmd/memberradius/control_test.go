package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"memberradius/radiusd/radiustest"
)

// small is a configuration of one file of members, on free ports.
const small = `[server]
auth = ["127.0.0.1:0"]
acct = ["127.0.0.1:0"]
reject_delay = "0s"
[log]
level = "warn"
[http]
listen = "127.0.0.1:0"
[[backend]]
name = "staff"
kind = "file"
path = "members.toml"
[[client]]
name = "localhost"
address = "127.0.0.1"
secret = "a secret that is long enough"
`

const smallMembers = "[[member]]\nlogin = \"bob\"\npassword = \"hello\"\n"

func startSmall(t *testing.T) (*server, string) {
	t.Helper()
	dir := setup(t, map[string]string{"config.toml": small, "members.toml": smallMembers})
	return startServer(t, filepath.Join(dir, "config.toml"), io.Discard), dir
}

func TestControlIsStrict(t *testing.T) {
	t.Parallel()
	_, dir := startSmall(t)
	socket := filepath.Join(dir, "data", controlSocket)
	c := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", socket) }}}
	for _, tt := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/status", "", 200},
		{"GET", "/why?login=bob&most=1", "", 200},
		{"GET", "/why?login=bob&most=x", "", 400},
		{"GET", "/why?most=1", "", 400},
		{"POST", "/status", "", 405},
		{"GET", "/other", "", 404},
		{"POST", "/clients/lend", `{"unknown": 1, "seconds": 1, "secret": "s", "addresses": ["127.0.0.1:9"]}`, 400},
		{"POST", "/clients/lend", `{"seconds": 1} {}`, 400},
		{"POST", "/clients/lend", `[`, 400},
		{"POST", "/clients/lend", `{"seconds": 1, "addresses": ["127.0.0.1:9"]}`, 400}, // no secret
		{"POST", "/clients/lend", `{"seconds": 1, "secret": "s", "addresses": ["192.0.2.1:9"]}`, 400},
		{"POST", "/clients/lend", `{"seconds": 1, "secret": "s", "addresses": ["127.0.0.1:9"]}`, 200},
		{"POST", "/clients/lend", `{"secret": "` + strings.Repeat("x", maxControlBody) + `"}`, 400},
		{"POST", "/members/refresh", "", 200},
		{"GET", "/sessions/kick", "", 405},
		{"POST", "/sessions/kick", "", 400},
		{"POST", "/sessions/kick", `{"session": 1}`, 400},
		{"POST", "/sessions/kick", `{"session": "5F2A0001", "why": "because"}`, 400},
		{"POST", "/sessions/kick", `{"session": "5F2A0001"} {}`, 400},
		{"POST", "/sessions/kick", `{"session": "5F2A0001"}`, 404},
		{"POST", "/sessions/kick", `{"session": ""}`, 404},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, "http://server"+tt.path, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != tt.status {
			t.Errorf("%s %s %.40s: %d, want %d", tt.method, tt.path, tt.body, resp.StatusCode, tt.status)
		}
	}
}

func TestStaleSocketIsReplaced(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	path := filepath.Join(data, controlSocket)
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	_ = dead.Close()
	c, err := listenControl(t.Context(), data, &server{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestLongSocketPath(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), strings.Repeat("x", 120))
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := listenControl(t.Context(), data, &server{}); err == nil || !strings.Contains(err.Error(), "name another data directory") {
		t.Errorf("%v", err)
	}
}

func TestNotRunning(t *testing.T) {
	t.Parallel()
	err := newControlClient(t.TempDir()).call(t.Context(), http.MethodGet, "/status", nil, nil)
	if !errors.Is(err, errNotRunning) {
		t.Errorf("%v", err)
	}
}

// TestReloadLosesNothing reloads while requests come in: all are answered.
func TestReloadLosesNothing(t *testing.T) {
	t.Parallel()
	s, dir := startSmall(t)
	path := filepath.Join(dir, "config.toml")
	ctx, cancel := context.WithCancel(t.Context())
	var senders sync.WaitGroup
	var sent [4]int
	for i := range sent {
		nas := &radiustest.NAS{Server: s.radius.Addrs()[0], Secret: "a secret that is long enough", Timing: radiustest.Timing{Initial: 5 * time.Second, Count: 1}}
		if err := nas.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = nas.Close() }()
		senders.Go(func() {
			for ctx.Err() == nil {
				reply, err := nas.Do(t.Context(), &radiustest.Request{Method: radiustest.PAP, Login: "bob", Password: "hello"})
				if err != nil || !reply.OK() {
					t.Errorf("request %d: %v, %v", sent[i], reply, err)
					return
				}
				sent[i]++
			}
		})
	}
	for i := range 40 {
		text := small
		switch i % 4 {
		case 1:
			text += "nonsense = 1\n"
		case 2:
			text = strings.Replace(text, "members.toml", "others.toml", 1) // not there
		case 3:
			text += fmt.Sprintf("[[plan]]\nname = \"p%d\"\n", i)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if bad := s.reload(t.Context()).bad(); bad != (i%4 == 1 || i%4 == 2) {
			t.Errorf("reload %d: bad is %v", i, bad)
		}
	}
	cancel()
	senders.Wait()
	if n := sent[0] + sent[1] + sent[2] + sent[3]; n < 40 {
		t.Errorf("only %d requests went through 40 reloads", n)
	}
}

// TestStopFinishesWhatIsInWork ends the server while a member system is still
// thinking: her request is answered, and then the server ends.
func TestStopFinishesWhatIsInWork(t *testing.T) {
	t.Parallel()
	asked, thinking := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(thinking) })
	club := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-thinking
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"attributes": [{"name": "Filter-Id", "value": "late"}]}`)
	}))
	t.Cleanup(club.Close)
	t.Cleanup(release)
	dir := setup(t, map[string]string{"members.toml": smallMembers, "config.toml": small +
		fmt.Sprintf("[[backend]]\nname = \"club\"\nkind = \"rest\"\nurl = %q\ntoken = \"t0ken\"\ntimeout = \"20s\"\n", club.URL)})
	s, stop := runServer(t, filepath.Join(dir, "config.toml"), io.Discard)
	nas := &radiustest.NAS{Server: s.radius.Addrs()[0], Secret: "a secret that is long enough", Timing: radiustest.Timing{Initial: 20 * time.Second, Count: 1}}
	if err := nas.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nas.Close() })
	replied := make(chan *radiustest.Reply, 1)
	go func() {
		reply, err := nas.Do(t.Context(), &radiustest.Request{Method: radiustest.PAP, Login: "gina", Password: "hello"})
		if err != nil {
			t.Error(err)
		}
		replied <- reply
	}()
	<-asked
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	for tick := time.Tick(time.Millisecond); s.readiness() == nil; <-tick {
	}
	select {
	case err := <-ended:
		t.Fatalf("ended before the answer: %v", err)
	case <-time.After(50 * time.Millisecond): // time enough for a server that waits for nobody
	}
	release()
	if reply := <-replied; reply == nil || !reply.OK() {
		t.Errorf("the reply is %+v", reply)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestReloadKeepsBackends reads a configuration again in which one of two
// member systems has changed: the other one goes on.
func TestReloadKeepsBackends(t *testing.T) {
	t.Parallel()
	s, dir := startSmall(t)
	before := s.systems.open["staff"]
	more := small + "[[backend]]\nname = \"more\"\nkind = \"file\"\npath = \"more.toml\"\n"
	for name, text := range map[string]string{"config.toml": more, "more.toml": smallMembers, "third.toml": smallMembers} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if found := s.reload(t.Context()); found.bad() {
		t.Fatal(found)
	}
	second := s.systems.open["more"]
	if s.systems.open["staff"] != before || second == nil || s.systems.count() != 2 {
		t.Error("the backend that did not change was opened anew, or the new one is not there")
	}
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(strings.Replace(more, "more.toml", "third.toml", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if found := s.reload(t.Context()); found.bad() {
		t.Fatal(found)
	}
	if s.systems.open["staff"] != before || s.systems.open["more"] == second || len(s.systems.retired) != 1 {
		t.Error("the backend that changed was not replaced")
	}
}

func TestReachable(t *testing.T) {
	t.Parallel()
	for listen, want := range map[string]string{
		"0.0.0.0:1812": "127.0.0.1:1812", "[::]:1812": "[::1]:1812", "192.0.2.1:1": "192.0.2.1:1", "[::ffff:0.0.0.0]:1": "127.0.0.1:1",
	} {
		if got := reachable(mustAddrPort(t, listen)).String(); got != want {
			t.Errorf("%s is reached at %s, want %s", listen, got, want)
		}
	}
}
