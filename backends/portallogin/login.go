package portallogin

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"time"

	"memberradius/member"
)

// A Login is one login at our portal. It holds no password, no ticket and no
// voucher's code.
type Login struct {
	// ID is the login's own, the same at each try: 1 to 255 visible characters of
	// ASCII. "" names none.
	ID string
	// UID is who logged in: a member's login, or the name of what let a guest in.
	UID string
	// APMAC and MAC are access point and device as "aa:bb:cc:dd:ee:ff", IP is the
	// device's address.
	APMAC, MAC string
	IP         netip.Addr
	// OriginalURL is where she wanted to go; "" is not known.
	OriginalURL string
	// Controller is the network controller's address; invalid: not known.
	Controller netip.Addr
	// Session and Idle are how long she may stay from now on, and be silent; 0
	// leaves it to the system. A login that waited has less left than at first.
	Session, Idle time.Duration
}

// lacks returns what the API needs and l does not have; "" is nothing.
func (l *Login) lacks() string {
	var none []string
	for _, f := range [...]struct {
		name string
		ok   bool
	}{{"uid", l.UID != ""}, {"ap_mac", l.APMAC != ""}, {"mac", l.MAC != ""}, {"ip", l.IP.IsValid()}} {
		if !f.ok {
			none = append(none, f.name)
		}
	}
	return strings.Join(none, ", ")
}

// A data is what the body's string holds, in the words of the API.
type data struct {
	UID            string `json:"uid,omitempty"`
	APMAC          string `json:"ap_mac,omitempty"`
	MAC            string `json:"mac,omitempty"`
	IP             string `json:"ip,omitempty"`
	OriginalURL    string `json:"original_url,omitempty"`
	Controller     string `json:"controller_address,omitempty"`
	SessionTimeout int64  `json:"session_timeout,omitempty"`
	IdleTimeout    int64  `json:"idle_timeout,omitempty"`
}

// encode returns the body of the request for l.
func encode(l *Login) []byte {
	d := data{
		UID: l.UID, APMAC: l.APMAC, MAC: l.MAC, OriginalURL: l.OriginalURL,
		IP: member.AddressText(l.IP), Controller: member.AddressText(l.Controller),
		SessionTimeout: seconds(l.Session), IdleTimeout: seconds(l.Idle),
	}
	inner := text(&d)
	return text(map[string]string{"data": string(inner)})
}

// text writes v as JSON. "&" and "<" stay as they are: a URL has them, and not
// every reader undoes what Go makes of them.
func text(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // texts and numbers: it can't fail
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// seconds rounds what is left up: 0 would mean that nothing bounds it.
func seconds(d time.Duration) int64 { return int64((max(d, 0) + time.Second - 1) / time.Second) }

// An answer is as much of a 201 as counts.
type answer struct {
	PageID int64 `json:"page_id"`
}

// decodeAnswer reads the body of a 201. What is said besides page_id is an echo.
func decodeAnswer(body []byte) (page int64, err error) {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return 0, errNoPage // what encoding/json says quotes values
	}
	if a.PageID < 1 {
		return 0, errNoPage
	}
	return a.PageID, nil
}

var errNoPage = errors.New("its answer is no JSON object with a page_id; url may lead to something else than the API")
