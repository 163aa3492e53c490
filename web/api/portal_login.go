package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"memberradius/member"
)

const (
	// A device logs in so often: ten times at once, and ten times a minute.
	deviceLogins, deviceEvery = 10, 6 * time.Second
	// A token, and an address, may call so often: 300 at once, as when a conference
	// begins, and 20 times a second. A portal's server does all by one of each.
	callerCalls, callerEvery = 300, 50 * time.Millisecond
	// maxPageID is the greatest page id: numbers beyond are not exact in every
	// reader of JSON (RFC 8259 §6).
	maxPageID = 1<<53 - 1
	// maxIdempotencyKey is longer than any UUID or hash.
	maxIdempotencyKey = 255
	// askAgain is when to try again where nobody could say.
	askAgain = 5 * time.Second
)

// A portalView is a portal login as the service answers that this API was first
// of: its page, and what was said, as it holds. MAC addresses are written one
// way whatever way they came in, which is the way of that service's own samples,
// of sessions and of devices: a portal that compares what it sees in one place
// with another compares texts.
type portalView struct {
	PageID int64 `json:"page_id"`
	portalData
}

func portalOf(l *PortalLogin) portalView {
	return portalView{l.PageID, portalData{
		UID: l.UID, APMAC: l.APMAC, MAC: l.MAC, IP: member.AddressText(l.IP), OriginalURL: l.OriginalURL,
		ControllerAddress: member.AddressText(l.Controller), SessionTimeout: seconds(l.Session), IdleTimeout: seconds(l.Idle),
	}}
}

// A portalState is a portal login with what became of it.
type portalState struct {
	portalView
	Started time.Time `json:"started"`
	Until   time.Time `json:"until"`
	Ended   time.Time `json:"ended,omitzero"`
	Live    bool      `json:"live"`
}

func (a *api) stateOfLogin(l *PortalLogin) *portalState {
	return &portalState{portalOf(l), l.Started, l.Until, l.Ended, l.Ended.IsZero() && a.Now().Before(l.Until)}
}

// grantLogin answers POST /portal_login/.
func (a *api) grantLogin(w http.ResponseWriter, r *http.Request, by *Token) error {
	if err := a.slow(w, r, by); err != nil {
		return err
	}
	body, err := readTyped(w, r)
	if err != nil {
		return err
	}
	order, err := decodePortalLogin(body)
	if err != nil {
		return err
	}
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	if wait := a.devicePace.take(order.MAC); wait > 0 {
		retryAfter(w, wait)
		return problemOf(http.StatusTooManyRequests, "This device has logged in too often. Wait a moment.")
	}
	given, err := a.grantOnce(r, by, key, order)
	if err != nil {
		return refusedLogin(w, err)
	}
	w.Header().Set("Location", loginPath(given.PageID))
	send(w, http.StatusCreated, portalOf(given))
	return nil
}

// grantOnce grants a login, or returns what was granted by the same key before.
func (a *api) grantOnce(r *http.Request, by *Token, key string, order *PortalLogin) (*PortalLogin, error) {
	if key == "" {
		return a.grant(r, by, order)
	}
	rp, fresh := a.repeats.begin(by.ID+"\x00"+key, order)
	switch {
	case !fresh && rp.asked != *order:
		return nil, problemOf(http.StatusUnprocessableEntity, "This Idempotency-Key was used for another login. Use a new one for each.")
	case !fresh && rp.given == nil:
		return nil, problemOf(http.StatusConflict, "A login with this Idempotency-Key is in work. Ask again in a moment.")
	case !fresh:
		return rp.given, nil
	}
	var given *PortalLogin
	defer func() { a.repeats.end(rp, given) }()
	var err error
	given, err = a.grant(r, by, order)
	return given, err
}

func (a *api) grant(r *http.Request, by *Token, order *PortalLogin) (*PortalLogin, error) {
	ctx, cancel := context.WithTimeout(r.Context(), a.Wait)
	defer cancel()
	given, err := a.PortalLogins.GrantLogin(ctx, order)
	if err != nil {
		return nil, err
	}
	a.told(r, by, "portal login granted", Key{Login: given.UID})
	return given, nil
}

// getLogin answers GET /portal_login/{page_id}/.
func (a *api) getLogin(w http.ResponseWriter, r *http.Request, by *Token) error {
	page, err := a.page(w, r, by)
	if err != nil {
		return err
	}
	l, err := a.PortalPages.FindLogin(r.Context(), page)
	if err != nil {
		return refusedLogin(w, err)
	}
	send(w, http.StatusOK, a.stateOfLogin(l))
	return nil
}

// A renewal is what is to hold of a login from now on.
type renewal struct {
	SessionTimeout *int64 `json:"session_timeout"`
}

// renewLogin answers PATCH /portal_login/{page_id}/. It is no PUT: what is not
// said stays as it is.
func (a *api) renewLogin(w http.ResponseWriter, r *http.Request, by *Token) error {
	page, err := a.page(w, r, by)
	if err != nil {
		return err
	}
	var order renewal
	if err := readJSON(w, r, &order); err != nil {
		return err
	}
	var session time.Duration
	if n := order.SessionTimeout; n != nil {
		if session, err = secondsOf(strconv.AppendInt(nil, *n, 10)); err != nil {
			return wrongFields([]fieldError{{"session_timeout", err.Error()}})
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), a.Wait)
	defer cancel()
	l, err := a.PortalLogins.RenewLogin(ctx, page, session)
	if err != nil {
		return refusedLogin(w, err)
	}
	a.told(r, by, "portal login renewed", Key{Login: l.UID})
	send(w, http.StatusOK, a.stateOfLogin(l))
	return nil
}

// endLogin answers DELETE /portal_login/{page_id}/.
func (a *api) endLogin(w http.ResponseWriter, r *http.Request, by *Token) error {
	page, err := a.page(w, r, by)
	if err != nil {
		return err
	}
	if err := readNothing(w, r); err != nil {
		return err
	}
	if err := a.PortalLogins.EndLogin(r.Context(), page); err != nil {
		return refusedLogin(w, err)
	}
	a.told(r, by, "portal login "+strconv.FormatInt(page, 10)+" ended", Key{})
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// page reads the page of the path, for a caller who is not too fast.
func (a *api) page(w http.ResponseWriter, r *http.Request, by *Token) (int64, error) {
	if err := a.slow(w, r, by); err != nil {
		return 0, err
	}
	text := r.PathValue("page_id")
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || n > maxPageID || strconv.FormatInt(n, 10) != text {
		return 0, missing(ErrUnknown, "login")
	}
	return n, nil
}

// slow refuses a caller who calls more often than may be.
func (a *api) slow(w http.ResponseWriter, r *http.Request, by *Token) error {
	wait := max(a.callPace.take("token "+by.ID), a.callPace.take("from "+a.Proxies.Address(r).String()))
	if wait == 0 {
		return nil
	}
	retryAfter(w, wait)
	return problemOf(http.StatusTooManyRequests, "Too many calls came by this token or from this address. Wait a moment.")
}

// idempotencyKey returns the key that the caller has given the login; "" is
// none. Draft ietf-httpapi-idempotency-key-header writes it in quotation marks,
// most callers do not.
func idempotencyKey(r *http.Request) (string, error) {
	given := r.Header.Values("Idempotency-Key")
	if len(given) == 0 {
		return "", nil
	}
	key := strings.Trim(given[0], `"`)
	odd := func(c rune) bool { return c <= ' ' || c > '~' }
	if len(given) > 1 || key == "" || len(key) > maxIdempotencyKey || strings.ContainsFunc(key, odd) {
		return "", wrongFields([]fieldError{{"Idempotency-Key", "it is one header of 1 to 255 letters, digits and signs, without blanks"}})
	}
	return key, nil
}

// refusedLogin says why a login was not granted. Who may not come in is not told
// apart from who is not known: whoever holds a portal's token could else list
// the members. The log of the portal has the reason.
func refusedLogin(w http.ResponseWriter, err error) error {
	switch {
	case errors.Is(err, ErrMayNot):
		return wrongField("uid", "it may not come in; the log of the portal says why")
	case errors.Is(err, ErrTooManyDevices):
		return wrongField("uid", "as many devices are on as may be")
	case errors.Is(err, ErrBlocked):
		return wrongField("mac", "this device is blocked")
	case errors.Is(err, ErrNotEnabled):
		return problemOf(http.StatusUnprocessableEntity, "No site here takes logins by this API from this access point or controller.")
	case errors.Is(err, ErrEnded):
		return problemOf(http.StatusConflict, "This login has ended. Log the device in anew.")
	case errors.Is(err, ErrNoAnswer):
		retryAfter(w, askAgain)
		return problemOf(http.StatusServiceUnavailable, "Nobody could say whether the uid may come in. Try again.")
	}
	return missing(err, "login")
}

// loginPath is the address of a portal login.
func loginPath(page int64) string {
	return "/api/v1/portal_login/" + strconv.FormatInt(page, 10) + "/"
}
