package portal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"memberradius/member"
)

// TestWrongSoundsTheSame: an unknown login and a wrong password can't be told
// apart, neither by words nor by how long the answer took.
func TestWrongSoundsTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		slow := map[string]time.Duration{"anna@example.com": 700 * time.Millisecond, "nobody@example.com": time.Millisecond, "slow@example.com": 1800 * time.Millisecond}
		auth := authFunc(func(a *Attempt) Outcome {
			time.Sleep(slow[a.Login]) // as argon2id, or a member system, would
			return w.Login(t.Context(), a)
		})
		b := w.browse(t, func(c *Config) { c.Auth, c.Now = auth, time.Now })
		form := b.open(t, chilliRedirect)
		seen := map[string]*reply{}
		for login, want := range map[string]time.Duration{"anna@example.com": time.Second, "nobody@example.com": time.Second, "slow@example.com": 2 * time.Second} {
			began := time.Now()
			seen[login] = b.do(t, http.MethodPost, "/portal/berlin/login", with(form, "user", login, "password", "guess"))
			if took := time.Since(began); took != want {
				t.Errorf("%s: refused after %v, want %v", login, took, want)
			}
		}
		strip := func(login string) string {
			body := tokenIn.ReplaceAllString(seen[login].body, "")
			return strings.ReplaceAll(tokenInLinks.ReplaceAllString(body, ""), login, "")
		}
		for login, p := range seen {
			if p.StatusCode != http.StatusForbidden || !strings.Contains(p.body, english.Wrong) || strip(login) != strip("anna@example.com") {
				t.Errorf("%s: %d\n%s", login, p.StatusCode, p.body)
			}
			if strings.Contains(p.body, "guess") {
				t.Errorf("%s: the page holds the password", login)
			}
		}
		if w.log[0].Outcome != member.Deny || w.log[0].Reason == w.log[1].Reason && w.log[1].Reason == w.log[2].Reason {
			t.Errorf("the operator can't tell them apart: %+v", w.log)
		}
	})
}

var tokenInLinks = regexp.MustCompile(`s=[A-Za-z0-9_.%-]+`)

// authFunc is an Authenticator.
type authFunc func(a *Attempt) Outcome

func (f authFunc) Login(_ context.Context, a *Attempt) Outcome { return f(a) }

func TestOneAttemptIsOneCall(t *testing.T) {
	t.Parallel()
	w := newWorld()
	b := w.browse(t)
	b.logIn(t, chilliRedirect, "  anna@example.com ", password)
	if len(w.asked) != 1 {
		t.Fatalf("asked %d times", len(w.asked))
	}
	a := w.asked[0]
	if a.Login != "anna@example.com" || a.Password != password || a.Site != "berlin" || a.MAC != device || a.Address != addr("203.0.113.9") || !a.At.Equal(noon) {
		t.Errorf("asked %+v", a)
	}
}

func TestCouldNotSayIsNoWrongPassword(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.out["anna@example.com"] = Outcome{Verdict: member.Allow} // allowed and not proved is a fault
	b := w.browse(t)
	for _, login := range []string{"down@example.com", "anna@example.com"} {
		p := b.logIn(t, chilliRedirect, login, password)
		if p.StatusCode != http.StatusServiceUnavailable || p.Header.Get("Retry-After") == "" || !strings.Contains(p.body, english.LaterTitle) || strings.Contains(p.body, english.Wrong) || len(w.grants) != 0 {
			t.Errorf("%s: %d\n%s", login, p.StatusCode, p.body)
		}
		if !strings.Contains(p.body, `href="/portal/berlin/?lang=en&amp;s=`) {
			t.Errorf("%s: no way back with what is known of the device:\n%s", login, p.body)
		}
	}
	if e := w.log[0]; e.Outcome != member.Unanswered || e.Reason != "timeout" {
		t.Errorf("logged %+v", e)
	}
	if e := w.log[1]; e.Outcome != member.Unanswered || e.Reason != "unanswered" {
		t.Errorf("logged %+v", e)
	}
}

// TestWhyAfterProof: who has proved herself is told why.
func TestWhyAfterProof(t *testing.T) {
	t.Parallel()
	w := newWorld()
	b := w.browse(t)
	p := b.logIn(t, chilliRedirect, "late@example.com", password)
	if p.StatusCode != http.StatusForbidden || !strings.Contains(p.body, english.Ended) || !strings.Contains(p.body, "Renew at the desk.") || len(w.grants) != 0 {
		t.Errorf("%d\n%s", p.StatusCode, p.body)
	}
	seen := map[string]bool{}
	for r := range member.Reasons {
		seen[english.refusal(r)] = true
	}
	if len(seen) != 7 {
		t.Errorf("%d sentences, want 7", len(seen))
	}
}

func TestVoucherAndClick(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := w.browse(t)
		form := b.open(t, chilliRedirect)
		p := b.do(t, http.MethodPost, "/portal/berlin/voucher", with(form, "code", "WRONG"))
		if p.StatusCode != http.StatusForbidden || !strings.Contains(p.body, english.WrongCode) || strings.Contains(p.body, "WRONG") {
			t.Errorf("a wrong code: %d\n%s", p.StatusCode, p.body)
		}
		if e := w.last(t); e.Outcome != member.Deny || e.Reason != "wrong_voucher" || e.Login != "" || e.Method != Voucher {
			t.Errorf("logged %+v", e)
		}
		if p = b.do(t, http.MethodPost, "/portal/berlin/voucher", with(form, "code", " DAYPASS-7 ")); p.StatusCode != http.StatusOK || len(w.grants) != 1 {
			t.Fatalf("the code: %d", p.StatusCode)
		}
		if g := w.grants[0]; g.Kind != "voucher" || g.UID != "v-17" || g.Voucher != "v-17" || g.Plan != "day" || g.SessionTimeout != time.Hour || g.Login != "" || g.Controller != "10.1.0.1" {
			t.Errorf("grant %+v", g)
		}
		if e := w.last(t); e.Login != "v-17" || e.Outcome != member.Allow {
			t.Errorf("logged %+v", e)
		}
		if p = b.do(t, http.MethodPost, "/portal/berlin/click", form); p.StatusCode != http.StatusOK {
			t.Fatalf("the click: %d", p.StatusCode)
		}
		if g := w.grants[1]; g.Kind != "click" || g.UID != device || g.SessionTimeout != defaultSession || g.IdleTimeout != 0 {
			t.Errorf("grant %+v", g)
		}
		w.refuse = ErrNoVoucher
		if p = b.do(t, http.MethodPost, "/portal/berlin/voucher", with(form, "code", "DAYPASS-7")); p.StatusCode != http.StatusForbidden || !strings.Contains(p.body, english.WrongCode) {
			t.Errorf("a code that was revoked meanwhile: %d", p.StatusCode)
		}
		w.refuse, w.fault = nil, errDisk
		if p = b.do(t, http.MethodPost, "/portal/berlin/voucher", with(form, "code", "DAYPASS-7")); p.StatusCode != http.StatusServiceUnavailable || strings.Contains(p.body, "disk") || len(w.faults) != 1 {
			t.Errorf("a fault: %d, %v", p.StatusCode, w.faults)
		}
	})
}

// TestMethodsThatAreNotAllowed: CVE-2021-44032 was a portal that took a method
// which its operator had not enabled.
func TestMethodsThatAreNotAllowed(t *testing.T) {
	t.Parallel()
	for _, how := range []Method{Login, Voucher, Click} {
		w := newWorld(func(s *Site) { s.Methods = []Method{how} })
		b := w.browse(t)
		form := with(b.open(t, chilliRedirect), "user", "anna@example.com", "password", password, "code", "DAYPASS-7")
		for _, tried := range []Method{Login, Voucher, Click, "none", ""} {
			p := b.do(t, http.MethodPost, "/portal/berlin/"+string(tried), form)
			if allowed := p.StatusCode == http.StatusOK; allowed != (tried == how) {
				t.Errorf("site with %s: %q answers %d", how, tried, p.StatusCode)
			}
		}
		if len(w.grants) != 1 {
			t.Errorf("site with %s: %d grants", how, len(w.grants))
		}
		page := b.get(t, chilliRedirect).body
		for form, m := range map[string]Method{`action="/portal/berlin/login`: Login, `action="/portal/berlin/voucher`: Voucher, `action="/portal/berlin/click`: Click} {
			if strings.Contains(page, form) != (m == how) {
				t.Errorf("site with %s: the page offers %s, or not", how, m)
			}
		}
	}
	w := newWorld()
	b := w.browse(t, func(c *Config) { c.Auth, c.Vouchers = nil, nil })
	form := b.open(t, chilliRedirect)
	for _, how := range []string{"login", "voucher"} {
		if p := b.do(t, http.MethodPost, "/portal/berlin/"+how, with(form, "user", "a", "password", "b", "code", "c")); p.StatusCode != http.StatusNotFound {
			t.Errorf("%s without anybody to ask: %d", how, p.StatusCode)
		}
	}
}

// TestForms: no form is taken that is not of a page of this site, made here and not long ago.
func TestForms(t *testing.T) {
	t.Parallel()
	w := newWorld()
	b := w.browse(t)
	good := with(b.open(t, chilliRedirect), "user", "anna@example.com", "password", password)
	token := good.Get("token")
	flip := func(i int) string {
		c := byte('A')
		if token[i] == c {
			c = 'B'
		}
		return token[:i] + string(c) + token[i+1:]
	}
	other := newWorld().browse(t).open(t, chilliRedirect).Get("token")
	elsewhere := tokenIn.FindStringSubmatch(b.get(t, "/portal/other/?mac="+device).body)[1]
	for name, bad := range map[string]string{
		"no token": "", "a part": token[:20], "another beginning": flip(3), "another end": flip(len(token) - 2), "another server's": other, "another site's": elsewhere,
		"unsigned": strings.Split(token, ".")[0] + ".", "huge": strings.Repeat("a", maxToken+1), "dots": "...",
	} {
		p := b.do(t, http.MethodPost, "/portal/berlin/login", with(good, "token", bad))
		if p.StatusCode != http.StatusForbidden || !strings.Contains(p.body, english.StrangerTitle) {
			t.Errorf("%s: %d", name, p.StatusCode)
		}
	}
	for _, from := range []string{"cross-site", "same-site"} {
		b.fetch = from
		if p := b.do(t, http.MethodPost, "/portal/berlin/login", good); p.StatusCode != http.StatusForbidden || !strings.Contains(p.body, english.StrangerTitle) {
			t.Errorf("a form that is sent %s: %d", from, p.StatusCode)
		}
	}
	b.fetch = ""
	if p := b.do(t, http.MethodPost, "/portal/berlin/login", with(good, "user", strings.Repeat("x", maxForm))); p.StatusCode != http.StatusForbidden {
		t.Errorf("a form of more than %d octets: %d", maxForm, p.StatusCode)
	}
	if len(w.asked) != 0 || len(w.grants) != 0 {
		t.Fatalf("asked %d times, %d grants", len(w.asked), len(w.grants))
	}
	w.pass(formLife)
	if p := b.do(t, http.MethodPost, "/portal/berlin/login", good); p.StatusCode != http.StatusForbidden || !strings.Contains(p.body, english.Expired) || tokenIn.FindString(p.body) == "" || len(w.asked) != 0 {
		t.Errorf("a form of half an hour ago: %d\n%s", p.StatusCode, p.body)
	}
	w.pass(formKept)
	if p := b.do(t, http.MethodPost, "/portal/berlin/login", good); p.StatusCode != http.StatusForbidden || !strings.Contains(p.body, english.StrangerTitle) {
		t.Errorf("a form of yesterday: %d", p.StatusCode)
	}
}

func TestFormsThatAreNotFilledIn(t *testing.T) {
	t.Parallel()
	w := newWorld(func(s *Site) { s.Terms = map[string]string{"en": "Be kind.", "de": "Sei nett."} })
	b := w.browse(t)
	form := with(b.open(t, chilliRedirect), "terms", "yes")
	for name, tt := range map[string]struct {
		how, says string
		fields    []string
	}{
		"no terms":          {"login", english.MustAccept, []string{"terms", "", "user", "anna@example.com", "password", password}},
		"click, no terms":   {"click", english.MustAccept, []string{"terms", "no"}},
		"no password":       {"login", english.Missing, []string{"user", "anna@example.com"}},
		"no login":          {"login", english.Missing, []string{"user", "  ", "password", password}},
		"no code":           {"voucher", english.Missing, []string{"code", " "}},
		"a long login":      {"login", english.Missing, []string{"user", strings.Repeat("x", 254), "password", password}},
		"a long password":   {"login", english.Missing, []string{"user", "anna@example.com", "password", strings.Repeat("x", 257)}},
		"a very long code":  {"voucher", english.Missing, []string{"code", strings.Repeat("x", 65)}},
		"terms of the Lang": {"login?lang=de", german.MustAccept, []string{"terms", "", "user", "a", "password", "b"}},
	} {
		p := b.do(t, http.MethodPost, "/portal/berlin/"+tt.how, with(form, tt.fields...))
		if p.StatusCode != http.StatusBadRequest || !strings.Contains(p.body, tt.says) || len(w.asked) != 0 || len(w.grants) != 0 {
			t.Errorf("%s: %d\n%s", name, p.StatusCode, p.body)
		}
	}
	if p := b.do(t, http.MethodPost, "/portal/berlin/login", with(form, "user", "anna@example.com", "password", password)); p.StatusCode != http.StatusOK || len(w.grants) != 1 {
		t.Errorf("all of it: %d", p.StatusCode)
	}
}

func TestGrantsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err    error
		status int
		says   string
		logged string
	}{
		"devices": {fmt.Errorf("store: %w: 3 of 3", ErrTooManyDevices), 403, english.ManyTitle, "too_many_devices"},
		"blocked": {fmt.Errorf("store: %w", ErrBlocked), 403, english.BlockedTitle, "blocked"},
		"fault":   {errDisk, 503, english.LaterTitle, "internal"},
	} {
		w := newWorld()
		w.refuse = tt.err
		p := w.browse(t).logIn(t, chilliRedirect, "anna@example.com", password)
		if p.StatusCode != tt.status || !strings.Contains(p.body, tt.says) || strings.Contains(p.body, "disk") || w.tickets != 0 {
			t.Errorf("%s: %d\n%s", name, p.StatusCode, p.body)
		}
		if e := w.last(t); e.Reason != tt.logged || e.PageID != 0 {
			t.Errorf("%s: logged %+v", name, e)
		}
	}
}

// TestControllersThatFail: a grant that could not be handed over ends.
func TestControllersThatFail(t *testing.T) {
	t.Parallel()
	w := newWorld(func(s *Site) { s.Kind = UniFi })
	w.nudge = errors.New("unifi: 192.168.1.1: no route")
	b := w.browse(t)
	p := b.logIn(t, "/portal/berlin/?id="+device+"&ap="+ap, "anna@example.com", password)
	if p.StatusCode != http.StatusServiceUnavailable || len(w.ended) != 1 || w.last(t).Reason != "controller" || w.last(t).Outcome != member.Unanswered {
		t.Errorf("UniFi: %d, ended %v, logged %+v", p.StatusCode, w.ended, w.last(t))
	}
	if g := w.guests[0]; g.MAC != device || g.AccessPoint != ap || g.For != 2*time.Hour {
		t.Errorf("asked for %+v", g)
	}
	w.nudge = nil
	if p = b.logIn(t, "/portal/berlin/?id="+device, "anna@example.com", password); p.StatusCode != http.StatusSeeOther {
		t.Errorf("UniFi again: %d", p.StatusCode)
	}

	w = newWorld(func(s *Site) { s.Kind = MAC })
	w.nudge = errors.New("coa: 192.0.2.1: no answer")
	if p = w.browse(t).logIn(t, macRedirect, "anna@example.com", password); p.StatusCode != http.StatusSeeOther || w.nudged != 1 || len(w.faults) != 1 || len(w.ended) != 0 {
		t.Errorf("a CoA that is not answered: %d, %v", p.StatusCode, w.faults)
	}

	w = newWorld()
	b = w.browse(t, func(c *Config) { c.Tickets = nil })
	if p = b.logIn(t, chilliRedirect, "anna@example.com", password); p.StatusCode != http.StatusServiceUnavailable || len(w.ended) != 1 {
		t.Errorf("without tickets: %d, ended %v", p.StatusCode, w.ended)
	}
}

// TestUniFiIsToldTheBounds: time, bandwidth and traffic.
func TestUniFiIsToldTheBounds(t *testing.T) {
	t.Parallel()
	w := newWorld(func(s *Site) { s.Kind = UniFi })
	w.left = 700<<20 + 1
	b := w.browse(t, func(c *Config) {
		c.Plans = func(name string) *member.Plan {
			return map[string]*member.Plan{"hot-desk": {Up: member.Rate{Bits: 5e6}, Down: member.Rate{Bits: 20e6}}}[name]
		}
	})
	b.online(t, "/portal/berlin/?id="+device)
	if g := w.guests[0]; g.Up != 5000 || g.Down != 20000 || g.Megabytes != 700 || g.For != 2*time.Hour {
		t.Errorf("asked for %+v", g)
	}
	w.left = 1
	b.do(t, http.MethodPost, "/portal/berlin/click", b.open(t, "/portal/berlin/?id="+device))
	if g := w.guests[1]; g.Up != 0 || g.Megabytes != 1 || g.For != defaultSession {
		t.Errorf("a plan that there is not: asked for %+v", g)
	}
}

// TestSecretsStayOut: neither the log, nor faults, nor addresses of ours hold one.
func TestSecretsStayOut(t *testing.T) {
	t.Parallel()
	w := newWorld()
	b := w.browse(t)
	b.logIn(t, chilliRedirect, "anna@example.com", password)
	b.do(t, http.MethodPost, "/portal/berlin/voucher", with(b.open(t, chilliRedirect), "code", "DAYPASS-7"))
	w.refuse = errDisk
	b.logIn(t, chilliRedirect, "anna@example.com", password)
	if text := fmt.Sprintf("%+v %v %#v", w.log, w.faults, w.log); strings.Contains(text, password) || strings.Contains(text, "DAYPASS") || strings.Contains(text, ticket) {
		t.Errorf("a secret in %s", text)
	}
	if text := fmt.Sprintf("%+v", w.asked[0]); strings.Contains(text, password) {
		t.Errorf("an attempt prints its password: %s", text)
	}
	p := b.get(t, "/portal/berlin/login?"+url.Values{"user": {"x"}}.Encode())
	if p.StatusCode != http.StatusSeeOther {
		t.Errorf("a form page that is loaded again: %d", p.StatusCode)
	}
}
