package portal

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// splash is where a controller sends a device: the ways in.
func (d *desk) splash(w http.ResponseWriter, r *http.Request, s *Site) {
	v, known := d.visitOf(r, s)
	if v.Result == already {
		// CoovaChilli shows this page where it was asked for the way back.
		if way, ok := strings.CutPrefix(v.Original, d.base(r)+s.statusPath()+"?"); ok {
			http.Redirect(w, r, s.statusPath()+"?"+way, http.StatusSeeOther)
			return
		}
		g, err := d.found(r, Device{Site: s.Name, MAC: v.MAC})
		if err != nil {
			d.Fault(err)
			d.later(w, r, s, "")
			return
		}
		// A device that the controller knows and this server does not can log in, where
		// the controller takes it.
		if g != nil || !v.ready() {
			d.showStatus(w, r, s, &standing{grant: g})
			return
		}
	}
	if !v.ready() {
		d.unready(w, r, s, known)
		return
	}
	notice := ""
	if v.Result == failed {
		notice = wordsFor(r, s).NotTaken
	}
	d.showSplash(w, r, s, &showing{visit: &v, status: http.StatusOK, notice: notice})
}

// visitOf reads the visit from the token of a page of ours, or from the redirect.
// Known says that it is of a token.
func (d *desk) visitOf(r *http.Request, s *Site) (v visit, known bool) {
	q := r.URL.Query()
	if t, age, ok := d.open(forForm, s.Name, q.Get("s")); ok && t.Visit != nil && age < formKept {
		return s.still(*t.Visit), true
	}
	return s.read(q), false
}

// still returns a visit as it holds now: a reload may have taken its controller
// off the list.
func (s *Site) still(v visit) visit {
	if v.Controller != "" {
		v.Controller = s.admits(v.Kind, v.Controller)
	}
	return v
}

// unready answers a device that is not known, or whose controller is not: one
// that is online already, or a browser that opened the page from elsewhere.
func (d *desk) unready(w http.ResponseWriter, r *http.Request, s *Site, known bool) {
	g, err := d.found(r, Device{Site: s.Name, Address: d.Proxies.Address(r)})
	switch {
	case err != nil:
		d.Fault(err)
		d.later(w, r, s, "")
		return
	case g != nil && !known:
		d.showStatus(w, r, s, &standing{grant: g})
		return
	}
	d.message(w, r, s, func(t *words) messageView {
		return messageView{status: http.StatusBadRequest, Title: t.NoDeviceTitle, Text: t.NoDeviceText}
	})
}

// found returns the live grant of a device; nil: there is none. An error: that
// could not be said.
func (d *desk) found(r *http.Request, device Device) (*Grant, error) {
	if device.MAC == "" && !device.Address.IsValid() {
		return nil, nil //nolint:nilnil // nobody has none
	}
	g, err := d.Grants.Live(r.Context(), device)
	if errors.Is(err, ErrNoGrant) {
		return nil, nil //nolint:nilnil // see above
	}
	return g, err
}

// A showing is one way the login page looks.
type showing struct {
	visit        *visit
	status       int
	notice, name string
}

func (d *desk) showSplash(w http.ResponseWriter, r *http.Request, s *Site, how *showing) {
	token, err := d.seal(forForm, &token{Site: s.Name, Visit: how.visit})
	if err != nil {
		d.Fault(err)
		d.later(w, r, s, "")
		return
	}
	d.render(w, r, s, &answer{status: how.status, page: "splash", fill: func(v *view) {
		v.languagesOf(s, func(lang string) string { return s.root() + "?" + url.Values{"s": {token}, "lang": {lang}}.Encode() })
		v.Splash = &splashView{
			Token: token, Notice: how.notice, Name: how.name, SSID: how.visit.SSID, Terms: s.terms(v.Words.Lang),
			Login: s.offers(Login) && d.Auth != nil, Voucher: s.offers(Voucher) && d.Vouchers != nil, Click: s.offers(Click),
		}
	}})
}
