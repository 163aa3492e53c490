package coworks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"memberradius/backends"
	"memberradius/backends/rest"
	"memberradius/member"
)

// settings is where Coworks shows what this backend needs.
const settings = "Settings > Integrations in Coworks"

// Check implements backends.Checker. It asks for a login that nobody has, in
// the space and in one that does not exist: only the difference between the two
// answers tells an unknown space from an unknown member.
func (b *Backend) Check(ctx context.Context) []backends.Finding {
	here, p, err := b.probe(ctx, b.config.SpaceID)
	if err != nil {
		return []backends.Finding{{Wrong: true, What: err.Error(), Remedy: "put it right, then try again"}}
	}
	switch {
	case p.Status == 0:
		return here.Findings(p)
	case backends.ClassOf(p.Err) == backends.TokenRefused:
		return []backends.Finding{b.keyFinding(p.Err)}
	case b.notThere(p.Status):
		return b.spaceFindings(p, b.elsewhere(ctx, p))
	case p.Err == nil && p.Answer.Verdict == member.Deny:
		return b.memberFindings(p, b.elsewhere(ctx, p))
	case backends.ClassOf(p.Err) == backends.BadAnswer:
		return []backends.Finding{{Wrong: true, What: p.Err.Error(),
			Remedy: "what answers there is not Coworks' check of logins: compare host and path of url with the address that Coworks gave for this space"}}
	}
	return here.Findings(p)
}

// probe asks for a login that nobody has in a space. A status that means an
// unknown login is read like any other, since its text may name the space.
func (b *Backend) probe(ctx context.Context, space string) (*rest.REST, *rest.Probe, error) {
	c := b.config
	c.UnknownOn = []int{}
	r, err := c.reach(space, backends.Deps{Name: b.name})
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = r.Close() }()
	return r, r.Probe(ctx), nil
}

// notThere says whether a status means that something is not known: a member
// or the space.
func (b *Backend) notThere(status int) bool {
	if slices.Contains(b.config.DenyOn, status) {
		return false
	}
	return status == 404 || status == 410 || slices.Contains(b.config.UnknownOn, status)
}

// A knowledge is what is known of the space.
type knowledge uint8

const (
	unsure knowledge = iota // the other space could not be asked
	same                    // a space that does not exist gets the same answer
	known                   // it gets another one
)

// elsewhere compares p with the answer for a space that does not exist.
func (b *Backend) elsewhere(ctx context.Context, p *rest.Probe) knowledge {
	_, other, err := b.probe(ctx, strange(b.config.SpaceID))
	switch {
	case err != nil, other.Status == 0, other.Status >= 500, other.Status == 408, other.Status == 429:
		return unsure
	case other.Status == p.Status && other.Answer.Message == p.Answer.Message:
		return same
	}
	return known
}

// strange returns a space id of the same form that hardly anybody has.
func strange(space string) string {
	for _, digit := range "98" {
		other := strings.Map(func(c rune) rune {
			switch {
			case '0' <= c && c <= '9':
				return digit
			case 'a' <= c && c <= 'z':
				return 'f' // which is a letter and a hexadecimal digit
			case 'A' <= c && c <= 'Z':
				return 'F'
			}
			return c
		}, space)
		if other != space {
			return other
		}
	}
	return space + "-none"
}

// spaceFindings judges a 404: p says that the space or the login is not there.
func (b *Backend) spaceFindings(p *rest.Probe, k knowledge) []backends.Finding {
	if k == known {
		return nil
	}
	meant := slices.Contains(b.config.UnknownOn, p.Status) // the operator says that it is the login
	f := backends.Finding{
		Wrong: !meant && k == same,
		What:  fmt.Sprintf("backend %s: the API key is taken, but HTTP %d comes for space %q, as for a space that does not exist", b.name, p.Status, b.config.SpaceID),
		Remedy: fmt.Sprintf("compare space_id, and the path of url, with %s; if both are right and it says %d for members whom it does not know, write unknown_on = [%d]",
			settings, p.Status, p.Status),
	}
	if k == unsure {
		f.What = fmt.Sprintf("backend %s: HTTP %d comes for space %q, and a second question got no answer, so that the space can't be told from a login that is unknown", b.name, p.Status, b.config.SpaceID)
	}
	if meant {
		f.Remedy = "compare space_id with " + settings + ", and try an active member: memberradius test LOGIN"
	}
	return []backends.Finding{f}
}

// memberFindings judges a refusal: address and API key are right, unless
// deny_on hides that they are not.
func (b *Backend) memberFindings(p *rest.Probe, k knowledge) []backends.Finding {
	if k == known {
		return nil
	}
	what := fmt.Sprintf("address and API key are right; whether space %q is can't be told without a member", b.config.SpaceID)
	if slices.Contains(b.config.DenyOn, p.Status) {
		what = fmt.Sprintf("HTTP %d comes, which deny_on takes for the refusal of a member; whether API key and space %q are right can't be told without one", p.Status, b.config.SpaceID)
	}
	return []backends.Finding{{
		What: "backend " + b.name + ": " + what,
		Remedy: "try an active member with: memberradius test LOGIN. If she is refused, compare space_id with " + settings +
			", and see there whether her membership is active",
	}}
}

// keyFinding says that the API key is refused.
func (b *Backend) keyFinding(err error) backends.Finding {
	var e *backends.Error
	if errors.As(err, &e) {
		err = e.Err
	}
	return backends.Finding{
		Wrong: true,
		What:  fmt.Sprintf("backend %s: Coworks refuses the API key: %v; nobody new can come in by it", b.name, err),
		Remedy: "the key is wrong, was replaced, or may not check logins: make a new one below " + settings + " and put it into token" +
			"; if Coworks answers so to a wrong password, write deny_on with that status",
	}
}

// mschapFinding says that a device uses a method that Coworks can't check.
func (b *Backend) mschapFinding() backends.Finding {
	return backends.Finding{
		What: fmt.Sprintf("backend %s: a device came by MS-CHAP (PEAP), which Coworks can't check: it needs the password in clear", b.name),
		Remedy: "set up devices for TTLS with PAP inside; for PEAP, keep the members' Wi-Fi passwords here (local, nexudus, webhook), " +
			"before this backend in ask, and let this one be a gate",
	}
}
