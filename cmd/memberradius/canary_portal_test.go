package main

import (
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"memberradius/dictionary"
	"memberradius/member"
	"memberradius/radiusd/radiustest"
	"memberradius/store"
)

// doors tries every way in that is no login at an access point, and what comes of
// it: portal, ticket, voucher, portal login API, device, session. What secrets
// these make is hidden; what a guest is shown of his own is not said.
func (m *mine) doors(t *testing.T, s *server, dir string) {
	t.Helper()
	db, at := s.systems.database(), "http://"+s.web.Addrs()[0].String()
	codes, _, err := db.CreateVouchers(t.Context(), 2, &store.Voucher{Name: "canaries", Plan: "guest", Valid: time.Hour, Devices: 1, Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	for i, code := range codes {
		m.hide(fmt.Sprintf("voucher %d", i), []byte(code))
		m.hide(fmt.Sprintf("voucher %d as it is typed", i), []byte(strings.ReplaceAll(string(code), "-", "")))
	}
	_, token, err := db.CreateToken(t.Context(), "canary", []string{"admin"}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	m.hide("token of the API", []byte(token))

	m.ticket(t, s, m.enter(t, entry{at, "login", canaryDevice}, url.Values{"user": {"bob"}, "password": {canaryPassword}}))
	voucher := m.enter(t, entry{at, "voucher", "02:00:5e:50:00:0a"}, url.Values{"code": {string(codes[0])}})
	if voucher.secret == "" {
		t.Error("the voucher lets nobody in")
	}
	m.hide("ticket of the voucher", []byte(voucher.secret))
	if _, err := db.RevokeVoucher(t.Context(), "canaries"); err != nil {
		t.Fatal(err)
	}
	var wrong sync.WaitGroup // each takes a second
	for i, login := range []string{"bob", "nobody", "down", "broken", "token", "html", "redirect", "reset"} {
		wrong.Go(func() {
			m.enter(t, entry{at, "login", fmt.Sprintf("02:00:5e:50:00:1%d", i)}, url.Values{"user": {login}, "password": {canaryWrong}})
		})
	}
	for i, code := range []string{string(codes[1]), string(codes[1]) + "x"} {
		wrong.Go(func() {
			m.enter(t, entry{at, "voucher", fmt.Sprintf("02:00:5e:50:00:2%d", i)}, url.Values{"code": {code}})
		})
	}
	wrong.Wait()
	m.operators(t, at, token, codes[1])
	m.thrownOff(t, s, dir)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, flew := range []string{`"reason":"wrong_password"`, `"reason":"wrong_voucher"`, `"reason":"backend_error"`, `"reason":"ok"`, "Unauthorized", "refused after 1 packet"} {
		if !strings.Contains(m.said.String(), flew) {
			t.Errorf("nobody said %s", flew)
		}
	}
}

// canaryDevice is the device that comes in by a login.
const canaryDevice = "02:00:5e:50:00:01"

var (
	portalToken  = regexp.MustCompile(`name="token" value="([^"]+)"`)
	ticketUser   = regexp.MustCompile(`name="username" value="([^"]+)"`)
	ticketSecret = regexp.MustCompile(`name="password" value="([^"]+)"`)
)

// An entry is a form of the portal's page, and the device that it is for.
type entry struct{ at, how, device string }

// A handed is the ticket that a page hands to a controller.
type handed struct{ user, secret string }

// enter sends a form, and returns the ticket where it lets in. Every other page is said.
func (m *mine) enter(t *testing.T, e entry, form url.Values) handed {
	t.Helper()
	_, page := m.fetch(t, http.MethodGet, e.at+"/portal/main/?link-login-only=http://192.168.88.1/login&mac="+e.device, nil, nil)
	token := portalToken.FindStringSubmatch(page)
	if token == nil {
		t.Errorf("there is no form for %s:\n%s", e.how, page)
		return handed{}
	}
	form.Set("token", html.UnescapeString(token[1]))
	h := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	status, page := m.fetch(t, http.MethodPost, e.at+"/portal/main/"+e.how, h, strings.NewReader(form.Encode()))
	user, secret := ticketUser.FindStringSubmatch(page), ticketSecret.FindStringSubmatch(page)
	if status != http.StatusOK || user == nil || secret == nil {
		_, _ = fmt.Fprintln(m, status, page)
		return handed{}
	}
	return handed{html.UnescapeString(user[1]), html.UnescapeString(secret[1])}
}

// fetch sends a request as it is and returns the answer; status 0 is none.
func (m *mine) fetch(t *testing.T, method, at string, h http.Header, body io.Reader) (status int, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, at, body)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	if h != nil {
		req.Header = h
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer func() { _ = resp.Body.Close() }()
	all, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	return resp.StatusCode, string(all)
}

// ticket takes a ticket to RADIUS: of another device, wrong, right, and once more.
func (m *mine) ticket(t *testing.T, s *server, ticket handed) {
	t.Helper()
	if ticket.secret == "" {
		t.Fatal("the portal lets nobody in")
	}
	m.hide("ticket", []byte(ticket.secret))
	nas := &radiustest.NAS{Server: s.radius.Addrs()[0], Secret: canarySecret}
	if err := nas.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = nas.Close() }()
	try := func(station, password string, method radiustest.Method) bool {
		mac, err := net.ParseMAC(station)
		if err != nil {
			t.Fatal(err)
		}
		reply, err := nas.Do(t.Context(), &radiustest.Request{Method: method, Login: ticket.user, Password: member.Secret(password), AccessPoint: radiustest.AccessPoint{Station: mac}})
		if err != nil {
			t.Fatal(err)
		}
		m.keys(ticket.user, method, reply)
		return reply.OK()
	}
	const other = "02:00:5e:50:00:02"
	if try(other, ticket.secret, radiustest.PAP) || try(canaryDevice, canaryWrong, radiustest.PAP) || try(canaryDevice, canaryWrong, radiustest.CHAP) {
		t.Error("the ticket lets anybody in")
	}
	if !try(canaryDevice, ticket.secret, radiustest.CHAP) || try(canaryDevice, ticket.secret, radiustest.CHAP) || try(canaryDevice, ticket.secret, radiustest.PAP) {
		t.Error("the ticket is not good for once")
	}
}

// operators calls the API with secrets in all the wrong places, and reads all that
// it shows of portals.
func (m *mine) operators(t *testing.T, at string, token, code member.Secret) {
	t.Helper()
	bearer := func(token string) http.Header {
		return http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}}
	}
	said := func(status int, text string) { _, _ = fmt.Fprintln(m, status, text) }
	login := func(data string) io.Reader { return strings.NewReader(fmt.Sprintf("{\"data\": %q}", data)) }
	const logins, whole = "/api/v1/portal_login/", `"ap_mac": "aa:bb:cc:dd:ee:ff", "mac": "02:00:5e:50:00:03", "ip": "192.0.2.1"`
	for _, call := range []struct {
		method, path string
		h            http.Header
		body         io.Reader
	}{
		{http.MethodPost, logins, bearer(string(token)), login(`{"uid": "guest", ` + whole + `}`)},
		{http.MethodPost, logins, bearer(string(token)), login(`{"uid": "guest", "password": "` + canaryPassword + `", ` + whole + `}`)},
		{http.MethodPost, logins, bearer(string(token)), login(`{"uid": {"` + canaryPassword + `": 1}, "session_timeout": "` + canaryPassword + `", ` + whole + `}`)},
		{http.MethodPost, logins, bearer(string(token)), login(`"` + canaryPassword + `"`)},
		{http.MethodPost, logins, bearer(string(token)), login(canaryPassword)},
		{http.MethodPost, logins, bearer(string(token) + "x"), login(`{}`)},
		{http.MethodPost, logins, bearer(canaryToken), login(`{}`)},
		{http.MethodPost, logins, http.Header{"Authorization": {"Basic " + string(token)}}, login(`{}`)},
		{http.MethodPost, "/api/v1/vouchers", bearer(string(token)), strings.NewReader(`{"code": "` + string(code) + `"}`)},
		{http.MethodGet, "/api/v1/portal-log?limit=" + canaryPassword, bearer(string(token)), nil},
		{http.MethodGet, "/api/v1/portal-log", bearer(string(token)), nil},
		{http.MethodGet, "/api/v1/vouchers", bearer(string(token)), nil},
		{http.MethodGet, "/api/v1/devices", bearer(string(token)), nil},
		{http.MethodGet, "/api/v1/sessions", bearer(string(token)), nil},
		{http.MethodGet, "/portal/main/api?mac=" + canaryDevice, nil, nil},
	} {
		said(m.fetch(t, call.method, at+call.path, call.h, call.body))
	}
}

// thrownOff reports a session, and has it end where nobody listens.
func (m *mine) thrownOff(t *testing.T, s *server, dir string) {
	t.Helper()
	p := &radiustest.Packet{Code: radiustest.AccountingRequest}
	for _, a := range [][2]string{{"User-Name", "bob"}, {"Acct-Session-Id", "canary-1"}, {"Acct-Status-Type", "Start"}, {"Calling-Station-Id", "02-00-5E-50-00-01"}} {
		p.AddNamed(dictionary.Builtin(), a[0], a[1])
	}
	for _, secret := range []member.Secret{"another-secret-than-that", canarySecret} {
		datagram, err := p.Encode(secret)
		if err != nil {
			t.Fatal(err)
		}
		wire, err := radiustest.Dial(netip.AddrPort{}, s.radius.Addrs()[1])
		if err != nil {
			t.Fatal(err)
		}
		if err = wire.Send(datagram); err == nil && secret == canarySecret {
			_, err = wire.Receive(10 * time.Second)
		}
		if err != nil {
			t.Error(err)
		}
		_ = wire.Close()
	}
	control := newControlClient(filepath.Join(dir, "data"))
	for _, session := range []string{"canary-1", "canary-2"} {
		var done kicked
		err := control.call(t.Context(), http.MethodPost, "/sessions/kick", kickRequest{session}, &done)
		if done.Left || (session == "canary-1") != (err == nil) {
			t.Errorf("%s: %+v, %v", session, done, err)
		}
		_, _ = fmt.Fprintf(m, "%+v %v\n", done, err)
	}
}
