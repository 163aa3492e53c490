package api

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// A route is what a method does at a path, and the scope that it takes.
type route struct {
	need scope
	do   func(w http.ResponseWriter, r *http.Request, by *Token) error
}

// table is every route there is, by path and method. The OpenAPI document says
// the same, and a test compares them.
func (a *api) table() map[string]map[string]route {
	return map[string]map[string]route{
		"/api/v1/members": {
			"GET":  {membersRead, a.listMembers},
			"POST": {membersWrite, a.addMember},
		},
		"/api/v1/members/{backend}/{login}": {
			"GET":    {membersRead, a.getMember},
			"PATCH":  {membersWrite, a.changeMember},
			"DELETE": {membersWrite, a.removeMember},
		},
		"/api/v1/members/{backend}/{login}/password": {"POST": {membersWrite, a.renewPassword}},
		"/api/v1/members/{backend}/{login}/link":     {"POST": {membersWrite, a.makeLink}},
		"/api/v1/plans":                              {"GET": {plansRead, a.listPlans}},
		"/api/v1/backends":                           {"GET": {backendsRead, a.listBackends}},
		"/api/v1/backends/{name}/sync":               {"POST": {backendsSync, a.sync}},
		"/api/v1/sync-runs":                          {"GET": {backendsRead, a.listRuns}},
		"/api/v1/sessions":                           {"GET": {sessionsRead, a.listSessions}},
		"/api/v1/sessions/export":                    {"GET": {sessionsRead, a.exportSessions}},
		"/api/v1/sessions/{id}":                      {"GET": {sessionsRead, a.getSession}},
		"/api/v1/sessions/{id}/kick":                 {"POST": {sessionsWrite, a.kick}},
		"/api/v1/usage":                              {"GET": {sessionsRead, a.listUsage}},
		"/api/v1/devices":                            {"GET": {devicesRead, a.listDevices}, "POST": {devicesWrite, a.addDevice}},
		"/api/v1/devices/{mac}":                      {"DELETE": {devicesWrite, a.removeDevice}},
		"/api/v1/blocked-devices":                    {"GET": {devicesRead, a.listBlocks}},
		"/api/v1/blocked-devices/{mac}":              {"PUT": {devicesWrite, a.block}, "DELETE": {devicesWrite, a.unblock}},
		"/api/v1/vouchers":                           {"GET": {vouchersRead, a.listVouchers}, "POST": {vouchersWrite, a.makeVouchers}},
		"/api/v1/vouchers/{id}":                      {"DELETE": {vouchersWrite, a.revokeVoucher}},
		"/api/v1/portal-log":                         {"GET": {portalRead, a.listPortalLog}},
		"/api/v1/portal_login/":                      {"POST": {portalLogin, a.grantLogin}},
		"/api/v1/portal_login/{page_id}/": {
			"GET":    {portalLogin, a.getLogin},
			"PATCH":  {portalLogin, a.renewLogin},
			"DELETE": {portalLogin, a.endLogin},
		},
		"/api/v1/openapi.json": {"GET": {open, sendDocument}},
	}
}

// absent are the first parts of the addresses that c has nothing to answer from.
func (c *Config) absent() []string {
	var all []string
	for _, part := range []struct {
		there   bool
		address string
	}{
		{c.Sessions != nil, "/api/v1/sessions"}, {c.Usages != nil, "/api/v1/usage"}, {c.Devices != nil, "/api/v1/devices"},
		{c.Blocks != nil, "/api/v1/blocked-devices"}, {c.Vouchers != nil, "/api/v1/vouchers"}, {c.PortalLog != nil, "/api/v1/portal-log"},
		{c.PortalLogins != nil, "/api/v1/portal_login"},
	} {
		if !part.there {
			all = append(all, part.address)
		}
	}
	return all
}

// route registers the table.
func (a *api) route() {
	absent := a.absent()
	for path, methods := range a.table() {
		if slices.ContainsFunc(absent, func(first string) bool { return path == first || strings.HasPrefix(path, first+"/") }) {
			continue
		}
		h := a.methods(methods)
		if short, ok := strings.CutSuffix(path, "/"); ok {
			// The service that wrote this address first ends it with a slash. A redirect
			// to the one from the other would lose the body of a POST.
			a.mux.Handle(short, h)
			path += "{$}"
		}
		a.mux.Handle(path, h)
	}
	a.mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		problemOf(http.StatusNotFound, "There is nothing at this address; /api/v1/openapi.json says what there is.").send(w)
	})
}

// methods answers at one path.
func (a *api) methods(by map[string]route) http.Handler {
	allow := slices.Collect(maps.Keys(by))
	if _, ok := by["GET"]; ok {
		allow = append(allow, "HEAD")
	}
	slices.Sort(allow)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		rt, ok := by[method]
		if !ok {
			w.Header().Set("Allow", strings.Join(allow, ", "))
			problemOf(http.StatusMethodNotAllowed, "This address takes "+strings.Join(allow, ", ")+".").send(w)
			return
		}
		a.serve(w, r, rt)
	})
}

func (a *api) serve(w http.ResponseWriter, r *http.Request, rt route) {
	leave, ok := a.gate.Enter(a.Proxies.Address(r))
	if !ok {
		w.Header().Set("Retry-After", "1")
		problemOf(http.StatusServiceUnavailable, "As many requests are in work as may be. Try again.").send(w)
		return
	}
	defer leave()
	var by *Token
	if rt.need != open {
		if by, ok = a.authorize(w, r, rt.need); !ok {
			return
		}
	}
	if err := rt.do(w, r, by); err != nil {
		a.fail(w, err)
	}
}

// fail answers an error, and says a fault of this server to the operator.
func (a *api) fail(w http.ResponseWriter, err error) {
	p := answer(err)
	if p.Status == http.StatusInternalServerError {
		a.Fault(err)
	}
	p.send(w)
}

// told says to the log what by has done.
func (a *api) told(r *http.Request, by *Token, did string, k Key) {
	a.Told(Deed{Token: by.Name, Address: a.Proxies.Address(r).String(), Did: did, Backend: k.Backend, Login: k.Login})
}
