package api

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"memberradius/member"
)

// A scope is something that a token may do. Admin may all.
type scope string

// The scopes.
const (
	membersRead  scope = "members:read"
	membersWrite scope = "members:write"
	plansRead    scope = "plans:read"
	backendsRead scope = "backends:read"
	backendsSync scope = "backends:sync"

	sessionsRead  scope = "sessions:read"
	sessionsWrite scope = "sessions:write"
	devicesRead   scope = "devices:read"
	devicesWrite  scope = "devices:write"
	vouchersRead  scope = "vouchers:read"
	vouchersWrite scope = "vouchers:write"
	portalRead    scope = "portal:read"
	// portalLogin is for portals outside: whoever holds such a token lets devices in.
	portalLogin scope = "portal_login"

	admin scope = "admin"
	// open needs no token.
	open scope = ""
)

// Scopes lists the words that a token's scopes can be.
func Scopes() []string {
	return []string{
		string(membersRead), string(membersWrite), string(plansRead), string(backendsRead), string(backendsSync),
		string(sessionsRead), string(sessionsWrite), string(devicesRead), string(devicesWrite), string(vouchersRead), string(vouchersWrite),
		string(portalRead), string(portalLogin), string(admin),
	}
}

// maxToken is longer than any token is.
const maxToken = 512

// authorize returns the token that r brings, if it may do what needs the scope.
// Anything else is answered here.
func (a *api) authorize(w http.ResponseWriter, r *http.Request, need scope) (*Token, bool) {
	address := a.Proxies.Address(r)
	if wait := a.guesses.Wait(address); wait > 0 {
		retryAfter(w, wait)
		problemOf(http.StatusTooManyRequests, "Too many wrong tokens came from this address. Wait a moment, and correct the token.").send(w)
		return nil, false
	}
	presented, ok := bearer(r)
	if !ok {
		w.Header().Set("WWW-Authenticate", `Bearer realm="memberradius"`)
		problemOf(http.StatusUnauthorized, "A token is needed: send the header Authorization: Bearer mr_... and make one by `memberradius token create`.").send(w)
		return nil, false
	}
	token, err := a.Tokens.FindToken(r.Context(), presented)
	switch {
	case errors.Is(err, ErrNoToken):
		a.guesses.Wrong(address)
		w.Header().Set("WWW-Authenticate", `Bearer realm="memberradius", error="invalid_token"`)
		problemOf(http.StatusUnauthorized, "The token is unknown, has expired or was revoked. Make a new one by `memberradius token create`.").send(w)
		return nil, false
	case err != nil:
		a.fail(w, err)
		return nil, false
	}
	if !slices.Contains(token.Scopes, string(need)) && !slices.Contains(token.Scopes, string(admin)) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="memberradius", error="insufficient_scope", scope="`+string(need)+`"`)
		p := problemOf(http.StatusForbidden, "This token lacks the scope "+string(need)+".")
		p.Scope = string(need)
		p.send(w)
		return nil, false
	}
	return token, true
}

// bearer returns the token of the one Authorization header (RFC 6750 §2.1).
func bearer(r *http.Request) (member.Secret, bool) {
	headers := r.Header.Values("Authorization")
	if len(headers) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(headers[0], " ")
	token = strings.TrimSpace(token)
	if !ok || !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > maxToken {
		return "", false
	}
	return member.Secret(token), true
}
