package radiustest

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"memberradius/member"
)

// maxUAMForm bounds what a browser sends, in octets.
const maxUAMForm = 16 << 10

// serve answers a device's browser.
func (u *UAM) serve(w http.ResponseWriter, r *http.Request) {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	own := r.Host == u.Host()
	r.Body = http.MaxBytesReader(w, r.Body, maxUAMForm)
	if own {
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if u.Heard != nil {
			u.Heard(r)
		}
	}
	u.mu.Lock()
	d := u.find(from.Addr())
	open := false
	if d != nil {
		u.expire(d)
		d.last, open = u.auth.now(), d.Open
	}
	u.mu.Unlock()
	switch {
	case d == nil:
		http.Error(w, "no device of this hotspot calls from "+from.Addr().String(), http.StatusForbidden)
	case own && r.URL.Path == u.LoginPath():
		u.login(w, r, d)
	case own && (r.URL.Path == "/logout" || r.URL.Path == "/logoff"):
		u.logout(w, r, d)
	case !open:
		u.capture(w, r, d, "notyet")
	case own:
		u.already(w, r, d)
	case u.Beyond != nil:
		u.Beyond.ServeHTTP(w, r)
	default:
		page(w, "This is "+r.Host)
	}
}

// LoginPath is where browsers bring logins to, on Host.
func (u *UAM) LoginPath() string {
	if u.Kind == UAMChilli {
		return "/logon"
	}
	return "/login"
}

func (u *UAM) isOpen(d *guest) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return d.Open
}

// capture sends a browser to the portal. Res is CoovaChilli's word for why.
func (u *UAM) capture(w http.ResponseWriter, r *http.Request, d *guest, res string) {
	original := u.back(r)
	if r.Host != u.Host() {
		original = "http://" + r.Host + r.URL.RequestURI()
	}
	to, err := u.redirect(d, res, original)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusFound)
}

// redirect is the portal's address with what this kind of gateway says. Sources:
// MikroTik, RouterOS manual, "HotSpot customisation"; CoovaChilli, src/redir.c.
func (u *UAM) redirect(d *guest, res, original string) (string, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.challenge(d); err != nil {
		return "", err
	}
	to, err := url.Parse(u.Portal)
	if err != nil {
		return "", fmt.Errorf("radiustest: portal: %w", err)
	}
	q := to.Query()
	if u.Kind == UAMChilli {
		host, port, _ := strings.Cut(u.Host(), ":")
		for name, value := range map[string]string{
			"res": res, "uamip": host, "uamport": port, "challenge": hex.EncodeToString(d.challenge), "called": stationID(u.AccessPoint.BSSID),
			"mac": stationID(d.Station), "ip": d.Address.String(), "nasid": u.AccessPoint.Identifier, "sessionid": d.Session, "userurl": original,
		} {
			q.Set(name, value)
		}
		to.RawQuery = q.Encode()
		return to.String(), nil
	}
	for name, value := range map[string]string{
		"mac": strings.ToUpper(d.Station.String()), "ip": d.Address.String(), "link-login-only": "http://" + u.Host() + u.LoginPath(), "link-orig": original, "error": "",
	} {
		q.Set(name, value)
	}
	if res == "failed" {
		q.Set("error", "invalid username or password")
	}
	if !u.pap() {
		q.Set("chap-id", octalText(d.ident))
		q.Set("chap-challenge", octalText(d.challenge))
	}
	to.RawQuery = q.Encode()
	return to.String(), nil
}

// challenge has a device have one, which stands until it was answered. u.mu is held.
func (u *UAM) challenge(d *guest) error {
	if d.challenge != nil {
		return nil
	}
	b := make([]byte, 1+challengeSize)
	if _, err := io.ReadFull(u.auth.random(), b); err != nil {
		return fmt.Errorf("radiustest: challenge: %w", err)
	}
	d.ident, d.challenge = b[:1], b[1:]
	if u.Kind == UAMChilli {
		d.ident = []byte{0}
	}
	return nil
}

// octalText writes octets as RouterOS does into its pages: "\371\357".
func octalText(octets []byte) string {
	var b strings.Builder
	for _, o := range octets {
		fmt.Fprintf(&b, `\%03o`, o)
	}
	return b.String()
}

// login asks the server for whom a browser brings from the portal, and lets the
// device out on an Access-Accept alone.
func (u *UAM) login(w http.ResponseWriter, r *http.Request, d *guest) {
	switch {
	case u.isOpen(d):
		u.already(w, r, d)
		return
	case r.Form.Get("username") == "":
		u.capture(w, r, d, "notyet")
		return
	}
	request, err := u.request(d, r.Form)
	if err != nil {
		u.capture(w, r, d, "failed")
		return
	}
	reply, err := u.auth.Do(r.Context(), request)
	if err != nil {
		u.fault(err)
	}
	if err != nil || !reply.OK() {
		u.capture(w, r, d, "failed")
		return
	}
	u.letOut(d, request, reply)
	back := webPage(u.back(r))
	switch {
	case u.Kind == UAMChilli && !u.Straight:
		u.capture(w, r, d, "success")
	case back == "":
		u.already(w, r, d)
	default:
		http.Redirect(w, r, back, http.StatusFound) //nolint:gosec // a hotspot sends its guest where she wanted to go: it is a test's
	}
}

// back is where the browser asks to be sent.
func (u *UAM) back(r *http.Request) string {
	if u.Kind == UAMChilli {
		return r.Form.Get("userurl")
	}
	return r.Form.Get("dst")
}

// webPage returns an address that a browser may be sent to, "" for any other.
func webPage(address string) string {
	to, err := url.Parse(address)
	if err != nil || to.Scheme != "http" && to.Scheme != "https" {
		return ""
	}
	return to.String()
}

// logout ends the session of a device that asks for it.
func (u *UAM) logout(w http.ResponseWriter, r *http.Request, d *guest) {
	u.mu.Lock()
	if d.Open {
		u.shut(d, "User-Request")
	}
	u.mu.Unlock()
	u.capture(w, r, d, "logoff")
}

// already answers a device that is let out: CoovaChilli has the portal do it.
func (u *UAM) already(w http.ResponseWriter, r *http.Request, d *guest) {
	if u.Kind == UAMChilli {
		u.capture(w, r, d, "already")
		return
	}
	page(w, "You are logged in")
}

func page(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = fmt.Fprintf(w, "<!doctype html><title>hotspot</title><p>%s\n", html.EscapeString(text))
}

var errUnhidden = errors.New("radiustest: the browser brought no answer to the challenge")

// request is the Access-Request for what a browser brings. Its challenge is used
// up with it.
func (u *UAM) request(d *guest, form url.Values) (*Request, error) {
	var session [8]byte
	if _, err := io.ReadFull(u.auth.random(), session[:]); err != nil {
		return nil, fmt.Errorf("radiustest: Acct-Session-Id: %w", err)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	ident, challenge := d.ident, d.challenge
	d.ident, d.challenge = nil, nil
	out := &Request{Method: NoProof, Login: form.Get("username"), AccessPoint: u.AccessPoint}
	out.AccessPoint.Station = d.Station
	out.Attributes = []member.Attribute{{Name: "Acct-Session-Id", Value: hex.EncodeToString(session[:])}, {Name: "Framed-IP-Address", Value: d.Address.String()}}
	hidden := form.Get("response")
	if u.Kind == UAMMikroTik {
		hidden = form.Get("password")
	}
	if u.pap() {
		out.Method, out.Password = PAP, member.Secret(hidden)
		return out, nil
	}
	response, err := hex.DecodeString(hidden)
	if err != nil || len(response) != md5.Size || challenge == nil {
		return nil, errUnhidden
	}
	if u.Kind == UAMChilli && u.UAMSecret != "" {
		sum := md5.Sum(append(challenge[:len(challenge):len(challenge)], u.UAMSecret...))
		challenge = sum[:]
	}
	out.Octets = append([]byte{typeCHAPPassword, byte(2 + len(ident) + len(response))}, ident...)
	out.Octets = append(out.Octets, response...)
	out.Octets = append(out.Octets, typeCHAPChallenge, byte(2+len(challenge)))
	out.Octets = append(out.Octets, challenge...)
	return out, nil
}

// pap says whether browsers bring passwords as they are.
func (u *UAM) pap() bool { return u.Kind == UAMMikroTik && u.PAP }

// letOut opens the door and reports it, before the browser goes on: what it sees
// then is what the server knows.
func (u *UAM) letOut(d *guest, request *Request, reply *Reply) {
	u.mu.Lock()
	now := u.auth.now()
	d.Open, d.User, d.Session, d.Cause = true, request.Login, request.Attributes[0].Value, ""
	d.since, d.last, d.Until, d.Idle, d.class = now, now, time.Time{}, reply.IdleTimeout(), nil
	if timeout := reply.SessionTimeout(); timeout > 0 {
		d.Until = now.Add(timeout)
	}
	if class := reply.Values(typeClass); len(class) > 0 {
		d.class = class[0]
	}
	start := u.report(d, "Start")
	u.mu.Unlock()
	u.account(start)
}
