package radiustest

import (
	"slices"
	"strings"
)

// listen takes what the server says of sessions, until the port is closed. What a
// NAS can't trust it drops without a word.
func (u *UAM) listen() {
	room := make([]byte, maxPacket)
	for {
		n, from, err := u.Dynamic.ReadFromUDPAddrPort(room)
		if err != nil {
			return
		}
		r, err := ReadDynamic(room[:n], u.Secret, u.auth.now())
		if err != nil {
			u.fault(err)
			continue
		}
		reply, err := u.dynamic(r)
		if err == nil {
			_, err = u.Dynamic.WriteToUDPAddrPort(reply, from)
		}
		u.fault(err)
	}
}

// dynamic does what a request says, and returns what is answered: these gateways
// end sessions and change none.
func (u *UAM) dynamic(r *DynamicRequest) ([]byte, error) {
	if r.Code == CoARequest {
		return r.Reply(CoANAK, causeUnsupportedExtension, u.Secret)
	}
	if nas := r.Get("NAS-Identifier"); len(nas) > 0 && nas[0] != u.AccessPoint.Identifier {
		return r.Reply(DisconnectNAK, causeNASMismatch, u.Secret)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	found := false
	for _, d := range u.guests {
		u.expire(d)
		if d.Open && r.names(d) {
			u.shut(d, "Admin-Reset")
			found = true
		}
	}
	if !found {
		return r.Reply(DisconnectNAK, causeNoSession, u.Secret)
	}
	return r.Reply(DisconnectACK, 0, u.Secret)
}

// names says whether a request means a device's session: all that it says of one
// must be right, and it must say something that no other session has (RFC 5176 §3).
func (r *DynamicRequest) names(d *guest) bool {
	one := false
	for _, part := range []struct {
		name  string
		value string
		own   bool
	}{
		{"User-Name", d.User, false}, {"Acct-Session-Id", d.Session, true},
		{"Calling-Station-Id", stationID(d.Station), true}, {"Framed-IP-Address", d.Address.String(), true},
	} {
		said := r.Get(part.name)
		if part.name == "Calling-Station-Id" {
			for i := range said {
				said[i] = strings.ToUpper(strings.ReplaceAll(said[i], ":", "-"))
			}
		}
		if len(said) > 0 && !slices.Contains(said, part.value) {
			return false
		}
		one = one || len(said) > 0 && part.own
	}
	return one
}
