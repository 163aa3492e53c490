package api

// A turn is a request, what the world is like before, and the status that
// answers it.
type turn struct {
	call
	status int
	before func(*world)
}

// ends has the next run end with an outcome.
func ends(o Outcome) func(*world) {
	return func(w *world) { w.outcome <- &o }
}

// conversation is every request that there is, and every way to be answered
// that is the operation's own.
func conversation() []turn {
	const whole = `{"backend":"members","login":"dora@example.com","name":"Dora","email":"d@example.com","plans":["hot-desk"],"team":"Acme","vlan":"77",` +
		`"valid_from":"2026-11-01T00:00:00Z","valid_until":"2027-01-01T00:00:00+01:00","devices":2,"disabled":false,"password":"correct horse"}`
	const change = `{"name":"B","email":"b@example.com","plans":[],"team":null,"vlan":null,"valid_from":null,"valid_until":"2027-01-01T00:00:00Z","devices":0,"disabled":true}`
	const bob, anna, live = "/api/v1/members/members/bob@example.com", "/api/v1/members/nexudus/anna@example.com", "/api/v1/members/nexudus/live@example.com"
	const nobody = "/api/v1/members/members/nobody"
	run := newWorld().runs[0]
	good, held, failed := run, run, run
	good.Held, good.Error, held.Error, failed.Held = false, "", "", false
	changes := []Change{{Kind: "changes", Login: "a", Name: "A", What: "VLAN 20 -> 30", Text: "a changes: VLAN 20 -> 30"}, {Kind: "goes", Login: "b", Text: "b goes"}}
	sync := func(body string) call { return call{"POST", "/api/v1/backends/nexudus/sync", body, "mr_backends:sync"} }
	return append([]turn{
		{call{"GET", "/api/v1/members", "", "mr_members:read"}, 200, nil},
		{call{"GET", "/api/v1/members?limit=2&backend=members&q=EXAMPLE&state=active", "", "mr_members:read"}, 200, nil},
		{call{"GET", "/api/v1/members?limit=1", "", "mr_members:read"}, 200, nil},
		{call{"GET", "/api/v1/members?backend=nothing", "", "mr_members:read"}, 404, nil},
		{call{"GET", "/api/v1/members?state=happy", "", "mr_members:read"}, 422, nil},
		{call{"GET", "/api/v1/members", "", "mr_plans:read"}, 403, nil},
		{call{"GET", "/api/v1/members", "", ""}, 401, nil},
		{call{"GET", "/api/v1/members", "", "mr_members:read"}, 500, func(w *world) { w.fault = errStore }},
		{call{"POST", "/api/v1/members", whole, "mr_members:write"}, 201, nil},
		{call{"POST", "/api/v1/members", `{"login":"eve@example.com"}`, "mr_members:write"}, 201, nil},
		{call{"POST", "/api/v1/members", `{"login":"x","backend":"none"}`, "mr_members:write"}, 404, nil},
		{call{"POST", "/api/v1/members", `{"login":"BOB@example.com"}`, "mr_members:write"}, 409, nil},
		{call{"POST", "/api/v1/members", `{"login":""}`, "mr_members:write"}, 422, nil},
		{call{"POST", "/api/v1/members", `{"login":"x","typo":1}`, "mr_members:write"}, 400, nil},
		{call{"GET", anna, "", "mr_members:read"}, 200, nil},
		{call{"GET", nobody, "", "mr_members:read"}, 404, nil},
		{call{"PATCH", bob, change, "mr_members:write"}, 200, nil},
		{call{"PATCH", nobody, change, "mr_members:write"}, 404, nil},
		{call{"PATCH", anna, change, "mr_members:write"}, 409, nil},
		{call{"PATCH", bob, `{"vlan":"4095"}`, "mr_members:write"}, 422, nil},
		{call{"DELETE", bob, "", "mr_members:write"}, 204, nil},
		{call{"DELETE", nobody, "", "mr_members:write"}, 404, nil},
		{call{"DELETE", anna, "", "mr_members:write"}, 409, nil},
		{call{"POST", bob + "/password", "", "mr_members:write"}, 200, nil},
		{call{"POST", nobody + "/password", "", "mr_members:write"}, 404, nil},
		{call{"POST", live + "/password", "", "mr_members:write"}, 409, nil},
		{call{"POST", bob + "/link", "", "mr_members:write"}, 201, nil},
		{call{"POST", nobody + "/link", "", "mr_members:write"}, 404, nil},
		{call{"POST", live + "/link", "", "mr_members:write"}, 409, nil},
		{call{"GET", "/api/v1/plans", "", "mr_plans:read"}, 200, nil},
		{call{"GET", "/api/v1/plans?x=1", "", "mr_plans:read"}, 422, nil},
		{call{"GET", "/api/v1/backends", "", "mr_backends:read"}, 200, nil},
		{call{"GET", "/api/v1/backends?x=1", "", "mr_backends:read"}, 422, nil},
		{sync(`{"dry_run":true,"accept":true}`), 200, ends(Outcome{Run: held, Changes: changes, Remedy: "Look at it."})},
		{sync(""), 200, ends(Outcome{Run: good})},
		{sync(""), 202, nil},
		{sync(""), 409, ends(Outcome{Run: held, Remedy: "Look at it."})},
		{sync(""), 502, ends(Outcome{Run: failed})},
		{call{"POST", "/api/v1/backends/members/sync", "", "mr_backends:sync"}, 409, nil},
		{call{"POST", "/api/v1/backends/none/sync", "", "mr_backends:sync"}, 404, nil},
		{call{"GET", "/api/v1/sync-runs?backend=nexudus&limit=9", "", "mr_backends:read"}, 200, nil},
		{call{"GET", "/api/v1/sync-runs?backend=none", "", "mr_backends:read"}, 404, nil},
		{call{"GET", "/api/v1/sync-runs?limit=0", "", "mr_backends:read"}, 422, nil},
		{call{"GET", "/api/v1/openapi.json", "", ""}, 200, nil},
	}, append(sessionTurns(), portalTurns()...)...)
}
