package main

import (
	"strconv"
	"strings"

	"memberradius/radiusd/coa"
	"memberradius/store/ledger"
	"memberradius/web/api"
)

// apiSession is a session of the ledger in the words of the API, which the verbs
// print too.
func apiSession(s *ledger.Session) api.Session {
	accessPoint, _, _ := strings.Cut(s.Called, ":"+s.SSID)
	return api.Session{
		ID: s.ID, AcctSessionID: s.Session.ID, Client: s.Client, NAS: s.NAS, AccessPoint: accessPoint,
		User: s.User, Login: s.Login, Backend: s.Backend, Plan: s.Plan, VLAN: s.VLAN, Site: s.Site, SSID: s.SSID,
		MAC: s.StationMAC, Address: s.Address, Started: s.Started, Updated: s.Updated, Ended: s.Ended,
		Input: s.Input, Output: s.Output, Duration: s.Duration, Cause: s.Cause, Closed: s.Closed,
	}
}

// viewSession is a session as JSON, for the verbs.
func viewSession(s *ledger.Session) any {
	v := apiSession(s)
	return api.Shown(&v)
}

// viewSessionWhole is one with what was tried on it.
func viewSessionWhole(s *ledger.Session, tried []ledger.Attempt) any {
	v, all := apiSession(s), make([]api.Attempt, len(tried))
	for i := range tried {
		all[i] = apiAttempt(&tried[i])
	}
	return api.ShownWhole(&v, all)
}

// apiAttempt is one try to throw somebody off.
func apiAttempt(a *ledger.Attempt) api.Attempt {
	return api.Attempt{
		At: a.At, Kind: a.Kind, Why: a.Why, Target: a.Target, Result: a.Result, ErrorCause: a.ErrorCause,
		Sends: a.Sends, Took: a.Took, Gone: a.Gone,
	}
}

// coaCause names an Error-Cause (RFC 5176 §3.5).
func coaCause(n int) string {
	name := coa.ErrorCause(n).String()
	if name == strconv.Itoa(n) {
		return "a cause of its own"
	}
	return name
}
