package radiustest

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"memberradius/dictionary"
)

const uamSecret = "what chilli knows"

// A rig is a gateway, the server that it asks, and a device's browser.
type rig struct {
	*UAM
	t       *testing.T
	auth    *responder
	reports chan map[string]string // to the accounting port
	ahead   atomic.Int64           // of the clock, in nanoseconds
}

var (
	browserAt = netip.MustParseAddr("127.0.0.1")
	station   = net.HardwareAddr{0x28, 0xcf, 0xe9, 0x13, 0x47, 0xcb}
)

// newRig opens a gateway whose server knows the login uam-1 with the password "ticket".
func newRig(t *testing.T, u *UAM) *rig {
	t.Helper()
	r := &rig{UAM: u, t: t, reports: make(chan map[string]string, 16)}
	r.auth = respond(t, r.accept)
	acct := respond(t, func(request []byte) [][]byte {
		r.reports <- named(request)
		b, err := (&Packet{Code: AccountingResponse, Identifier: request[1]}).EncodeReply(testSecret, [16]byte(request[4:]))
		if err != nil {
			panic(err)
		}
		return [][]byte{b}
	})
	u.Portal, u.Auth, u.Acct, u.Secret = "http://portal.example/portal/berlin/?x=1", r.auth.addr(), acct.addr(), testSecret
	u.AccessPoint = AccessPoint{Identifier: "gate-1", BSSID: net.HardwareAddr{2, 0, 0, 0, 9, 1}, SSID: "Guests"}
	begin := time.Now()
	u.Now = func() time.Time { return begin.Add(time.Duration(r.ahead.Load())) }
	if err := u.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := u.Close(); err != nil {
			t.Error(err)
		}
		if _, err := http.Get("http://" + u.Host()); err == nil {
			t.Error("a gateway that is closed answers")
		}
	})
	u.Join(browserAt, station)
	return r
}

// named are a request's attributes by their names.
func named(request []byte) map[string]string {
	values := map[string]string{"": Code(request[0]).String()}
	_ = dictionary.Builtin().Each(request[headerSize:], func(a *dictionary.Attribute, value []byte) { values[a.Name] = a.Text(value) })
	return values
}

// accept is the server's side of PAP and CHAP (RFC 2865 §5.2, §5.3).
func (r *rig) accept(request []byte) [][]byte {
	got := &Reply{Raw: request}
	reply := &Packet{Code: AccessReject, Identifier: request[1]}
	reply.AddMessageAuthenticator()
	right := false
	if p := got.Values(typeUserPassword); len(p) == 1 {
		right = string(bytes.TrimRight(newSigner(testSecret).reveal(p[0], request[4:20]), "\x00")) == "ticket"
	}
	if answer, challenge := got.Values(typeCHAPPassword), got.Values(typeCHAPChallenge); len(answer) == 1 && len(challenge) == 1 {
		sum := md5.Sum(append(append(answer[0][:1:1], "ticket"...), challenge[0]...))
		right = bytes.Equal(sum[:], answer[0][1:])
	}
	if right && string(got.Values(typeUserName)[0]) == "uam-1" {
		reply.Code = AccessAccept
		reply.Add(typeSessionTimeout, []byte{0, 0, 14, 16}).Add(typeIdleTimeout, []byte{0, 0, 2, 88}).Add(typeClass, []byte("whose it is"))
	}
	b, err := reply.EncodeReply(testSecret, [16]byte(request[4:]))
	if err != nil {
		panic(err)
	}
	return [][]byte{b}
}

// visit sends what a browser does, and returns the status, where to, and the page.
func (r *rig) visit(method, host, path string, form url.Values) (int, *url.URL, string) {
	r.t.Helper()
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(form.Encode())
	} else if form != nil {
		path += "?" + form.Encode()
	}
	req, err := http.NewRequestWithContext(r.t.Context(), method, "http://"+r.Host()+path, body)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Host = host
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	to, _ := resp.Location()
	if to == nil {
		to = &url.URL{}
	}
	return resp.StatusCode, to, string(page)
}

// captured is what the gateway says to the portal of the device.
func (r *rig) captured() url.Values {
	r.t.Helper()
	status, to, _ := r.visit(http.MethodGet, "news.example", "/today", url.Values{"edition": {"1"}})
	if status != http.StatusFound || to.Host != "portal.example" || to.Path != "/portal/berlin/" || to.Query().Get("x") != "1" {
		r.t.Fatalf("a device is captured by status %d, %s", status, to)
	}
	return to.Query()
}

// bring brings a password to the gateway, as a portal's hand-off does.
func (r *rig) bring(said url.Values, password string) (int, *url.URL) {
	r.t.Helper()
	form := url.Values{"username": {"uam-1"}}
	hash := func(parts ...[]byte) string {
		sum := md5.Sum(bytes.Join(parts, nil))
		return hex.EncodeToString(sum[:])
	}
	method := http.MethodGet
	switch {
	case r.Kind == UAMChilli:
		key, err := hex.DecodeString(said.Get("challenge"))
		if err != nil {
			r.t.Fatal(err)
		}
		if r.UAMSecret != "" {
			sum := md5.Sum(append(key, r.UAMSecret...))
			key = sum[:]
		}
		form.Set("response", hash([]byte{0}, []byte(password), key))
		form.Set("userurl", "http://portal.example/status")
	case r.PAP:
		method = http.MethodPost
		form.Set("password", password)
		form.Set("dst", "http://portal.example/status")
	default:
		form.Set("password", hash(octets(said.Get("chap-id")), []byte(password), octets(said.Get("chap-challenge"))))
		form.Set("dst", "http://portal.example/status")
	}
	status, to, _ := r.visit(method, r.Host(), r.LoginPath(), form)
	return status, to
}

// octets reads what octalText writes.
func octets(text string) []byte {
	var b []byte
	for part := range strings.SplitSeq(text, `\`) {
		var o byte
		if n, _ := fmt.Sscanf(part, "%o", &o); n == 1 {
			b = append(b, o)
		}
	}
	return b
}

func (r *rig) report() map[string]string {
	r.t.Helper()
	select {
	case report := <-r.reports:
		return report
	case <-time.After(10 * time.Second):
		r.t.Fatal("nothing was reported")
		return nil
	}
}

// wants fails where one of these attributes is not as it should be.
func wants(t *testing.T, got map[string]string, want ...string) {
	t.Helper()
	for i := 0; i < len(want); i += 2 {
		if got[want[i]] != want[i+1] {
			t.Errorf("%s of %s is %q, want %q", want[i], got[""], got[want[i]], want[i+1])
		}
	}
}

func gateways() map[string]*UAM {
	return map[string]*UAM{
		"mikrotik":             {Kind: UAMMikroTik},
		"mikrotik, pap":        {Kind: UAMMikroTik, PAP: true},
		"chilli":               {Kind: UAMChilli},
		"chilli with a secret": {Kind: UAMChilli, UAMSecret: uamSecret},
		"chilli, straight":     {Kind: UAMChilli, Straight: true},
	}
}

// TestUAM_Redirect: what each kind says to the portal is what its own documents name.
func TestUAM_Redirect(t *testing.T) {
	t.Parallel()
	for name, u := range gateways() {
		r := newRig(t, u)
		q := r.captured()
		host, port, _ := strings.Cut(r.Host(), ":")
		want := url.Values{
			"mac": {"28:CF:E9:13:47:CB"}, "ip": {"10.5.50.2"}, "link-login-only": {"http://" + r.Host() + "/login"}, "link-orig": {"http://news.example/today?edition=1"}, "error": {""},
		}
		if u.Kind == UAMChilli {
			want = url.Values{
				"mac": {"28-CF-E9-13-47-CB"}, "ip": {"10.5.50.2"}, "res": {"notyet"}, "uamip": {host}, "uamport": {port}, "called": {"02-00-00-00-09-01"},
				"userurl": {"http://news.example/today?edition=1"}, "nasid": {"gate-1"}, "sessionid": {""},
			}
		}
		for key, size := range map[string]int{"challenge": 32, "chap-id": 4, "chap-challenge": 64} {
			if given := key == "challenge" == (u.Kind == UAMChilli) && !u.PAP; given != (len(q.Get(key)) == size) {
				t.Errorf("%s: %s has %d characters", name, key, len(q.Get(key)))
			}
			if again := r.captured(); again.Get(key) != q.Get(key) {
				t.Errorf("%s: another %s before the first was answered", name, key)
			}
			q.Del(key)
		}
		q.Del("x")
		if q.Encode() != want.Encode() {
			t.Errorf("%s says\n%s, want\n%s", name, q.Encode(), want.Encode())
		}
	}
}

// TestUAM_LetsOut: an Access-Accept alone opens, and what came is reported.
func TestUAM_LetsOut(t *testing.T) {
	t.Parallel()
	for name, u := range gateways() {
		r := newRig(t, u)
		said := r.captured()
		if _, to := r.bring(said, "guess"); to.Query().Get("res") != "failed" && to.Query().Get("error") == "" || r.Device(browserAt).Open {
			t.Errorf("%s: a wrong password leads to %s, %+v", name, to, r.Device(browserAt))
		}
		if _, to := r.bring(said, "ticket"); !u.PAP && to.Host == "portal.example" && r.Device(browserAt).Open {
			t.Errorf("%s: a challenge was taken twice", name)
		}
		if !r.Device(browserAt).Open {
			said = r.captured()
			status, to := r.bring(said, "ticket")
			if back := to.Path == "/status"; status != http.StatusFound || back == (u.Kind == UAMChilli && !u.Straight) || !back && to.Query().Get("res") != "success" {
				t.Errorf("%s: the right one leads to %s", name, to)
			}
		}
		d := r.Device(browserAt)
		if !d.Open || d.User != "uam-1" || !d.Until.Equal(u.Now().Add(time.Hour)) || d.Idle != 10*time.Minute {
			t.Errorf("%s: the device is %+v", name, d)
		}
		requests := r.auth.requests()
		ask := named(requests[len(requests)-1])
		wants(t, ask, "", "Access-Request", "User-Name", "uam-1", "Calling-Station-Id", "28-CF-E9-13-47-CB", "Called-Station-Id", "02-00-00-00-09-01:Guests",
			"NAS-Identifier", "gate-1", "Framed-IP-Address", "10.5.50.2", "Acct-Session-Id", d.Session)
		if (ask["User-Password"] != "") != u.PAP || (ask["CHAP-Password"] != "") == u.PAP || ask["Message-Authenticator"] == "" {
			t.Errorf("%s: asked by %v", name, ask)
		}
		wants(t, r.report(), "", "Accounting-Request", "Acct-Status-Type", "Start", "User-Name", "uam-1", "Acct-Session-Id", d.Session, "Class", fmt.Sprintf("0x%x", "whose it is"),
			"Calling-Station-Id", "28-CF-E9-13-47-CB", "NAS-Identifier", "gate-1", "Framed-IP-Address", "10.5.50.2")
		if _, _, page := r.visit(http.MethodGet, "news.example", "/today", nil); !strings.Contains(page, "This is news.example") {
			t.Errorf("%s: beyond is %q", name, page)
		}
		r.ahead.Store(int64(90 * time.Second))
		_, _, _ = r.visit(http.MethodGet, r.Host(), "/logout", nil)
		wants(t, r.report(), "Acct-Status-Type", "Stop", "Acct-Terminate-Cause", "User-Request", "Acct-Session-Time", "90", "Acct-Session-Id", d.Session)
		r.captured()
		if faults := r.Faults(); len(faults) != 0 {
			t.Errorf("%s: %v", name, faults)
		}
	}
}

// TestUAM_Timeouts: Session-Timeout and Idle-Timeout end a session, and requests
// put off the second alone.
func TestUAM_Timeouts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		cause string
		ahead []time.Duration // when the device sends something
		end   time.Duration
	}{
		{"Idle-Timeout", nil, 10 * time.Minute},
		{"Idle-Timeout", []time.Duration{9 * time.Minute}, 19 * time.Minute},
		{"Session-Timeout", []time.Duration{9 * time.Minute, 18 * time.Minute, 27 * time.Minute, 36 * time.Minute, 45 * time.Minute, 54 * time.Minute}, time.Hour},
	} {
		r := newRig(t, &UAM{Kind: UAMMikroTik, PAP: true})
		r.bring(r.captured(), "ticket")
		wants(t, r.report(), "Acct-Status-Type", "Start")
		for _, at := range tt.ahead {
			r.ahead.Store(int64(at))
			if _, _, page := r.visit(http.MethodGet, "news.example", "/", nil); page == "" {
				t.Errorf("%s: captive after %v", tt.cause, at)
			}
		}
		r.ahead.Store(int64(tt.end - time.Second))
		if d := r.Device(browserAt); !d.Open {
			t.Errorf("%s: ended before %v", tt.cause, tt.end)
		}
		r.ahead.Store(int64(tt.end))
		r.captured()
		wants(t, r.report(), "Acct-Status-Type", "Stop", "Acct-Terminate-Cause", tt.cause, "Acct-Session-Time", fmt.Sprint(int(tt.end/time.Second)))
	}
}

// TestUAM_Silence: a server that says nothing opens nothing, and is told of.
func TestUAM_Silence(t *testing.T) {
	t.Parallel()
	mute := respond(t, func([]byte) [][]byte { return nil })
	u := &UAM{Kind: UAMMikroTik, PAP: true, Auth: mute.addr(), Acct: mute.addr(), Secret: testSecret, Timing: quick(1), Portal: "http://portal.example/"}
	if err := u.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := &rig{UAM: u, t: t}
	if status, _, _ := r.visit(http.MethodGet, "news.example", "/", nil); status != http.StatusForbidden {
		t.Errorf("a device that never joined: status %d", status)
	}
	u.Join(browserAt, station)
	if _, to := r.bring(nil, "ticket"); to.Query().Get("error") == "" || u.Device(browserAt).Open {
		t.Errorf("silence leads to %s", to)
	}
	var silence *NoReplyError
	if faults := u.Faults(); len(faults) != 1 || !errors.As(faults[0], &silence) {
		t.Errorf("faults: %v", faults)
	}
	if err := u.Close(); err != nil {
		t.Error(err)
	}
	if err := (&UAM{}).Open(t.Context()); !errors.Is(err, errUAMKind) {
		t.Errorf("of no kind: %v", err)
	}
}
