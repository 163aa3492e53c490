package portal

import (
	"bytes"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A view is what every page is made from.
type view struct {
	Words *words
	// Title is what the place is called; Root, Style, Icon and Logo are addresses,
	// Logo "" where there is none.
	Title, Root, Style, Icon, Logo string
	// Contact is the configuration's, ContactURL a mailto: where it is a mail address.
	Contact    string
	ContactURL template.URL
	// Languages lead to the same page in another language; none where there is no other.
	Languages []languageView
	// Refresh is where the browser goes by itself, after Wait seconds; "": nowhere.
	Refresh string
	Wait    int

	// One of these is the page's own.
	Splash  *splashView
	Hand    *handoff
	Status  *statusView
	Message *messageView
}

// A languageView is a link to a language.
type languageView struct {
	Lang, Name, URL string
	Current         bool
}

// A splashView is the login page.
type splashView struct {
	// Token is what its forms bring.
	Token string
	// Notice says what was wrong with the last try; "": nothing.
	Notice                string
	Login, Voucher, Click bool
	// Name is the login that was typed.
	Name string
	// Terms are to be accepted; "": nothing is.
	Terms string
	SSID  string
}

// A statusView is the page of a device that is online, or was.
type statusView struct {
	Online bool
	// Left and Until are "" where that is not known.
	Left, Until string
	// Token ends the session; "": this browser may not.
	Token string
	// Extend leads to the login page for more time ("": not from here), Again to it
	// where the device is not online.
	Extend, Again string
	// Onward is where the device wanted to go, Host its host; Landing is the operator's page.
	Onward, Host, Landing string
	// Hint says what to do where the device is not let out yet.
	Hint bool
}

// A messageView is a page that says one thing.
type messageView struct {
	status              int
	Title, Text, Detail string
	// Back leads to Back's address; "": nowhere.
	Back string
}

// An answer is a page, its status and its own part of the view.
type answer struct {
	status int
	page   string
	fill   func(*view)
	// forms are origins that its forms may go to besides ours.
	forms []string
}

// render answers with a page, in the language of the request.
func (d *desk) render(w http.ResponseWriter, r *http.Request, s *Site, a *answer) {
	v := d.view(r, s)
	a.fill(v)
	var b bytes.Buffer // a page is whole or not there
	if err := d.pages.ExecuteTemplate(&b, a.page+".html", v); err != nil {
		d.Fault(err)
		http.Error(w, v.Words.LaterTitle, http.StatusInternalServerError)
		return
	}
	header := w.Header()
	if len(a.forms) > 0 {
		header.Set("Content-Security-Policy", policy(a.forms...))
	}
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Language", v.Words.Lang)
	header.Set("Vary", "Accept-Language")
	w.WriteHeader(a.status)
	_, _ = w.Write(b.Bytes())
}

func (d *desk) view(r *http.Request, s *Site) *view {
	v := &view{
		Words: wordsFor(r, s), Title: s.title(), Root: s.root(), Style: d.styleURL(s), Icon: s.root() + "icon.svg", Contact: s.Contact,
	}
	if len(s.Logo.Data) > 0 {
		v.Logo = s.root() + "logo?v=" + version(s.Logo.Data)
	}
	if name, host, ok := strings.Cut(s.Contact, "@"); ok && name != "" && host != "" && !strings.ContainsAny(s.Contact, " \t<>\"") {
		v.ContactURL = template.URL("mailto:" + url.PathEscape(s.Contact)) //nolint:gosec // G203: the operator's own address, escaped
	}
	return v
}

// languagesOf are the links to a page in other languages; where says which page.
func (v *view) languagesOf(s *Site, where func(lang string) string) {
	offered := s.languages()
	if len(offered) < 2 {
		return
	}
	for _, tag := range offered {
		v.Languages = append(v.Languages, languageView{Lang: tag, Name: wordsIn(tag).Name, URL: where(tag), Current: tag == v.Words.Lang})
	}
}

// message answers with a page that says one thing.
func (d *desk) message(w http.ResponseWriter, r *http.Request, s *Site, m func(*words) messageView) {
	said := m(wordsFor(r, s))
	d.render(w, r, s, &answer{status: said.status, page: "message", fill: func(v *view) { v.Message = &said }})
}

// later answers where this server, or one that it asks, could not say.
func (d *desk) later(w http.ResponseWriter, r *http.Request, s *Site, back string) {
	w.Header().Set("Retry-After", "30")
	d.message(w, r, s, func(t *words) messageView {
		return messageView{status: http.StatusServiceUnavailable, Title: t.LaterTitle, Text: t.LaterText, Back: back}
	})
}

// busy answers whoever tried too often, with how long to wait.
func (d *desk) busy(w http.ResponseWriter, r *http.Request, s *Site, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	d.message(w, r, s, func(t *words) messageView {
		return messageView{status: http.StatusTooManyRequests, Title: t.BusyTitle, Text: t.BusyText, Detail: t.span(wait)}
	})
}

// stranger answers a form of another site.
func (d *desk) stranger(w http.ResponseWriter, r *http.Request) {
	name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/portal/"), "/")
	s := d.site(name)
	if s == nil {
		d.none(w, r)
		return
	}
	d.message(w, r, s, func(t *words) messageView {
		return messageView{status: http.StatusForbidden, Title: t.StrangerTitle, Text: t.StrangerText, Back: s.root()}
	})
}

// none answers where there is no such site or page. There is no site to look like.
func (d *desk) none(w http.ResponseWriter, r *http.Request) {
	t := wordsFor(r, &Site{})
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte(t.NoneTitle + ". " + t.NoneText + "\n"))
}

// notOffered answers a method that the operator does not allow, as if it did not exist.
func (d *desk) notOffered(w http.ResponseWriter, r *http.Request, s *Site) {
	d.message(w, r, s, func(t *words) messageView {
		return messageView{status: http.StatusNotFound, Title: t.NoneTitle, Text: t.NoneText, Back: s.root()}
	})
}
