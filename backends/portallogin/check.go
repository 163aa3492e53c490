package portallogin

import (
	"context"
	"fmt"
	"net/http"

	"memberradius/backends"
	"memberradius/backends/outward"
)

// Check implements backends.Checker by a login without fields: it lets nobody
// in, and the API refuses it by 400 where address and token are right.
func (b *Backend) Check(ctx context.Context) []backends.Finding {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	resp, err := b.line.Post(ctx, "", encode(&Login{}))
	if err != nil {
		return []backends.Finding{b.wayFinding(b.failed("", err))}
	}
	defer func() { _ = resp.Body.Close() }()
	switch code := resp.StatusCode; code {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return nil
	case http.StatusUnauthorized, http.StatusForbidden:
		return []backends.Finding{b.tokenFinding(code)}
	case http.StatusTooManyRequests:
		return []backends.Finding{{
			What:   fmt.Sprintf("backend %s: %s wants to be called less often (HTTP 429)", b.name, b.line.Where),
			Remedy: "ask its operator for a higher limit if portal logins are late",
		}}
	case http.StatusCreated:
		return []backends.Finding{{
			Wrong:  true,
			What:   fmt.Sprintf("backend %s: %s takes a login without a device and a name (HTTP 201)", b.name, b.line.Where),
			Remedy: "url must lead to what reads the login; see what answers there",
		}}
	default:
		_, err := b.answer(resp)
		f := backends.Finding{Wrong: true, What: err.Error(), Remedy: "url must be where the API begins, as \"https://gate.example.com/api/v1\"; /portal_login/ is added"}
		if code >= 500 {
			f.Remedy = "see the system's own log"
		}
		return []backends.Finding{f}
	}
}

// wayFinding says what is wrong on the way to the system.
func (b *Backend) wayFinding(err error) backends.Finding {
	return outward.Finding(err, fmt.Sprintf("it takes longer than %s: see whether it runs, or raise timeout", b.timeout))
}
