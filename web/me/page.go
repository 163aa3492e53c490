package me

import (
	"bytes"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"memberradius/member"
	"memberradius/onboard"
)

// A view is what every page is made from.
type view struct {
	Words *words
	// Style and Icon are the addresses of the two.
	Style, Icon string
	// Space and Contact are the configuration's; ContactURL is a mailto: where
	// Contact is a mail address.
	Space, Contact string
	ContactURL     template.URL
	// Sheet is what the page "sheet" shows besides.
	Sheet *sheetView
}

// A sheetView is the member's page.
type sheetView struct {
	Name, SSID, Login string
	// Password is shown on demand; "": her member system keeps it.
	Password string
	// Changed is the day on which the password was made, as her language writes it.
	Changed string
	Ended   bool
	// Renewable offers a new password; Renewed says that she has just got one.
	Renewable, Renewed bool
	// Token is what forms must bring.
	Token string
	// Profiles are offered, the one for the device in her hand first where Guessed.
	Profiles []profileView
	Guessed  bool
	// QR opens the page on another device.
	QR template.HTML
	// ByHand is what to type where there is no profile; ByHandFirst: for the
	// device in her hand there is none.
	ByHand      []settingView
	ByHandFirst bool
	// CA offers the certificate that the settings need.
	CA bool
}

// A profileView is how one kind of device is set up.
type profileView struct {
	Device device
	// Name is whom it is for.
	Name  string
	Steps []stepView
}

// A stepView is one step: what to do, a download that belongs to it, and a
// command to enter. Main is the download that matters most.
type stepView struct {
	Text, Link, Button, Command string
	Main                        bool
}

// A settingView is one line of the settings to type.
type settingView struct{ Name, Value string }

// show answers with a page that is the same for everybody.
func (d *desk) show(w http.ResponseWriter, r *http.Request, status int, page string) {
	d.render(w, r, &answer{status: status, page: page})
}

// An answer is a page and what it is made from.
type answer struct {
	status int
	page   string
	sheet  *sheetView // for the page "sheet" alone
}

func (d *desk) render(w http.ResponseWriter, r *http.Request, a *answer) {
	v := view{Words: wordsFor(r), Style: d.style.path, Icon: d.icon.path, Space: d.Space, Contact: d.Contact, Sheet: a.sheet}
	if strings.Contains(d.Contact, "@") && !strings.ContainsAny(d.Contact, " :/") {
		v.ContactURL = template.URL("mailto:" + url.PathEscape(d.Contact)) //nolint:gosec // G203: the operator's own address, escaped
	}
	var b bytes.Buffer // a page is whole or not there
	if err := d.pages.ExecuteTemplate(&b, a.page+".html", &v); err != nil {
		d.Fault(err)
		http.Error(w, v.Words.FaultTitle, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", v.Words.Lang)
	w.Header().Set("Vary", "Accept-Language, Cookie, User-Agent")
	w.WriteHeader(a.status)
	_, _ = w.Write(b.Bytes())
}

// fault answers where this server failed.
func (d *desk) fault(w http.ResponseWriter, r *http.Request, err error) {
	d.Fault(err)
	w.Header().Set("Retry-After", "10")
	d.show(w, r, http.StatusServiceUnavailable, "fault")
}

// tooMany answers whoever tried too many links.
func (d *desk) tooMany(w http.ResponseWriter, r *http.Request, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
	d.show(w, r, http.StatusTooManyRequests, "busy")
}

// stranger answers a form of another site.
func (d *desk) stranger(w http.ResponseWriter, r *http.Request) {
	d.show(w, r, http.StatusForbidden, "stranger")
}

// visit is a member at her page.
type visit struct {
	who     Who
	session member.Secret
	*Sheet
}

// admit returns whose page r asks for. Who has no session is answered here.
func (d *desk) admit(w http.ResponseWriter, r *http.Request) (*visit, bool) {
	session, who, err := d.session(r)
	var sheet *Sheet
	if err == nil {
		sheet, err = d.Members.Sheet(r.Context(), who)
	}
	switch {
	case errors.Is(err, ErrNoLink), errors.Is(err, member.ErrUnknown):
		d.show(w, r, http.StatusForbidden, "gone")
		return nil, false
	case err != nil:
		d.fault(w, r, err)
		return nil, false
	}
	return &visit{who: who, session: session, Sheet: sheet}, true
}

// sheet shows the member's page.
func (d *desk) sheet(w http.ResponseWriter, r *http.Request) {
	v, ok := d.admit(w, r)
	if !ok {
		return
	}
	s := &sheetView{
		Name: v.Access.Name, Login: v.Access.Login, Password: string(v.Access.Password),
		Ended: v.Ended, Renewable: v.Renewable, Renewed: r.URL.Query().Has("renewed"),
		Token: formToken(v.session),
	}
	text := wordsFor(r)
	if !v.Access.Changed.IsZero() {
		s.Changed = v.Access.Changed.Format(text.Date)
	}
	if n := v.Network; n != nil && !v.Ended {
		s.SSID = n.SSID
		guess := deviceOf(r.UserAgent())
		s.ByHandFirst = guess == android || guess == ""
		s.Profiles, s.Guessed = offers(text, n, guess), !s.ByHandFirst
		s.ByHand = byHand(text, n, &v.Access)
		s.CA = n.CA != nil
	}
	qr, err := d.code(r, v.session)
	if err != nil {
		d.fault(w, r, err)
		return
	}
	s.QR = qr
	d.render(w, r, &answer{http.StatusOK, "sheet", s})
}

// code draws the link by which the member opens her page on another device.
func (d *desk) code(r *http.Request, session member.Secret) (template.HTML, error) {
	link, err := d.hands.offer(session)
	if err != nil {
		return "", err
	}
	base := strings.TrimSuffix(d.PublicURL, "/")
	if base == "" {
		base = "http://" + r.Host
		if d.Proxies.Secure(r) {
			base = "https://" + r.Host
		}
	}
	svg, err := onboard.QR(base + "/me/" + string(link))
	return template.HTML(svg), err //nolint:gosec // G203: an image that onboard draws, of a text that it does not quote
}

// renew makes a new password.
func (d *desk) renew(w http.ResponseWriter, r *http.Request) {
	v, ok := d.admit(w, r)
	if !ok {
		return
	}
	if !signedForm(w, r, v.session) {
		d.stranger(w, r)
		return
	}
	if !v.Renewable {
		d.show(w, r, http.StatusConflict, "refused")
		return
	}
	var refusal *Refusal
	switch err := d.Members.Renew(r.Context(), v.who); {
	case errors.As(err, &refusal):
		d.Fault(err)
		d.show(w, r, http.StatusConflict, "refused")
	case err != nil:
		d.fault(w, r, err)
	default:
		http.Redirect(w, r, "/me?renewed", http.StatusSeeOther)
	}
}
