package nexudus

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"memberradius/backends"
	"memberradius/backends/outward"
)

const (
	// clocksApart is how far the two clocks may differ before the operator hears of it.
	clocksApart = time.Minute
	// probeLogin is a login that no member has: .invalid exists nowhere (RFC 2606 §2).
	probeLogin = "memberradius-check@probe.invalid"
)

// Check implements backends.Checker: it signs in, asks each list that it needs
// for one record, and says what is missing, by the name of the role.
func (s *Synced) Check(ctx context.Context) []backends.Finding {
	var found []backends.Finding
	if _, err := s.count(ctx, contracts()); err != nil {
		var role *roleError
		if !errors.As(err, &role) {
			return []backends.Finding{s.wayFinding(ctx, err)}
		}
	}
	found = append(found, s.roleFindings(ctx)...)
	found = append(found, s.fieldFindings(ctx)...)
	found = append(found, s.clockFinding()...)
	found = append(found, s.hookFindings(ctx)...)
	return append(found, s.spaceFinding(ctx)...)
}

// wayFinding says why nothing can be asked.
func (s *Synced) wayFinding(ctx context.Context, err error) backends.Finding {
	f := backends.Finding{Wrong: true, What: err.Error(), Remedy: "see whether Nexudus is up and whether a firewall stands between"}
	var (
		dns     *net.DNSError
		cert    *tls.CertificateVerificationError
		foreign x509.UnknownAuthorityError
	)
	switch class := backends.ClassOf(err); {
	case errors.Is(err, errGrant):
		f.Remedy = "correct username and password: the email of a user of Nexudus and the password that they sign in with there; a user with two-factor sign-in can't be used"
	case errors.Is(err, errSignedOut):
		return s.accessFinding(ctx, err)
	case errors.Is(err, errBlocked):
		f.Remedy = "ask Nexudus to let this host's address through, or see whether a proxy on the way changes requests"
	case errors.As(err, &dns):
		f.Remedy = "the host's name can't be resolved: see its spelling in url, and this host's DNS"
	case errors.As(err, &foreign):
		f.Remedy = "its certificate is signed by a CA that this host does not trust: see whether something on the way opens TLS"
	case errors.As(err, &cert):
		f.Remedy = "its certificate is not valid for this host name or at this time: see url and this host's clock"
	case errors.Is(err, outward.ErrAddress):
		f.Remedy = "see where the name leads; an address on site needs private = true"
	case class == backends.Throttled:
		f.Wrong, f.Remedy = false, "another program asks as the same user: give each a user of its own, or lower requests_per_minute"
	case class == backends.Timeout:
		f.Remedy = fmt.Sprintf("it takes longer than %s: raise timeout", s.admin.timeout)
	case class == backends.BadAnswer:
		f.Remedy = `url must be the API's address, https://spaces.nexudus.com, and not that of the space`
	}
	return f
}

// accessFinding tells a wrong password from a user who may not use the API: the
// token endpoint takes the password of both.
func (s *Synced) accessFinding(ctx context.Context, err error) backends.Finding {
	f := backends.Finding{Wrong: true, What: err.Error(), Remedy: "switch on API access for the user " + s.config.Username + " at Nexudus"}
	if s.config.Auth != "basic" {
		f.What = "Nexudus signs the user in and refuses the API: API access is off"
		return f
	}
	form := url.Values{"grant_type": {"password"}, "username": {s.config.Username}, "password": {string(s.config.Password)}}
	if s.admin.pace.wait(ctx, false) != nil {
		return f
	}
	switch _, err := askToken(ctx, s.admin, form, clientID); {
	case err == nil:
		f.What = "Nexudus takes username and password and refuses the API: API access is off"
	case errors.Is(err, errGrant):
		f.What, f.Remedy = "Nexudus refuses username and password", "correct them: the email of a user of Nexudus and the password that they sign in with there"
	}
	return f
}

// roleFindings asks each list for one record.
func (s *Synced) roleFindings(ctx context.Context) []backends.Finding {
	hooked := s.config.WebhookSecret != ""
	var found []backends.Finding
	for _, need := range []struct {
		entity entity
		needed bool
		what   string
	}{
		{coworkers(), true, "nobody can be read"},
		{contracts(), true, "nobody can be read: active contracts say who is a member"},
		{teams(), true, "nobody can be read: teams say which VLAN"},
		{checkins(), s.config.CheckinRequired, "checkin_required lets nobody in"},
		{tariffs(), false, "plans that match none here can't be named before somebody holds them"},
		{desks(), false, "desks and offices bring no VLAN"},
		{webhooks(), false, "hooks can neither be listed nor, with WebHook-Read, WebHook-Create and WebHook-Edit, be set up"},
	} {
		if need.entity == webhooks() && !hooked {
			continue
		}
		_, err := s.count(ctx, need.entity)
		var role *roleError
		switch {
		case errors.As(err, &role):
			found = append(found, backends.Finding{
				Wrong:  need.needed,
				What:   fmt.Sprintf("the user %s lacks the role %s at Nexudus: %s", s.config.Username, role.role, need.what),
				Remedy: "give the user that role at Nexudus, or make them a full administrator",
			})
		case err != nil:
			found = append(found, backends.Finding{Wrong: need.needed, What: err.Error(), Remedy: "see whether Nexudus is up, then try again"})
		}
	}
	return found
}

// fieldFindings says whether the custom fields that the configuration names are there.
func (s *Synced) fieldFindings(ctx context.Context) []backends.Finding {
	var rows struct{ Records []map[string]json.RawMessage }
	query := url.Values{"page": {"1"}, "size": {"25"}}
	err := s.admin.do(ctx, &call{method: http.MethodGet, path: coworkers().path, query: query, role: coworkers().role("List")}, func(body io.Reader) error {
		return decodeBody(body, &rows)
	})
	if err != nil || len(rows.Records) == 0 {
		return nil // roleFindings has said it, or there is nobody
	}
	var found []backends.Finding
	for _, named := range []struct {
		key   string
		field field
	}{{"login", s.login}, {"secret", s.secret}, {"write_back", s.writeBack}} {
		if named.field < fieldPincode {
			continue
		}
		there, filled := 0, 0
		for _, row := range rows.Records {
			if value, ok := row[named.field.name()]; ok {
				there++
				if text := strings.Trim(string(value), `" `); text != "" && text != "null" {
					filled++
				}
			}
		}
		switch {
		case there == 0:
			found = append(found, backends.Finding{
				Wrong: true, What: fmt.Sprintf("%s: customers at Nexudus have no field %s", named.key, named.field.name()),
				Remedy: "see Settings, Custom fields at Nexudus for the field's number",
			})
		case filled == 0 && named.key != "write_back":
			found = append(found, backends.Finding{
				What:   fmt.Sprintf("%s: %s is empty for all of the first %d customers", named.key, named.field.name(), len(rows.Records)),
				Remedy: "see whether it is the right field; who has nothing there can't log in",
			})
		}
	}
	return found
}

// clockFinding compares the clocks.
func (s *Synced) clockFinding() []backends.Finding {
	skew := time.Duration(s.admin.skew.Load()).Round(time.Second)
	if skew.Abs() <= clocksApart {
		return nil
	}
	return []backends.Finding{{
		Wrong:  skew.Abs() > overlap,
		What:   fmt.Sprintf("this host's clock and Nexudus' are %s apart: memberships would begin and end at the wrong time", skew.Abs()),
		Remedy: "set this host's clock by NTP",
	}}
}

// hookFindings says which hooks lead here and do not work.
func (s *Synced) hookFindings(ctx context.Context) []backends.Finding {
	if s.config.WebhookSecret == "" {
		return nil
	}
	rows, err := s.hookRows(ctx)
	if err != nil {
		return nil // roleFindings has said it
	}
	var found []backends.Finding
	install := fmt.Sprintf("memberradius backend hooks %s --install", s.name)
	ours := 0
	for _, row := range rows {
		if !strings.HasSuffix(strings.TrimSuffix(string(row.URL), "/"), "/webhooks/"+s.name) {
			continue
		}
		ours++
		h := row.hook("")
		switch {
		case !h.Active:
			found = append(found, backends.Finding{
				What:   fmt.Sprintf("Nexudus has disabled its webhook %.60q (%s); the last error was: %s", oneLine(string(row.Name)), row.Action, h.LastError),
				Remedy: "see whether public_url can be reached from outside, then: " + install,
			})
		case h.Errors > 0:
			found = append(found, backends.Finding{
				What:   fmt.Sprintf("Nexudus' webhook %.60q (%s) failed %d times in a row; the last error was: %s", oneLine(string(row.Name)), row.Action, h.Errors, h.LastError),
				Remedy: "see whether public_url can be reached from outside and whether webhook_secret is the one at Nexudus; after ten failures Nexudus disables it",
			})
		}
	}
	if ours == 0 {
		found = append(found, backends.Finding{
			What: "webhook_secret is set, and no webhook at Nexudus leads to /webhooks/" + s.name, Remedy: install,
		})
	}
	return found
}

// spaceFinding says whether members can sign in where space says: a login that
// nobody has must be refused there.
func (s *Synced) spaceFinding(ctx context.Context) []backends.Finding {
	if s.members == nil {
		return nil
	}
	d := &door{client: &client{
		name: s.name, base: s.members, where: s.members.Scheme + "://" + s.members.Host, now: s.now, login: nobody{},
		timeout: s.admin.timeout, transport: newTransport(s.members, s.config.Private, s.admin.timeout),
	}}
	defer d.transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	form := url.Values{"grant_type": {"password"}, "username": {probeLogin}, "password": {"memberradius"}}
	_, err := askToken(ctx, d.client, form, clientID)
	f := backends.Finding{Wrong: s.live != nil, What: fmt.Sprintf("members can't sign in at %s, where space (or member_url) leads", d.where)}
	switch {
	case errors.Is(err, errGrant):
		return nil
	case err == nil:
		f.What, f.Remedy = fmt.Sprintf("%s lets in a login that nobody has", d.where), "it is not Nexudus: correct space or member_url"
	case backends.ClassOf(err) == backends.Throttled:
		return nil
	default:
		f.What += ": " + err.Error()
		f.Remedy = "space is what stands before .spaces.nexudus.com in the address of the members' portal; an address of its own goes into member_url"
	}
	return []backends.Finding{f}
}
