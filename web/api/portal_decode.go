package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// maxUID is a User-Name's length in octets (RFC 2865 §5.1).
	maxUID = 253
	// maxURL is what browsers and controllers put into a redirect.
	maxURL = 2048
	// maxTimeout is what Session-Timeout and Idle-Timeout hold, in seconds (RFC 2865
	// §5.27, §5.28). What the plan allows is less.
	maxTimeout = 1<<32 - 1
)

// A portalOrder is the body of a portal login. Data is a JSON object, or a
// string that holds one, which is how the service has it that this API was
// first of.
type portalOrder struct {
	Data json.RawMessage `json:"data"`
}

// A portalData is that object.
type portalData struct {
	UID               string `json:"uid"`
	APMAC             string `json:"ap_mac"`
	MAC               string `json:"mac"`
	IP                string `json:"ip"`
	OriginalURL       string `json:"original_url,omitempty"`
	ControllerAddress string `json:"controller_address,omitempty"`
	SessionTimeout    int64  `json:"session_timeout,omitempty"`
	IdleTimeout       int64  `json:"idle_timeout,omitempty"`
}

// decodePortalLogin reads the body of a portal login. Its error is a *problem
// of status 400 that names everything that is wrong with it. A field that is
// not known is wrong too: another portal's API let in by a "method" that nobody
// had enabled (CVE-2021-44032).
func decodePortalLogin(body []byte) (*PortalLogin, error) {
	data, err := unwrap(body)
	if err != nil {
		return nil, err
	}
	p := &portalReader{}
	if err := walk(data); err != nil {
		return nil, wrongFields([]fieldError{{"data", err.Error()}})
	}
	if err := json.Unmarshal(data, &p.fields); err != nil {
		return nil, wrongFields([]fieldError{{"data", explain(err).Error()}})
	}
	order := &PortalLogin{
		UID: p.uid(), APMAC: p.mac("ap_mac"), MAC: p.mac("mac"), IP: p.address("ip", true),
		OriginalURL: p.link(), Controller: p.address("controller_address", false),
		Session: p.timeout("session_timeout"), Idle: p.timeout("idle_timeout"),
	}
	for _, name := range slices.Sorted(maps.Keys(p.fields)) {
		p.is(name, "there is no such field")
	}
	if len(p.wrong) > 0 {
		return nil, wrongFields(p.wrong)
	}
	return order, nil
}

// unwrap returns the object that data is or holds.
func unwrap(body []byte) ([]byte, error) {
	var o portalOrder
	if err := decode(body, &o); err != nil {
		return nil, problemOf(http.StatusBadRequest, "The body can't be used: "+err.Error()+".")
	}
	data := bytes.TrimSpace(o.Data)
	switch {
	case len(data) == 0 || string(data) == "null":
		return nil, wrongFields([]fieldError{{"data", "it must be there: a string that holds a JSON object, or the object"}})
	case data[0] == '{':
		return data, nil
	}
	var text string
	if json.Unmarshal(data, &text) != nil {
		return nil, wrongFields([]fieldError{{"data", "it must be a string that holds a JSON object, or the object"}})
	}
	return []byte(text), nil
}

// wrongFields is a problem with the form of a request, as 400.
func wrongFields(wrong []fieldError) *problem {
	said := make([]string, len(wrong))
	for i, f := range wrong {
		said[i] = f.Field + ": " + f.Detail
	}
	p := problemOf(http.StatusBadRequest, strings.Join(said, "; "))
	p.Errors = wrong
	return p
}

// A portalReader takes the fields of a portal login one by one, and notes all
// that is wrong.
type portalReader struct {
	fields map[string]json.RawMessage // what was not read yet
	wrong  []fieldError
}

func (p *portalReader) is(name, wrong string) { p.wrong = append(p.wrong, fieldError{name, wrong}) }

// take returns a field's JSON; null is no field.
func (p *portalReader) take(name string) (raw json.RawMessage, there bool) {
	raw, there = p.fields[name]
	delete(p.fields, name)
	return raw, there && string(raw) != "null"
}

// text takes a text. Where one is needed, "" is none.
func (p *portalReader) text(name string, needed bool) (s string, there bool) {
	raw, there := p.take(name)
	switch {
	case there && json.Unmarshal(raw, &s) != nil:
		p.is(name, "it must be text")
		return "", false
	case needed && s == "":
		p.is(name, "it must be there")
		return "", false
	}
	return s, s != ""
}

func (p *portalReader) uid() string {
	s, there := p.text("uid", true)
	if wrong := plainText(s, maxUID); there && wrong != "" {
		p.is("uid", wrong)
	}
	return s
}

func (p *portalReader) mac(name string) string {
	s, there := p.text(name, true)
	mac, ok := parseMAC(s)
	if there && !ok {
		p.is(name, wantMAC)
	}
	return mac
}

func (p *portalReader) address(name string, needed bool) netip.Addr {
	s, there := p.text(name, needed)
	if !there {
		return netip.Addr{}
	}
	a, ok := parseIP(s)
	if !ok {
		p.is(name, `it is an IP address, as "192.168.1.100" or "2001:db8::100"`)
	}
	return a
}

// link takes the address that she wanted to go to. Whoever is given it back may
// send a browser there: a script ("javascript:") is no such address.
func (p *portalReader) link() string {
	s, there := p.text("original_url", false)
	if !there {
		return ""
	}
	u, err := url.Parse(s)
	switch wrong := plainText(s, maxURL); {
	case wrong != "":
		p.is("original_url", wrong)
	case err != nil || u.Host == "" || !strings.EqualFold(u.Scheme, "http") && !strings.EqualFold(u.Scheme, "https"):
		p.is("original_url", `it is an address of the web, as "https://www.example.com/"`)
	}
	return s
}

func (p *portalReader) timeout(name string) time.Duration {
	raw, there := p.take(name)
	if !there {
		return 0
	}
	d, err := secondsOf(raw)
	if err != nil {
		p.is(name, err.Error())
	}
	return d
}

// secondsOf reads a number of seconds.
func secondsOf(raw []byte) (time.Duration, error) {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || n < 1 || n > maxTimeout {
		return 0, errors.New("it is a whole number of seconds, from 1 to " + strconv.FormatInt(maxTimeout, 10))
	}
	return time.Duration(n) * time.Second, nil
}
