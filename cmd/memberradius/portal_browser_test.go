package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"memberradius/internal/chromium"
	"memberradius/member"
	"memberradius/radiusd/radiustest"
)

// hotspotConfig is a server with a portal for the gateway at %s, which it tells of
// Disconnect-Requests.
const hotspotConfig = `[server]
auth = ["127.0.0.1:0"]
acct = ["127.0.0.1:0"]
reject_delay = "0s"
[log]
level = "error"
[http]
listen = "127.0.0.1:0"
public = ["127.0.0.1:0"]
[[backend]]
name = "members"
kind = "local"
[[plan]]
name = "member"
session = "2h"
idle = "15m"
[[plan]]
name = "guest"
[[client]]
name = "hotspot"
address = "127.0.0.1"
secret = "a secret that is long enough"
site = "berlin"
methods = ["pap", "chap"]
vendor = "%s"
coa = "%s"
[[site]]
name = "berlin"
space = "Space Berlin"
default_plan = "guest"
[[portal]]
site = "berlin"
methods = ["login", "voucher"]
controller = "uam"
controllers = ["127.0.0.1"]
idle = "20m"
languages = ["en"]
uam_secret = "what chilli knows"
`

const (
	hotspotLogin    = "anna@example.com"
	hotspotPassword = "her own password"
	hotspotWrong    = "hotel california"
)

// A hotspot is the server, a gateway that asks it, and a browser behind that.
type hotspot struct {
	t      *testing.T
	server *server
	config string
	gate   *radiustest.UAM
	page   *chromium.Page

	mu    sync.Mutex
	heard []url.Values // forms that came to the gateway
	lines []string     // and all that came, for people
}

var loopback = netip.MustParseAddr("127.0.0.1")

func newHotspot(t *testing.T, gate *radiustest.UAM) *hotspot {
	t.Helper()
	dynamic, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		t.Fatal(err)
	}
	vendor := "generic"
	if gate.Kind == radiustest.UAMMikroTik {
		vendor = "mikrotik"
	}
	dir := setup(t, map[string]string{"config.toml": fmt.Sprintf(hotspotConfig, vendor, dynamic.LocalAddr())})
	h := &hotspot{t: t, gate: gate, config: filepath.Join(dir, "config.toml")}
	h.verb(hotspotPassword+"\n", "member", "add", hotspotLogin, "--plan", "member", "--password-stdin")
	h.server = startServer(t, h.config, io.Discard)
	st, err := awaitServer(filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	gate.Portal = "http://" + st.HTTP[1] + "/portal/berlin/"
	gate.Secret, gate.UAMSecret, gate.Dynamic = "a secret that is long enough", "what chilli knows", dynamic
	gate.AccessPoint = radiustest.AccessPoint{Identifier: "gate-1", BSSID: net.HardwareAddr{2, 0, 0, 0, 9, 1}, SSID: "Guests"}
	for _, l := range st.Listen {
		switch l.For {
		case "auth":
			gate.Auth = l.Address
		case "acct":
			gate.Acct = l.Address
		}
	}
	gate.Heard = h.hear
	if err := gate.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := gate.Close(); err != nil {
			t.Error(err)
		}
	})
	// All names of the world lead to the gateway, as they do behind one.
	screen := chromium.Phone()
	screen.World = gate.Host()
	h.page = screen.Open(t)
	return h
}

// hear keeps all that a browser brings to the gateway.
func (h *hotspot) hear(r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard = append(h.heard, r.Form)
	h.lines = append(h.lines, fmt.Sprint(r.Method, " ", r.URL, " ", r.Form, " ", r.Header))
}

// ticket is the last form with a login that the gateway got.
func (h *hotspot) ticket() url.Values {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := len(h.heard) - 1; i >= 0; i-- {
		if h.heard[i].Has("username") {
			return h.heard[i]
		}
	}
	h.t.Fatal("no login came to the gateway")
	return nil
}

// verb runs a verb of the program and returns what it prints.
func (h *hotspot) verb(stdin string, args ...string) string {
	h.t.Helper()
	var out, errs bytes.Buffer
	p := &program{stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs}
	if code := run(h.t.Context(), append([]string{"--config", h.config}, args...), p); code != exitDone {
		h.t.Fatalf("%v: exit status %d: %s", args, code, errs.String())
	}
	return out.String()
}

// A listedSession is what `session list --json` says of one.
type listedSession struct {
	Login, User, MAC, Plan, Site, SSID, Address, Cause string
	Online                                             bool
}

func (h *hotspot) sessions(flags ...string) (all []listedSession) {
	h.t.Helper()
	text := h.verb("", append([]string{"session", "list", "--json"}, flags...)...)
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		h.t.Fatalf("%v in %s", err, text)
	}
	return all
}

// join has another device at the browser's place, captive.
func (h *hotspot) join(station ...byte) {
	h.gate.Join(loopback, station)
	h.page.Visit("http://news.example/today?edition=1", "Welcome")
}

// submit fills a form of the splash page and sends it.
func (h *hotspot) submit(form string, fields ...string) {
	for i := 0; i < len(fields); i += 2 {
		h.page.Fill(form+` [name="`+fields[i]+`"]`, fields[i+1])
	}
	h.page.Click(form + " button")
}

// online goes on from the portal's last form to the page that says so. The ticket
// goes by itself where it is hashed; else a button takes it on.
func (h *hotspot) online() radiustest.UAMDevice {
	h.t.Helper()
	if h.gate.PAP {
		h.page.Await("One more step")
		if h.gate.Device(loopback).Open {
			h.t.Error("the gateway is open before it has asked")
		}
		h.page.Click("form button")
	}
	h.page.Await("You are online")
	d := h.gate.Device(loopback)
	if !d.Open || !strings.HasPrefix(d.User, "uam-") {
		h.t.Errorf("the page says that she is online; the gateway says %+v", d)
	}
	return d
}

// closed waits until the gateway has closed, and its report has been taken.
func (h *hotspot) closed() {
	h.t.Helper()
	for _, wait := range []struct {
		what string
		get  func() string
	}{
		{"the gateway is open", func() string { return fmt.Sprint(h.gate.Device(loopback).Open) }},
		{"somebody is online", func() string { return fmt.Sprint(len(h.sessions()) > 0) }},
	} {
		if err := eventuallyHolds(wait.get, "false"); err != nil {
			h.t.Fatalf("%s: %v", wait.what, err)
		}
	}
	if d := h.gate.Device(loopback); d.Cause != "Admin-Reset" {
		h.t.Errorf("closed by %s, not by a Disconnect-Request", d.Cause)
	}
}

// TestPortalInBrowser goes the whole way of a member and of a guest with a voucher:
// Chromium without JavaScript, a hotspot's gateway, and this server between them.
func TestPortalInBrowser(t *testing.T) {
	t.Parallel()
	for name, gate := range map[string]*radiustest.UAM{
		"chilli":       {Kind: radiustest.UAMChilli},
		"chilli-back":  {Kind: radiustest.UAMChilli, Straight: true},
		"mikrotik":     {Kind: radiustest.UAMMikroTik},
		"mikrotik-pap": {Kind: radiustest.UAMMikroTik, PAP: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHotspot(t, gate)
			h.member()
			h.guest()
			for _, err := range h.gate.Faults() {
				t.Error(err)
			}
		})
	}
}

// member is a member's way in, and out.
func (h *hotspot) member() {
	h.join(0x28, 0xcf, 0xe9, 0x13, 0x47, 0xcb)
	const login = `form[action*="/login"]`
	h.submit(login, "user", hotspotLogin, "password", hotspotWrong)
	h.page.Await("Email or password is wrong.")
	if h.gate.Device(loopback).Open {
		h.t.Fatal("a wrong password opens the gateway")
	}
	h.submit(login, "password", hotspotPassword) // the login is still in its field
	began := time.Now()
	d := h.online()
	if left := d.Until.Sub(began); left > 2*time.Hour+time.Second || left < 2*time.Hour-time.Minute || d.Idle != 15*time.Minute {
		h.t.Errorf("the gateway lets her stay for %v, idle for %v", left, d.Idle)
	}
	status := h.page.Eval("location.href")
	h.page.Visit("http://news.example/today", "This is news.example")
	h.listed(listedSession{
		Login: hotspotLogin, User: d.User, MAC: "28:cf:e9:13:47:cb", Plan: "member", Site: "berlin", SSID: "Guests", Address: d.Address.String(), Online: true,
	})
	if h.gate.PAP { // a ticket that is hashed is nobody's to try again
		h.spent("28-CF-E9-13-47-CB")
	}

	h.page.Visit(status, "Time left")
	if text := h.page.Eval("document.body.innerText"); !strings.Contains(text, "1 h 59 min") && !strings.Contains(text, "2 h") {
		h.t.Errorf("of two hours the page leaves\n%s", text)
	}
	h.page.Click(`form[action*="/logout"] button`)
	h.page.Await("You are not online")
	h.closed()
	h.listed()
	if all := h.sessions("--all"); len(all) != 1 || all[0].Online || all[0].Cause != "Admin-Reset" {
		h.t.Errorf("the session ended as %+v", all)
	}
	h.page.Visit("http://news.example/today", "Welcome")
	// Her browser's history holds the way to the gateway, which leads nowhere.
	again := url.URL{Scheme: "http", Host: h.gate.Host(), Path: h.gate.LoginPath(), RawQuery: h.ticket().Encode()}
	h.page.Visit(again.String(), "Welcome")
	if h.gate.Device(loopback).Open {
		h.t.Error("a ticket out of the history opens the gateway")
	}
	h.unheard(hotspotPassword, hotspotWrong, hotspotLogin)
}

// guest is the way of a guest with a voucher, until it is revoked.
func (h *hotspot) guest() {
	code := strings.TrimSpace(h.verb("", "voucher", "create", "--plan", "guest", "--valid", "1h", "--name", "visit"))
	h.join(2, 0, 0, 0, 0, 7)
	h.submit(`form[action*="/voucher"]`, "code", code)
	began := time.Now()
	d := h.online()
	if left := d.Until.Sub(began); left > time.Hour+time.Second || left < time.Hour-time.Minute || d.Idle != 20*time.Minute {
		h.t.Errorf("a voucher of an hour lets a guest stay for %v, idle for %v", left, d.Idle)
	}
	if all := h.sessions(); len(all) != 1 || all[0].MAC != "02:00:00:00:00:07" || all[0].Plan != "guest" || !all[0].Online {
		h.t.Errorf("online are %+v", all)
	}
	h.verb("", "voucher", "revoke", "visit")
	h.closed()
	h.unheard(code)
}

// listed wants these sessions to be online, and no others.
func (h *hotspot) listed(want ...listedSession) {
	h.t.Helper()
	if all := h.sessions(); fmt.Sprint(all) != fmt.Sprint(want) {
		h.t.Errorf("online are\n%+v, want\n%+v", all, want)
	}
}

// spent says that a ticket that let a device in is good no more, by the same
// device and while its grant still is.
func (h *hotspot) spent(station string) {
	h.t.Helper()
	used := h.ticket()
	nas := &radiustest.NAS{Server: h.gate.Auth, Secret: h.gate.Secret}
	if err := nas.Open(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = nas.Close() }()
	reply, err := nas.Do(h.t.Context(), &radiustest.Request{
		Method: radiustest.PAP, Login: used.Get("username"), Password: member.Secret(used.Get("password")),
		Attributes: []member.Attribute{{Name: "Calling-Station-Id", Value: station}},
	})
	if err != nil || reply.Code != radiustest.AccessReject {
		h.t.Errorf("a ticket that was used: %+v, %v", reply, err)
	}
}

// unheard wants none of these to have come to the gateway, in any request or header of one.
func (h *hotspot) unheard(secrets ...string) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, line := range h.lines {
		for _, s := range secrets {
			if strings.Contains(line, s) || strings.Contains(line, url.QueryEscape(s)) {
				h.t.Errorf("the gateway heard %q in %s", s, line)
			}
		}
	}
}
