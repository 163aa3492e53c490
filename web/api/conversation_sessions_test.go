package api

import "time"

// sessionTurns are those about sessions, devices and vouchers.
func sessionTurns() []turn {
	const read, write = "mr_sessions:read", "mr_sessions:write"
	const open, over, nobody = "/api/v1/sessions/" + session3, "/api/v1/sessions/" + session2, "/api/v1/sessions/none"
	const every = "login=ANNA@example.com&mac=0200.0000.0001&client=lobby&site=berlin&plan=hot-desk&online=false&from=2026-11-22T08:00:00Z&until=2026-11-22T14:00:00%2B01:00"
	const printer = `{"mac":"02-00-00-00-00-09","backend":"members","login":"bob@example.com","name":"TV","site":"berlin"}`
	const vouchers = `{"count":2,"name":"meetup","plan":"guest","site":"berlin","valid_seconds":7200,"devices":3,"expires":"2026-12-24T18:00:00+01:00"}`
	unbowed := func(w *world) {
		w.house.kicked = &Attempt{At: noon, Kind: "disconnect", Why: "kick", Target: "192.0.2.10:3799", Result: "timeout", Sends: 5}
	}
	return []turn{
		{call{"GET", "/api/v1/sessions", "", read}, 200, nil},
		{call{"GET", "/api/v1/sessions?limit=1", "", read}, 200, nil},
		{call{"GET", "/api/v1/sessions?" + every, "", read}, 200, nil},
		{call{"GET", "/api/v1/sessions?online=yes", "", read}, 422, nil},
		{call{"GET", "/api/v1/sessions", "", "mr_members:read"}, 403, nil},
		{call{"GET", "/api/v1/sessions", "", read}, 500, func(w *world) { w.house.fault = errStore }},
		{call{"GET", "/api/v1/sessions/export", "", read}, 200, nil},
		{call{"GET", "/api/v1/sessions/export?format=json&" + every, "", read}, 200, nil},
		{call{"GET", "/api/v1/sessions/export?format=xml", "", read}, 422, nil},
		{call{"GET", "/api/v1/sessions/export", "", read}, 500, func(w *world) { w.house.fault = errStore }},
		{call{"GET", over, "", read}, 200, nil},
		{call{"GET", "/api/v1/sessions/80A1", "", read}, 200, nil},
		{call{"GET", "/api/v1/sessions/several", "", read}, 409, nil},
		{call{"GET", nobody, "", read}, 404, nil},
		{call{"POST", open + "/kick", "", write}, 200, nil},
		{call{"POST", open + "/kick", "", write}, 202, func(w *world) { w.house.kicked = nil }},
		{call{"POST", open + "/kick", "", write}, 502, unbowed},
		{call{"POST", open + "/kick", `{"now":true}`, write}, 400, nil},
		{call{"POST", open + "/kick", "", read}, 403, nil},
		{call{"POST", over + "/kick", "", write}, 409, nil},
		{call{"POST", nobody + "/kick", "", write}, 404, nil},
		{call{"GET", "/api/v1/usage?login=anna@example.com&plan=hot-desk&from=2026-11-01&until=2026-11-30", "", read}, 200, nil},
		{call{"GET", "/api/v1/usage?limit=1", "", read}, 200, nil},
		{call{"GET", "/api/v1/usage?from=yesterday", "", read}, 422, nil},

		{call{"GET", "/api/v1/devices?limit=1", "", "mr_devices:read"}, 200, nil},
		{call{"GET", "/api/v1/devices?mac=020000000007&backend=nexudus&site=berlin&login=anna@example.com", "", "mr_devices:read"}, 200, nil},
		{call{"GET", "/api/v1/devices?mac=printer", "", "mr_devices:read"}, 422, nil},
		{call{"POST", "/api/v1/devices", printer, "mr_devices:write"}, 201, nil},
		{call{"POST", "/api/v1/devices", `{"mac":"02:00:00:00:00:07","backend":"members","login":"bob@example.com"}`, "mr_devices:write"}, 409, nil},
		{call{"POST", "/api/v1/devices", `{"mac":"02:00:00:00:00:66","backend":"members","login":"bob@example.com"}`, "mr_devices:write"}, 409, nil},
		{call{"POST", "/api/v1/devices", `{"mac":"02:00:00:00:00:09","backend":"members","login":"nobody"}`, "mr_devices:write"}, 404, nil},
		{call{"POST", "/api/v1/devices", `{"mac":"02:00:00:00:00:09","backend":"members"}`, "mr_devices:write"}, 422, nil},
		{call{"DELETE", "/api/v1/devices/02-00-00-00-00-07", "", "mr_devices:write"}, 204, nil},
		{call{"DELETE", "/api/v1/devices/02:00:00:00:00:09", "", "mr_devices:write"}, 404, nil},
		{call{"GET", "/api/v1/blocked-devices?limit=1", "", "mr_devices:read"}, 200, nil},
		{call{"GET", "/api/v1/blocked-devices?cursor=x", "", "mr_devices:read"}, 422, nil},
		{call{"PUT", "/api/v1/blocked-devices/020000000099", `{"why":"spam"}`, "mr_devices:write"}, 204, nil},
		{call{"PUT", "/api/v1/blocked-devices/020000000099", `{"why":"\u0007"}`, "mr_devices:write"}, 422, nil},
		{call{"PUT", "/api/v1/blocked-devices/0200000000", `{}`, "mr_devices:write"}, 404, nil},
		{call{"DELETE", "/api/v1/blocked-devices/02:00:00:00:00:66", "", "mr_devices:write"}, 204, nil},
		{call{"DELETE", "/api/v1/blocked-devices/02:00:00:00:00:99", "", "mr_devices:write"}, 404, nil},

		{call{"GET", "/api/v1/vouchers", "", "mr_vouchers:read"}, 200, nil},
		{call{"GET", "/api/v1/vouchers?limit=1&name=conference&site=berlin&live=false", "", "mr_vouchers:read"}, 200, nil},
		{call{"GET", "/api/v1/vouchers?limit=1", "", "mr_vouchers:read"}, 200, nil},
		{call{"GET", "/api/v1/vouchers?limit=1001", "", "mr_vouchers:read"}, 422, nil},
		{call{"POST", "/api/v1/vouchers", vouchers, "mr_vouchers:write"}, 201, nil},
		{call{"POST", "/api/v1/vouchers", `{"count":1,"name":"x","plan":"none","valid_seconds":60}`, "mr_vouchers:write"}, 422, nil},
		{call{"POST", "/api/v1/vouchers", `{"count":"1"}`, "mr_vouchers:write"}, 400, nil},
		{call{"POST", "/api/v1/vouchers", vouchers, "mr_vouchers:read"}, 403, nil},
		{call{"DELETE", "/api/v1/vouchers/v-1", "", "mr_vouchers:write"}, 204, nil},
		{call{"DELETE", "/api/v1/vouchers/conference", "", "mr_vouchers:write"}, 204, nil},
		{call{"DELETE", "/api/v1/vouchers/KEPT-BY-MISTAKE", "", "mr_vouchers:write"}, 404, nil},
	}
}

// portalTurns are those about portals.
func portalTurns() []turn {
	const token, login = "mr_portal_login", "/api/v1/portal_login/"
	refused := func(err error) func(*world) { return func(w *world) { w.house.refuse = err } }
	again := func(w *world) { w.now = w.now.Add(time.Second) }
	return []turn{
		{call{"GET", "/api/v1/portal-log", "", "mr_portal:read"}, 200, nil},
		{call{"GET", "/api/v1/portal-log?limit=1&site=berlin&login=anna@example.com&mac=020000000001&method=password&outcome=deny&from=2026-11-01T00:00:00Z&until=2026-12-01T00:00:00Z", "", "mr_portal:read"}, 200, nil},
		{call{"GET", "/api/v1/portal-log?limit=1", "", "mr_portal:read"}, 200, nil},
		{call{"GET", "/api/v1/portal-log?from=May", "", "mr_portal:read"}, 422, nil},

		{call{"POST", login, seedBody, token}, 201, nil},
		{call{"POST", login, seedObject, token}, 201, nil},
		{call{"POST", login, `{"data":"{}"}`, token}, 400, nil},
		{call{"POST", login, seedBody, ""}, 401, nil},
		{call{"POST", login, seedBody, "mr_portal:read"}, 403, nil},
		{call{"POST", login, seedBody, token}, 422, refused(ErrMayNot)},
		{call{"POST", login, seedBody, token}, 422, refused(ErrBlocked)},
		{call{"POST", login, seedBody, token}, 422, refused(ErrTooManyDevices)},
		{call{"POST", login, seedBody, token}, 422, refused(ErrNotEnabled)},
		{call{"POST", login, seedBody, token}, 503, refused(ErrNoAnswer)},
		{call{"POST", login, seedBody, token}, 500, refused(errStore)},
		{call{"GET", login + "7/", "", token}, 200, again},
		{call{"GET", login + "8/", "", token}, 200, nil},
		{call{"GET", login + "9/", "", token}, 404, nil},
		{call{"PATCH", login + "7/", `{"session_timeout":600}`, token}, 200, nil},
		{call{"PATCH", login + "7/", `{}`, token}, 200, nil},
		{call{"PATCH", login + "7/", `{"session_timeout":0}`, token}, 400, nil},
		{call{"PATCH", login + "7/", `{}`, token}, 422, refused(ErrMayNot)},
		{call{"PATCH", login + "7/", `{}`, token}, 503, refused(ErrNoAnswer)},
		{call{"PATCH", login + "8/", `{}`, token}, 409, nil},
		{call{"PATCH", login + "9/", `{}`, token}, 404, nil},
		{call{"DELETE", login + "7/", "", token}, 204, nil},
		{call{"DELETE", login + "8/", "", token}, 204, nil},
		{call{"DELETE", login + "9/", "", token}, 404, nil},
	}
}

// The sample of the service that this API was first of: data as a string, and
// the same as an object.
const (
	seedBody = `{
  "data": "{\"uid\":\"room_401\",\"ap_mac\":\"aa:bb:cc:dd:ee:ff\",\"mac\":\"11:22:33:44:55:66\",\"ip\":\"192.168.1.100\",\"original_url\":\"https://www.example.com\",` +
		`\"controller_address\":\"192.168.1.1\",\"session_timeout\":7200,\"idle_timeout\":3600}"
}`
	seedObject = `{"data":{"uid":"room_401","ap_mac":"aa:bb:cc:dd:ee:ff","mac":"11:22:33:44:55:66","ip":"192.168.1.100","original_url":"https://www.example.com",` +
		`"controller_address":"192.168.1.1","session_timeout":7200,"idle_timeout":3600}}`
)
