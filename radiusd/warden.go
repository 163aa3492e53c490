package radiusd

import (
	"encoding/binary"

	"memberradius/member"
	"memberradius/radiusd/presence"
)

// A Warden has the last word on who is proved and allowed: whether there is room
// for one more device, and something left of what the plan gives.
type Warden interface {
	// Admit answers from memory. Strings of a alias the packet: whoever keeps one copies it.
	Admit(a *presence.Admission) member.Reason
}

// limits asks the warden, after the attributes are known. Where a quota is used up
// before the session would end, they are made anew with what is left.
func (x *exchange) limits() member.Reason {
	w := x.server.config.Warden
	if w == nil {
		return member.ReasonNone
	}
	m := &x.answer.Member
	x.admission = presence.Admission{
		Login: x.attempt.Login, Backend: x.backend(), Plan: x.attributes.Plan(), Devices: m.Devices,
		StationMAC: x.attempt.StationMAC, Client: x.attempt.Client, Site: x.attempt.Site, SSID: x.attempt.SSID,
		Now: x.now, Timeout: x.attributes.SessionTimeout(),
	}
	if owner := x.owner(); owner != "" {
		x.admission.Login = owner
	}
	if len(x.nasPort) == 4 {
		x.admission.Port, x.admission.HasPort = binary.BigEndian.Uint32(x.nasPort), true
	}
	// A login by EAP is decided here and accepted in a later request: its Class is not known yet.
	if x.used != methodEAP {
		x.identify()
		x.admission.Decision = x.decision
	}
	if reason := w.Admit(&x.admission); reason != member.ReasonNone || x.admission.Left == 0 {
		return reason
	}
	x.input.Most = x.admission.Left
	return x.tables.Book.Compose(&x.input, &x.attributes)
}

// backend is whose member it is: the member's own where the answer says so, as for
// a device of hers, else who answered.
func (x *exchange) backend() string {
	if of := x.answer.Member.Backend; of != "" {
		return of
	}
	return x.answer.Source
}

// owner is who answers for a login that is not hers: of a device that comes in by
// its address, of a portal's one-time login. Empty: the login is her own.
func (x *exchange) owner() string {
	login := x.answer.Member.Login
	if login == x.attempt.Login || len(login) > member.MaxLogin || len(x.attempt.Login) > member.MaxLogin {
		return ""
	}
	var hers, sent [3 * member.MaxLogin]byte
	if string(member.Fold(hers[:0], login)) == string(member.Fold(sent[:0], x.attempt.Login)) {
		return ""
	}
	return login
}
