package api

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

const portalPath = "/api/v1/portal_login/"

// grant sends a portal login, with a header where one is named.
func grant(h http.Handler, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", portalPath, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer mr_portal_login")
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Authorization" {
			r.Header.Del("Authorization")
		}
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// wrap makes the body that carries a JSON object in a string.
func wrap(data string) string {
	b, _ := json.Marshal(map[string]string{"data": data})
	return string(b)
}

// TestSeedLogin: the sample of the service that this API was first of is
// answered as it is there.
func TestSeedLogin(t *testing.T) {
	t.Parallel()
	want := map[string]any{
		"page_id": 12345.0, "original_url": "https://www.example.com", "ap_mac": "aa:bb:cc:dd:ee:ff", "mac": "11:22:33:44:55:66", "ip": "192.168.1.100",
		"uid": "room_401", "controller_address": "192.168.1.1", "session_timeout": 7200.0, "idle_timeout": 3600.0,
	}
	for _, path := range []string{"/api/v1/portal_login/", "/api/v1/portal_login"} {
		for _, body := range []string{seedBody, seedObject} {
			w := newWorld()
			got := do(w.serve(t), call{"POST", path, body, "mr_portal_login"})
			var echo map[string]any
			if err := json.Unmarshal(got.Body.Bytes(), &echo); err != nil || got.Code != http.StatusCreated || fmt.Sprint(echo) != fmt.Sprint(want) {
				t.Errorf("%s %.20s: %d %s", path, body, got.Code, got.Body)
			}
			if got.Header().Get("Location") != "/api/v1/portal_login/12345/" {
				t.Errorf("Location %q", got.Header().Get("Location"))
			}
			order := w.house.orders[0]
			if order != (PortalLogin{
				UID: "room_401", MAC: "11:22:33:44:55:66", APMAC: "aa:bb:cc:dd:ee:ff", IP: netip.MustParseAddr("192.168.1.100"), Controller: netip.MustParseAddr("192.168.1.1"),
				OriginalURL: "https://www.example.com", Session: 2 * time.Hour, Idle: time.Hour,
			}) {
				t.Errorf("ordered %+v", order)
			}
			if d := w.deeds[0]; d.Did != "portal login granted" || d.Login != "room_401" || d.Token != "mr_portal_login" {
				t.Errorf("the log hears %+v", d)
			}
		}
	}
}

func TestLoginHoldsWhatThePlanAllows(t *testing.T) {
	t.Parallel()
	w := newWorld()
	h := w.serve(t)
	got := grant(h, wrap(`{"uid":"a","ap_mac":"AA-BB-CC-DD-EE-FF","mac":"1122.3344.5566","ip":"::ffff:192.0.2.7","session_timeout":86400,"idle_timeout":null,"original_url":""}`))
	const want = `{"page_id":12345,"uid":"a","ap_mac":"aa:bb:cc:dd:ee:ff","mac":"11:22:33:44:55:66","ip":"192.0.2.7","session_timeout":14400}` + "\n"
	if got.Code != http.StatusCreated || got.Body.String() != want {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	got = do(h, call{"PATCH", "/api/v1/portal_login/12345", `{"session_timeout":60}`, "mr_portal_login"}) // without the last slash
	var state portalState
	if err := json.Unmarshal(got.Body.Bytes(), &state); err != nil || got.Code != 200 || state.SessionTimeout != 60 || !state.Live || !state.Until.Equal(noon.Add(time.Minute)) {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	w.now = noon.Add(time.Minute)
	if got := do(h, call{"GET", "/api/v1/portal_login/12345/", "", "mr_portal_login"}); !strings.Contains(got.Body.String(), `"live":false`) {
		t.Errorf("a minute later: %s", got.Body)
	}
	w.house.logins[maxPageID+1] = w.house.logins[12345]
	for _, page := range []string{"0", "-7", "07", "+7", "7.0", "9007199254740992", "x", "99999999999999999999"} {
		if p := problemIn(t, do(h, call{"GET", portalPath + page + "/", "", "mr_portal_login"})); p.Status != http.StatusNotFound {
			t.Errorf("page %s: %d", page, p.Status)
		}
	}
}

// TestLoginsThatAreWrong: each is 400, and says each field that is.
func TestLoginsThatAreWrong(t *testing.T) {
	t.Parallel()
	const good = `"uid":"a","ap_mac":"aa:bb:cc:dd:ee:ff","mac":"11:22:33:44:55:66","ip":"192.168.1.100"`
	long := strings.Repeat("x", 254)
	tests := []struct {
		body, fields string
	}{
		{`{}`, "data"},
		{`{"data":null}`, "data"},
		{`{"data":7}`, "data"},
		{`{"data":["a"]}`, "data"},
		{`{"data":""}`, "data"},
		{wrap(`[]`), "data"},
		{wrap(`"{}"`), "data"},
		{wrap(`{` + good), "data"},
		{wrap(`{` + good + `,"mac":"11:22:33:44:55:67"}`), "data"},
		{wrap(`{` + good + `}{}`), "data"},
		{wrap(`{}`), "uid ap_mac mac ip"},
		{`{"data":{}}`, "uid ap_mac mac ip"},
		{wrap(`{"uid":null,"ap_mac":"","mac":7,"ip":["192.168.1.100"]}`), "uid ap_mac mac ip"},
		{wrap(`{"uid":"` + long + `","ap_mac":"aa:bb:cc:dd:ee","mac":"00:00:00:00:00:00","ip":"192.168.1.256","original_url":"javascript:alert(1)","controller_address":"gate.example.com","session_timeout":0,"idle_timeout":"3600"}`),
			"uid ap_mac mac ip original_url controller_address session_timeout idle_timeout"},
		{wrap(`{` + good + `,"method":"none"}`), "method"}, // CVE-2021-44032
		{`{"data":{` + good + `,"password":"x","method":"sms"}}`, "method password"},
		{wrap(`{` + good + `,"session_timeout":-1}`), "session_timeout"},
		{wrap(`{` + good + `,"session_timeout":1.5}`), "session_timeout"},
		{wrap(`{` + good + `,"session_timeout":1e3}`), "session_timeout"},
		{wrap(`{` + good + `,"session_timeout":4294967296}`), "session_timeout"},
		{wrap(`{` + good + `,"session_timeout":true}`), "session_timeout"},
		{wrap(`{` + good + `,"original_url":"//evil.example.com/"}`), "original_url"},
		{wrap(`{` + good + `,"original_url":"https://"}`), "original_url"},
		{wrap(`{` + good + `,"original_url":"https://a.example.com/\r\nSet-Cookie: a=b"}`), "original_url"},
		{wrap(`{` + good + `,"original_url":"https://a.example.com/` + strings.Repeat("x", 2048) + `"}`), "original_url"},
		{wrap(`{` + good + `,"controller_address":"fe80::1%eth0"}`), "controller_address"},
		{wrap(`{` + good + `,"controller_address":"0.0.0.0"}`), "controller_address"},
		{wrap(strings.Replace(`{`+good+`}`, `"a"`, `"a\u0000b"`, 1)), "uid"},
		{wrap(strings.Replace(`{`+good+`}`, `"a"`, `"  "`, 1)), "uid"},
	}
	w := newWorld()
	h := w.serve(t)
	for _, tt := range tests {
		got := grant(h, tt.body)
		p := problemIn(t, got)
		var fields []string
		for _, e := range p.Errors {
			fields = append(fields, e.Field)
			if e.Detail == "" || !strings.Contains(p.Detail, e.Field+": "+e.Detail) {
				t.Errorf("%.60s: %q is not explained", tt.body, e.Field)
			}
		}
		if got.Code != http.StatusBadRequest || strings.Join(fields, " ") != tt.fields {
			t.Errorf("%.90s: %d %v, want %s", tt.body, got.Code, fields, tt.fields)
		}
	}
	for _, body := range []string{``, `[]`, `{"data":{` + good + `},"more":1}`, `{"Data":{` + good + `}}`, `{` + good + `}`} {
		if p := problemIn(t, grant(h, body)); p.Status != http.StatusBadRequest {
			t.Errorf("%s: %d", body, p.Status)
		}
	}
	if len(w.house.orders) > 0 {
		t.Errorf("granted %+v", w.house.orders)
	}
}

// TestLoginsThatAreRefused: who is no member sounds like a member who may not.
func TestLoginsThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err    error
		status int
		field  string
	}{
		{ErrMayNot, 422, "uid"}, {fmt.Errorf("disabled since May: %w", ErrMayNot), 422, "uid"}, {ErrTooManyDevices, 422, "uid"},
		{ErrBlocked, 422, "mac"}, {ErrNotEnabled, 422, ""}, {ErrNoAnswer, 503, ""}, {errStore, 500, ""},
	} {
		w := newWorld()
		w.house.refuse = tt.err
		got := grant(w.serve(t), seedBody)
		p := problemIn(t, got)
		if got.Code != tt.status || tt.field != "" && p.Errors[0].Field != tt.field || tt.field == "" && p.Errors != nil {
			t.Errorf("%v: %d %s", tt.err, got.Code, got.Body)
		}
		if strings.Contains(got.Body.String(), "May:") || strings.Contains(got.Body.String(), "disk") || len(w.deeds) != 0 {
			t.Errorf("%v: said %s, log %v", tt.err, got.Body, w.deeds)
		}
		if (got.Header().Get("Retry-After") != "") != (tt.status == 503) {
			t.Errorf("%v: Retry-After %q", tt.err, got.Header().Get("Retry-After"))
		}
		if (len(w.faults) > 0) != (tt.status == 500) {
			t.Errorf("%v: the operator hears %v", tt.err, w.faults)
		}
	}
}

// encode writes a login as a caller does.
func encode(l *PortalLogin, inString bool) string {
	v := portalOf(l)
	b, _ := json.Marshal(&v.portalData)
	if inString {
		return wrap(string(b))
	}
	return `{"data":` + string(b) + `}`
}

func portalSeeds(f *testing.F) {
	f.Helper()
	f.Add([]byte(seedBody))
	f.Add([]byte(seedObject))
	f.Add([]byte(`{"data":"{\"uid\":\"a\",\"ap_mac\":\"AABB.CCDD.EEFF\",\"mac\":\"112233445566\",\"ip\":\"2001:db8::1\",\"session_timeout\":1}"}`))
	f.Add([]byte(`{"data":{"uid":null,"mac":[1],"method":"none"}}`))
	f.Add([]byte(`{"data":"{\"uid\":\"\\ud800\"}"}`))
}

func FuzzPortalLogin_NoPanic(f *testing.F) {
	portalSeeds(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		l, err := decodePortalLogin(body)
		if (l == nil) == (err == nil) {
			t.Fatalf("%q: %v, %v", body, l, err)
		}
		if err == nil {
			return
		}
		if p := answer(err); p.Status != http.StatusBadRequest || p.Detail == "" {
			t.Errorf("%q: %d %q", body, p.Status, p.Detail)
		}
	})
}

func FuzzPortalLogin_RoundTrip(f *testing.F) {
	portalSeeds(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		l, err := decodePortalLogin(body)
		if err != nil {
			return
		}
		for _, inString := range []bool{true, false} {
			again, err := decodePortalLogin([]byte(encode(l, inString)))
			if err != nil || *again != *l {
				t.Errorf("%q is %+v, and as we write it %+v, %v", body, l, again, err)
			}
		}
	})
}

// TestPortalMethods: what the address takes, it takes with and without the slash.
func TestPortalMethods(t *testing.T) {
	t.Parallel()
	h := newWorld().serve(t)
	for path, methods := range map[string]string{"": "POST", "/": "POST", "/7": "DELETE, GET, HEAD, PATCH", "/7/": "DELETE, GET, HEAD, PATCH"} {
		got := do(h, call{"PUT", "/api/v1/portal_login" + path, "", "mr_admin"})
		if got.Code != http.StatusMethodNotAllowed || got.Header().Get("Allow") != methods {
			t.Errorf("%s: %d, Allow %q", path, got.Code, got.Header().Get("Allow"))
		}
	}
	r := httptest.NewRequest("POST", portalPath, io.NopCloser(strings.NewReader(seedBody)))
	r.Header.Set("Authorization", "Bearer mr_portal_login")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("a form: %d", w.Code)
	}
	if !slices.Contains(Scopes(), "portal_login") {
		t.Error("no token can be made for it")
	}
}
