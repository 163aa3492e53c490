package portal

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// status shows the time that is left. Behind a link that this server has signed
// the session can be ended; who has only a device's address sees its state.
func (d *desk) status(w http.ResponseWriter, r *http.Request, s *Site) {
	t, _, ok := d.open(forStatus, s.Name, r.URL.Query().Get("g"))
	if !ok || t.Visit == nil {
		d.showFound(w, r, s, Device{Site: s.Name, Address: d.Proxies.Address(r)})
		return
	}
	g, err := d.found(r, Device{Site: s.Name, MAC: t.Visit.MAC})
	if err != nil {
		d.Fault(err)
		d.later(w, r, s, "")
		return
	}
	d.showStatus(w, r, s, &standing{grant: g, own: g != nil && g.PageID == t.PageID, mac: t.Visit.MAC})
}

// showFound shows the state of a device that anybody may have named.
func (d *desk) showFound(w http.ResponseWriter, r *http.Request, s *Site, device Device) {
	g, err := d.found(r, device)
	if err != nil {
		d.Fault(err)
		d.later(w, r, s, "")
		return
	}
	d.showStatus(w, r, s, &standing{grant: g})
}

// landingWait is how long the page stands before the operator's own.
const landingWait = 3 // seconds

// A standing is where a device stands: its grant, nil where there is none, and
// whether the browser has shown that it is its own. Mac is the device where the
// browser has shown that it had a grant of it; "": it has not.
type standing struct {
	grant *Grant
	own   bool
	mac   string
}

// showStatus shows where a device stands.
func (d *desk) showStatus(w http.ResponseWriter, r *http.Request, s *Site, at *standing) {
	g := at.grant
	fresh := r.URL.Query().Has("new") && at.own
	d.render(w, r, s, &answer{status: http.StatusOK, page: "status", fill: func(v *view) {
		v.Status = &statusView{Online: g != nil}
		sealed := r.URL.Query().Get("g")
		if len(sealed) <= maxToken {
			v.languagesOf(s, func(lang string) string {
				q := url.Values{"g": {sealed}, "lang": {lang}}
				if fresh {
					q.Set("new", "1")
				}
				return s.statusPath() + "?" + q.Encode()
			})
		}
		if g == nil {
			v.Status.Again = d.anew(s, at.mac, v.Words)
			return
		}
		if rest := left(g, d.Now()); rest > 0 {
			until := g.Expires.Local()
			if s.Zone != nil {
				until = g.Expires.In(s.Zone)
			}
			v.Status.Left, v.Status.Until = v.Words.span(rest), until.Format(v.Words.Clock)
		}
		if at.own {
			v.Status.Token = sealed
			v.Status.Extend = d.direct(s, g, v.Words)
		}
		if fresh {
			d.onward(v, s, g)
		}
	}})
}

// onward says where a device goes once it is online.
func (d *desk) onward(v *view, s *Site, g *Grant) {
	v.Status.Hint = s.Kind == MAC
	v.Status.Landing = webAddress(s.Landing)
	if v.Status.Landing != "" {
		v.Refresh, v.Wait = v.Status.Landing, landingWait
		return
	}
	// The address came from the browser: it is shown as a link, by its host, and
	// never followed by itself.
	if v.Status.Onward = webAddress(g.OriginalURL); v.Status.Onward != "" {
		if u, err := url.Parse(v.Status.Onward); err == nil {
			v.Status.Host = u.Host
		}
	}
}

// direct is the login page for a device that is known already; "" where its
// controller has to send it, with a challenge of its own.
func (d *desk) direct(s *Site, g *Grant, t *words) string {
	if s.Kind != MAC && s.Kind != UniFi || g.MAC == "" {
		return ""
	}
	v := visit{Kind: s.Kind, MAC: g.MAC, AP: g.AccessPoint, Address: g.Address, Original: webAddress(g.OriginalURL)}
	sealed, err := d.seal(forForm, &token{Site: s.Name, Visit: &v})
	if err != nil {
		d.Fault(err)
		return ""
	}
	return s.root() + "?" + url.Values{"s": {sealed}, "lang": {t.Lang}}.Encode()
}

// anew is where a device that is not online begins anew; mac is it, "" where
// that is not known.
func (d *desk) anew(s *Site, mac string, t *words) string {
	if known := d.direct(s, &Grant{MAC: mac}, t); known != "" {
		return known
	}
	return s.root() + "?" + url.Values{"lang": {t.Lang}}.Encode()
}

// logout ends a session, for whoever has its signed link.
func (d *desk) logout(w http.ResponseWriter, r *http.Request, s *Site) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if r.ParseForm() != nil {
		d.stranger(w, r)
		return
	}
	t, _, ok := d.open(forStatus, s.Name, r.PostForm.Get("g"))
	if !ok || t.PageID == 0 || t.Visit == nil {
		d.stranger(w, r)
		return
	}
	err := d.Grants.End(r.Context(), t.PageID, "logout")
	if s.Kind == UniFi && s.Guests != nil {
		err = errors.Join(err, s.Guests.Withdraw(r.Context(), t.Visit.MAC))
	}
	if err != nil {
		d.Fault(fmt.Errorf("portal: site %s: a session could not be ended: %w", s.Name, err))
		d.later(w, r, s, "")
		return
	}
	d.render(w, r, s, &answer{status: http.StatusOK, page: "status", fill: func(v *view) {
		v.Status = &statusView{Again: d.anew(s, t.Visit.MAC, v.Words)}
	}})
}
