//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"memberradius/internal/nexudustest/standin"

	"github.com/BurntSushi/toml"
)

// testSpace serves a space of some members.
func testSpace(t *testing.T, members int) (*space, *server) {
	t.Helper()
	s := newSpace(members)
	web := httptest.NewServer(s.handler())
	t.Cleanup(web.Close)
	address := netip.MustParseAddrPort(web.Listener.Addr().String())
	return s, &server{process: &process{cmd: &exec.Cmd{Path: "space"}, tail: &tail{}}, address: address}
}

func TestSpace_AnswersOnceItIsOpened(t *testing.T) {
	t.Parallel()
	_, at := testSpace(t, 3)
	answered := make(chan int, 1)
	go func() {
		resp, err := http.Get("http://" + at.address.String() + "/api/spaces/coworkers")
		if err != nil {
			answered <- 0
			return
		}
		_ = resp.Body.Close()
		answered <- resp.StatusCode
	}()
	for range 2 {
		select {
		case code := <-answered:
			t.Fatalf("answered with %d before it was opened", code)
		default:
		}
		if err := at.tell(t.Context(), order{path: spaceChange, count: 1}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := at.tell(t.Context(), order{path: spaceOpen}); err != nil {
			t.Fatal(err)
		}
	}
	if code := <-answered; code != http.StatusUnauthorized {
		t.Errorf("answered with %d", code)
	}
}

func TestSpace_Change(t *testing.T) {
	t.Parallel()
	s, at := testSpace(t, 5)
	if err := at.tell(t.Context(), order{path: spaceChange, from: 1, count: 3}); err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		c, _ := s.Find(login(n))
		held := s.ContractsOf(c.ID)
		if len(held) != 1 {
			t.Fatalf("member %d has %d contracts", n, len(held))
		}
		if changed := strings.HasSuffix(held[0].Plan, " by the Year"); changed != (n >= 1 && n <= 3) {
			t.Errorf("member %d has plan %q", n, held[0].Plan)
		}
	}
}

func TestSpace_RefusesWhoIsNotThere(t *testing.T) {
	t.Parallel()
	_, at := testSpace(t, 2)
	for _, o := range []order{{from: 1, count: 2}, {from: -1, count: 1}, {count: 0}, {from: 3, count: 1}} {
		o.path = spaceChange
		if err := at.tell(t.Context(), o); err == nil {
			t.Errorf("%+v is carried out", o)
		}
	}
}

func TestSpace_Cancel(t *testing.T) {
	t.Parallel()
	s, at := testSpace(t, 3)
	type hook struct{ signature, body string }
	hooks := make(chan hook, 8)
	listener := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		hooks <- hook{r.Header.Get("X-Nexudus-Hook-Signature"), body.String()}
	}))
	t.Cleanup(listener.Close)
	if err := at.tell(t.Context(), order{path: spaceCancel, from: 1, count: 2, hook: listener.URL}); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 2; n++ {
		h, id := <-hooks, s.contracts[n]
		var told []struct{ ID int }
		if err := json.Unmarshal([]byte(h.body), &told); err != nil || len(told) != 1 || told[0].ID != id {
			t.Errorf("the hook is about %+v (%v), and not about %d", told, err, id)
		}
		if h.signature != s.Sign([]byte(h.body)) || s.HookSecret != spaceSecret {
			t.Errorf("signed %q", h.signature)
		}
		if c := s.Contract(id); c.Active || !c.Cancelled {
			t.Errorf("contract %d is %+v", id, c)
		}
	}
	if c := s.Contract(s.contracts[0]); !c.Active {
		t.Error("a contract that nobody cancelled has ended")
	}
}

// TestSpace_IsThatOfTheTemplate: config.toml signs in as the space expects it.
func TestSpace_IsThatOfTheTemplate(t *testing.T) {
	t.Parallel()
	site := &spaceSite{URL: "http://127.0.0.1:1", Secrecy: "pincode", HookSecret: spaceSecret}
	dir, _, err := (&ours{}).prepare(t.TempDir(), ourSite{Kind: "file", Members: 3, Space: site})
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Log     struct{ Level string }
		Plan    []struct{ Match []string }
		Backend []struct {
			Name, Kind, URL, Username, Password, Secret string
			WebhookSecret                               string `toml:"webhook_secret"`
		}
	}
	if _, err := toml.DecodeFile(filepath.Join(dir, "config.toml"), &config); err != nil {
		t.Fatal(err)
	}
	like := standin.New()
	if len(config.Backend) != 2 || config.Log.Level != "warn" || len(config.Plan[0].Match) != 3 {
		t.Fatalf("%+v", config)
	}
	b := config.Backend[1]
	if b.Name != spaceBackend || b.Kind != "nexudus" || b.URL != site.URL || b.Username != like.Username || b.Password != like.Password ||
		b.Secret != "pincode" || b.WebhookSecret != spaceSecret {
		t.Errorf("%+v", b)
	}
}

func TestComes(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"# HELP x\nmemberradius_members{backend=\"space\"} 100000\nother 1\n": "100000",
		"memberradius_members{backend=\"members\"} 10\n":                      "",
	} {
		got := ""
		if found := comes.FindStringSubmatch(line); found != nil {
			got = found[1]
		}
		if got != want {
			t.Errorf("%s: %q", line, got)
		}
	}
}

func TestSlower(t *testing.T) {
	t.Parallel()
	base := series{{P99: 2}, {P99: 4}, {P99: 0}, {P99: 10}}
	if got := (series{{P99: 3}, {P99: 4}, {P99: 9}, {P99: 20}}).slower(base); got != 1.5 {
		t.Errorf("%v, want 1.5", got)
	}
	if got := base.slower(nil); got != 0 {
		t.Errorf("than nothing: %v", got)
	}
}

func TestMembership_Verdicts(t *testing.T) {
	t.Parallel()
	good := func() *membership {
		return &membership{
			took: []time.Duration{59 * time.Second}, peak: []int64{299 << 20}, quiet: series{{P99: 10}}, beside: series{{P99: 12}},
			delta: []time.Duration{time.Second - 1}, asked: []int64{3}, hooks: []time.Duration{time.Second - 1},
		}
	}
	for _, v := range good().verdicts() {
		if !v.met {
			t.Errorf("%s: %s against %s is missed", v.what, v.figure, v.target)
		}
	}
	bad := map[string]func(*membership){
		"sync of 100,000 members":                             func(m *membership) { m.took[0] = time.Minute },
		"sync of 100,000 members, most resident memory":       func(m *membership) { m.peak[0] = 300 << 20 },
		"PAP at 2000/s beside that sync, p99 of that without": func(m *membership) { m.beside[0].P99 = 13 },
		"sync of 10 changes, requests":                        func(m *membership) { m.asked[0] = 4 },
		"sync of 10 changes":                                  func(m *membership) { m.delta[0] = time.Second },
		"webhook to changed decision, p99":                    func(m *membership) { m.hooks[0] = time.Second },
	}
	for what, spoil := range bad {
		m := good()
		spoil(m)
		for _, v := range m.verdicts() {
			if v.met == (v.what == what) {
				t.Errorf("%s spoilt: %s is met: %v", what, v.what, v.met)
			}
		}
	}
	for _, v := range (&membership{}).verdicts() {
		if v.met {
			t.Errorf("%s is met by nothing", v.what)
		}
	}
	found := results{membership: good()}
	if text := page(machine{}, &run{rounds: 1, seconds: 1}, found); !strings.Contains(text, "PAP beside a sync of everybody") || !strings.Contains(text, "webhook to changed decision, p99") {
		t.Errorf("the page lacks the membership:\n%s", text)
	}
}

// TestTell_SaysWhatWasAnswered: an order that fails is an error.
func TestTell_SaysWhatWasAnswered(t *testing.T) {
	t.Parallel()
	_, at := testSpace(t, 1)
	gone, stop := context.WithCancel(t.Context())
	stop()
	if err := at.tell(gone, order{path: spaceOpen}); err == nil {
		t.Error("an order that was never sent is carried out")
	}
}
