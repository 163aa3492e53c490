package portal

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// captiveType is the media type of RFC 8908 §5.
const captiveType = "application/captive+json"

// captivity is the answer of the captive-portal API (RFC 8908 §5). The keys
// but the first are left out where they do not hold.
type captivity struct {
	Captive          bool    `json:"captive"`
	UserPortalURL    string  `json:"user-portal-url,omitempty"`
	VenueInfoURL     string  `json:"venue-info-url,omitempty"`
	CanExtendSession *bool   `json:"can-extend-session,omitempty"`
	SecondsRemaining *int64  `json:"seconds-remaining,omitempty"`
	BytesRemaining   *uint64 `json:"bytes-remaining,omitempty"`
}

// captive serves the API. A device that is not known is captive: that is what
// one is that has not logged in. Where that can't be said it gets no answer
// that it would believe, and looks for itself.
func (d *desk) captive(w http.ResponseWriter, r *http.Request, s *Site) {
	g, mac, err := d.calling(r, s)
	if err != nil && !errors.Is(err, ErrNoGrant) {
		d.Fault(err)
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	answer := captivity{Captive: g == nil, UserPortalURL: secureOnly(d.base(r) + portalPath(s, mac)), VenueInfoURL: webAddress(s.Venue)}
	if g != nil {
		d.remaining(r, s, g, &answer)
	}
	body, err := json.Marshal(answer)
	if err != nil {
		d.Fault(err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", captiveType)
	w.Header().Set("Cache-Control", "private, no-store") // RFC 8908 §5: it differs from device to device
	_, _ = w.Write(body)
}

// calling returns the grant of whoever calls: by address, else by the MAC that
// the URL names. The MAC proves nothing, and so the answer holds only a state.
func (d *desk) calling(r *http.Request, s *Site) (g *Grant, named string, err error) {
	named = mac(r.URL.Query().Get("mac"))
	if from := d.Proxies.Address(r); from.IsValid() {
		g, err = d.Grants.Live(r.Context(), Device{Site: s.Name, Address: from})
		if err == nil || !errors.Is(err, ErrNoGrant) {
			return g, named, err
		}
	}
	if named == "" {
		return nil, "", ErrNoGrant
	}
	g, err = d.Grants.Live(r.Context(), Device{Site: s.Name, MAC: named})
	return g, named, err
}

// portalPath is where a device's user is sent.
func portalPath(s *Site, mac string) string {
	if mac == "" {
		return s.root()
	}
	return s.root() + "?" + url.Values{"mac": {mac}}.Encode()
}

// remaining fills in what is left of a grant.
func (d *desk) remaining(r *http.Request, s *Site, g *Grant, a *captivity) {
	seconds := int64(left(g, d.Now()) / time.Second)
	a.SecondsRemaining = &seconds
	extends := s.Kind == MAC || s.Kind == UniFi
	a.CanExtendSession = &extends
	if d.Quotas == nil {
		return
	}
	octets, known, err := d.Quotas.Left(r.Context(), g)
	switch {
	case err != nil:
		d.Fault(err)
	case known:
		a.BytesRemaining = &octets
	}
}

// APIURL is the address of a site's captive-portal API: what DHCP option 114 and
// the option of router advertisements carry (RFC 8910 §2). Devices ask it over
// TLS alone.
func APIURL(s *Site, publicURL string) string {
	return strings.TrimSuffix(publicURL, "/") + s.root() + "api"
}
