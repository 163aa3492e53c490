package me

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"memberradius/member"
)

const (
	cookieName = "memberradius_me"
	// maxSecret is longer than any link, session or form token is; maxForm is
	// the largest form, which holds a token and nothing else.
	maxSecret = 512
	maxForm   = 4 << 10
)

// session returns the session that r brings, and whose it is.
func (d *desk) session(r *http.Request) (member.Secret, Who, error) {
	c, err := r.Cookie(cookieName)
	if err != nil || c.Value == "" || len(c.Value) > maxSecret {
		return "", Who{}, ErrNoLink
	}
	session := member.Secret(c.Value)
	who, err := d.Links.Session(r.Context(), session)
	return session, who, err
}

// begin puts the session into the browser. It is sent to /me alone, to no
// script, and over TLS only where there is TLS.
func (d *desk) begin(w http.ResponseWriter, r *http.Request, session member.Secret) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // G124: Secure hangs on whether there is TLS, see above
		Name: cookieName, Value: string(session), Path: "/me", MaxAge: int(sessionLife.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: d.Proxies.Secure(r) || strings.HasPrefix(d.PublicURL, "https://"),
	})
}

// formToken returns what the forms of a session must bring: nobody who has not
// seen its pages can make it.
func formToken(session member.Secret) string {
	mac := hmac.New(sha256.New, []byte(session))
	mac.Write([]byte("memberradius form of /me"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// signedForm says whether the form that r brings is of the session's own page.
func signedForm(w http.ResponseWriter, r *http.Request, session member.Secret) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if r.ParseForm() != nil {
		return false
	}
	return hmac.Equal([]byte(r.PostForm.Get("token")), []byte(formToken(session)))
}

// door shows the one button behind which the page is. It uses nothing up: mail
// scanners and previews open links too.
func (d *desk) door(w http.ResponseWriter, r *http.Request) {
	link, ok := d.linkOf(w, r)
	if !ok {
		return
	}
	if d.hands.peek(link) {
		d.show(w, r, http.StatusOK, "door")
		return
	}
	switch err := d.Links.Peek(r.Context(), link); {
	case err == nil:
		d.show(w, r, http.StatusOK, "door")
	case errors.Is(err, ErrNoLink):
		d.noLink(w, r)
	default:
		d.fault(w, r, err)
	}
}

// enter uses the link up and begins a session.
func (d *desk) enter(w http.ResponseWriter, r *http.Request) {
	link, ok := d.linkOf(w, r)
	if !ok {
		return
	}
	session, ok := d.hands.take(link)
	if !ok {
		var err error
		session, err = d.Links.Take(r.Context(), link, sessionLife)
		switch {
		case errors.Is(err, ErrNoLink):
			d.noLink(w, r)
			return
		case err != nil:
			d.fault(w, r, err)
			return
		}
	}
	d.begin(w, r, session)
	http.Redirect(w, r, "/me", http.StatusSeeOther)
}

// linkOf returns the link of the address. Who tried too many is answered here.
func (d *desk) linkOf(w http.ResponseWriter, r *http.Request) (member.Secret, bool) {
	if wait := d.guesses.Wait(d.Proxies.Address(r)); wait > 0 {
		d.tooMany(w, r, wait)
		return "", false
	}
	link := r.PathValue("link")
	if len(link) > maxSecret {
		d.noLink(w, r)
		return "", false
	}
	return member.Secret(link), true
}

// noLink answers a link that leads nowhere. A member who opens hers once more
// while her session lasts sees her page.
func (d *desk) noLink(w http.ResponseWriter, r *http.Request) {
	if _, _, err := d.session(r); err == nil {
		http.Redirect(w, r, "/me", http.StatusSeeOther)
		return
	}
	d.guesses.Wrong(d.Proxies.Address(r))
	d.show(w, r, http.StatusNotFound, "gone")
}
