package portal

import (
	"net/url"
	"time"

	"memberradius/member"
)

// A handing is what a hand-off is made from.
type handing struct {
	site  *Site
	visit *visit
	// user and password are the ticket.
	user     string
	password member.Secret
	// back is our own page, where the controller is asked to send the browser.
	back string
	// session is how long the grant lasts.
	session time.Duration
	// secure says that our own page came over TLS. A form of such a page that goes
	// to a controller without TLS makes browsers warn; following an address does not.
	secure bool
}

// A handoff is what the browser takes to the controller.
type handoff struct {
	// Address is where to. Get says that the fields go into the address, and that
	// the browser may go there by itself; else a button posts them.
	Address string
	Get     bool
	Fields  []field
	// Origin is the address's, which the page's policy allows forms to.
	Origin string
}

// A field is one field of a form.
type field struct{ Name, Value string }

// hand makes the hand-off of a visit; nil where its controller is handed nothing.
func hand(h *handing) *handoff {
	v := vendors()[h.visit.Kind]
	if v == nil || v.hand == nil {
		return nil
	}
	out := v.hand(h)
	out.Origin = originOf(out.Address)
	if out.Get {
		out.Address, out.Fields = withFields(out.Address, out.Fields), nil
	}
	return out
}

// withFields puts fields into an address, beside those that it has.
func withFields(address string, fields []field) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	q := u.Query()
	for _, f := range fields {
		q.Set(f.Name, f.Value)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// page returns an address on a controller that is named by host and port, as
// the redirects of Chilli, Aruba and Ruckus do; "" where it is not admitted.
func (s *Site) page(kind Kind, scheme, host, path string) string {
	if host == "" || !plainHost(host) {
		return ""
	}
	return s.admits(kind, scheme+"://"+host+path)
}
