package portal

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"memberradius/member"
)

// Words of the log for what member.Reason has none.
const (
	reasonVoucher    = "wrong_voucher"
	reasonDevices    = "too_many_devices"
	reasonBlocked    = "blocked"
	reasonTooMany    = "too_many_tries"
	reasonController = "controller"
)

const (
	maxPassword = 256
	maxCode     = 64
	// denyStep is what an answer that says "wrong" takes, or a multiple of it:
	// whether a login exists can't be told by how long its refusal took.
	denyStep = time.Second
	// noteTimeout bounds the writing of the log where the browser has gone.
	noteTimeout = 5 * time.Second
)

// An entrance is one attempt to come in.
type entrance struct {
	w      http.ResponseWriter
	r      *http.Request
	site   *Site
	visit  *visit
	how    Method
	text   *words
	name   string        // the login
	secret member.Secret // the password or the code
	from   netip.Addr
	began  time.Time
	entry  Entry
}

// enter serves the forms of the login page.
func (d *desk) enter(how Method) page {
	return func(w http.ResponseWriter, r *http.Request, s *Site) {
		if !s.offers(how) || how == Login && d.Auth == nil || how == Voucher && d.Vouchers == nil {
			d.notOffered(w, r, s) // whoever asks for it all the same: CVE-2021-44032
			return
		}
		e := &entrance{w: w, r: r, site: s, how: how, text: wordsFor(r, s), from: d.Proxies.Address(r), began: d.Now()}
		if !d.receive(e) || !d.may(e) {
			return
		}
		leave, ok := d.gate.Enter(e.from)
		if !ok {
			d.busy(w, r, s, denyStep)
			return
		}
		defer leave()
		switch how {
		case Login:
			d.login(e)
		case Voucher:
			d.voucher(e)
		case Click:
			d.admit(e, &Grant{UID: e.visit.MAC})
		}
	}
}

// receive reads the form. What can't be used is answered here.
func (d *desk) receive(e *entrance) bool {
	e.r.Body = http.MaxBytesReader(e.w, e.r.Body, maxForm)
	if e.r.ParseForm() != nil {
		d.stranger(e.w, e.r)
		return false
	}
	form := e.r.PostForm
	t, age, ok := d.open(forForm, e.site.Name, form.Get("token"))
	if !ok || t.Visit == nil || age >= formKept {
		d.stranger(e.w, e.r)
		return false
	}
	v := e.site.still(*t.Visit)
	e.visit = &v
	if !v.ready() {
		d.unready(e.w, e.r, e.site, true)
		return false
	}
	e.name = strings.TrimSpace(form.Get("user"))
	e.secret = member.Secret(form.Get("password"))
	if e.how == Voucher {
		e.secret = member.Secret(strings.TrimSpace(form.Get("code")))
	}
	switch {
	case age >= formLife:
		d.again(e, http.StatusForbidden, e.text.Expired)
	case e.site.terms(e.text.Lang) != "" && form.Get("terms") != "yes":
		d.again(e, http.StatusBadRequest, e.text.MustAccept)
	case e.how == Login && (e.name == "" || e.secret == "") || e.how == Voucher && e.secret == "":
		d.again(e, http.StatusBadRequest, e.text.Missing)
	case len(e.name) > member.MaxLogin || len(e.secret) > maxPassword || e.how == Voucher && len(e.secret) > maxCode:
		d.again(e, http.StatusBadRequest, e.text.Missing)
	default:
		e.entry = Entry{At: e.began, Site: e.site.Name, MAC: v.MAC, Address: e.from, Method: e.how}
		if e.how == Login {
			e.entry.Login = e.name
		}
		return true
	}
	return false
}

// again shows the login page once more, with what was wrong.
func (d *desk) again(e *entrance, status int, notice string) {
	d.showSplash(e.w, e.r, e.site, &showing{visit: e.visit, status: status, notice: notice, name: e.name})
}

// may asks the brakes. Who must wait is answered here, and stands in the log
// once until a try is left again.
func (d *desk) may(e *entrance) bool {
	from := network(e.from)
	wait, news := d.byDevice.take(e.site.Name + " " + e.visit.MAC + " " + from)
	if wait == 0 && e.how == Click {
		wait, news = d.clicks.take(from)
	}
	if wait == 0 && e.how != Click {
		wait, news = d.byAddr.take(from)
	}
	if wait == 0 && e.how == Login {
		if wait, news = d.byLogin.take(loginKey(e)); wait > 0 {
			d.byAddr.giveBack(from)
		}
	}
	if wait == 0 {
		return true
	}
	if news {
		d.note(e, member.Unanswered, reasonTooMany)
	}
	d.busy(e.w, e.r, e.site, wait)
	return false
}

func loginKey(e *entrance) string { return e.site.Name + " " + member.FoldString(e.name) }

// right gives back what an attempt took that was not a wrong guess.
func (d *desk) right(e *entrance) {
	if e.how == Click {
		return
	}
	d.byAddr.giveBack(network(e.from))
	if e.how == Login {
		d.byLogin.giveBack(loginKey(e))
	}
}

// network is what counts as one address: of IPv6 a /64, which one customer has.
func network(a netip.Addr) string {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

// login asks the site's member systems, once.
func (d *desk) login(e *entrance) {
	out := d.Auth.Login(e.r.Context(), &Attempt{
		Site: e.site.Name, Login: e.name, Password: e.secret, MAC: e.visit.MAC, Address: e.from,
		SSID: e.visit.SSID, AccessPoint: e.visit.AP, At: e.began,
	})
	e.entry.Backend, e.entry.Status, e.entry.Took = out.Backend, out.Status, out.Took
	switch {
	case out.Verdict == member.Allow && out.Proved:
		d.right(e)
		d.admit(e, &Grant{
			UID: e.name, Backend: out.Member.Backend, Login: out.Member.Login, Plan: out.Plan,
			SessionTimeout: out.Session, IdleTimeout: out.Idle,
		})
	case out.Verdict == member.Deny && out.Proved:
		d.right(e)
		d.note(e, member.Deny, out.Reason.String())
		d.message(e.w, e.r, e.site, func(t *words) messageView {
			return messageView{status: http.StatusForbidden, Title: t.RefusedTitle, Text: t.refusal(out.Reason), Detail: out.Message, Back: d.backTo(e)}
		})
	case out.Verdict == member.Deny:
		d.note(e, member.Deny, out.Reason.String())
		d.wrong(e, e.text.Wrong)
	default:
		d.right(e)
		reason := out.Reason
		if reason == member.ReasonNone {
			reason = member.ReasonUnanswered
		}
		d.note(e, member.Unanswered, reason.String())
		d.later(e.w, e.r, e.site, d.backTo(e))
	}
}

// backTo leads back to the login page of this device.
func (d *desk) backTo(e *entrance) string {
	sealed, err := d.seal(forForm, &token{Site: e.site.Name, Visit: e.visit})
	if err != nil {
		d.Fault(err)
		return ""
	}
	return e.site.root() + "?" + url.Values{"s": {sealed}, "lang": {e.text.Lang}}.Encode()
}

// wrong says that what was typed is wrong: in the same words and after the same
// time, whatever of it was.
func (d *desk) wrong(e *entrance, notice string) {
	spent := d.Now().Sub(e.began)
	timer := time.NewTimer(denyStep - spent%denyStep)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-e.r.Context().Done():
		return
	}
	d.again(e, http.StatusForbidden, notice)
}

// note hands an attempt to the log.
func (d *desk) note(e *entrance, verdict member.Verdict, reason string) {
	e.entry.Outcome, e.entry.Reason = verdict, reason
	if e.entry.Took == 0 {
		e.entry.Took = d.Now().Sub(e.began)
	}
	// What happened is written down also where the browser has gone.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.r.Context()), noteTimeout)
	defer cancel()
	if err := d.Log.Note(ctx, &e.entry); err != nil {
		d.Fault(err)
	}
}
