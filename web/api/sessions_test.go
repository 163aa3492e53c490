package api

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// sessionsIn reads a page of sessions.
func sessionsIn(t *testing.T, h http.Handler, query string) sessionList {
	t.Helper()
	got := do(h, call{"GET", "/api/v1/sessions?" + query, "", "mr_sessions:read"})
	var l sessionList
	if err := json.Unmarshal(got.Body.Bytes(), &l); err != nil || got.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", query, got.Code, got.Body)
	}
	return l
}

func TestSessionFilters(t *testing.T) {
	t.Parallel()
	w := newWorld()
	h := w.serve(t)
	for query, want := range map[string]string{
		"": "3 2 1", "login=BOB@example.com": "3", "mac=02-00-00-00-00-01": "2", "client=roof": "1", "site=berlin": "2", "plan=hot-desk": "2",
		"online=true": "3", "online=false": "2 1", "until=2026-11-22T09:00:00Z": "1", "from=2026-11-22T09:00:00Z": "3 2",
	} {
		var ids []string
		for _, s := range sessionsIn(t, h, query).Sessions {
			ids = append(ids, s.ID[len(s.ID)-1:])
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for query, field := range map[string]string{
		"onlin=true": "onlin", "online=1": "online", "from=today": "from", "until=2026-11-22": "until", "mac=020000.000001": "mac", "limit=0": "limit", "cursor=YQBi": "cursor", "cursor=YQ": "cursor", "login=a&login=b": "login",
	} {
		p := problemIn(t, do(h, call{"GET", "/api/v1/sessions?" + query, "", "mr_sessions:read"}))
		if p.Status != http.StatusUnprocessableEntity || len(p.Errors) != 1 || p.Errors[0].Field != field {
			t.Errorf("%s: %+v", query, p)
		}
	}
	s := sessionsIn(t, h, "mac=0200.0000.0001").Sessions[0]
	if s.Session != "5E0C" || s.Output != 1<<40 || s.Duration != 7200 || s.Online || s.Address != "192.0.2.77" {
		t.Errorf("%+v", s)
	}
}

// many fills a house with sessions and returns their number.
func many(n *house, count int) {
	n.sessions = nil
	for i := range count {
		n.sessions = append(n.sessions, Session{ID: fmt.Sprintf("01990000-0000-7000-8000-%012d", count-i), AcctSessionID: "s", Client: "lobby", NAS: "ap", User: "u", Login: "u", Started: noon, Updated: noon})
	}
}

func TestSessionPages(t *testing.T) {
	t.Parallel()
	w := newWorld()
	many(w.house, 25)
	h := w.serve(t)
	for _, limit := range []int{1, 7, 24, 25, 26} {
		seen := map[string]bool{}
		for cursor := ""; ; {
			l := sessionsIn(t, h, fmt.Sprintf("limit=%d&cursor=%s", limit, cursor))
			for _, s := range l.Sessions {
				seen[s.ID] = true
			}
			if cursor = l.NextCursor; cursor == "" {
				break
			}
			if len(l.Sessions) != limit {
				t.Fatalf("a page of %d, with more behind it, of limit %d", len(l.Sessions), limit)
			}
		}
		if len(seen) != 25 {
			t.Errorf("limit %d: %d sessions", limit, len(seen))
		}
	}
}

// TestCursorsLeadOn in every list, to everything that is in it and no further.
func TestCursorsLeadOn(t *testing.T) {
	t.Parallel()
	h := newWorld().serve(t)
	for path, field := range map[string]string{
		"usage": "usage", "devices": "devices", "blocked-devices": "blocked", "vouchers": "vouchers", "portal-log": "entries",
	} {
		seen := map[string]bool{}
		for cursor := ""; len(seen) < 10; {
			got := do(h, call{"GET", "/api/v1/" + path + "?limit=1&cursor=" + cursor, "", "mr_admin"})
			var page map[string]json.RawMessage
			if err := json.Unmarshal(got.Body.Bytes(), &page); err != nil || got.Code != http.StatusOK {
				t.Fatalf("%s: %d %s", path, got.Code, got.Body)
			}
			seen[string(page[field])] = true
			if page["next_cursor"] == nil {
				break
			}
			cursor = strings.Trim(string(page["next_cursor"]), `"`)
		}
		if len(seen) != 2 {
			t.Errorf("%s: %d pages of one, want 2", path, len(seen))
		}
	}
}

func TestKick(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		h := w.serve(t)
		got := do(h, call{"POST", "/api/v1/sessions/" + session3 + "/kick", "", "mr_sessions:write"})
		if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `"result":"ack"`) {
			t.Errorf("%d %s", got.Code, got.Body)
		}
		if d := w.deeds[0]; d.Did != "session "+session3+" kicked" || d.Login != "bob@example.com" {
			t.Errorf("the log hears %+v", d)
		}
		w.house.kicked = nil
		began := time.Now()
		got = do(h, call{"POST", "/api/v1/sessions/80A1/kick", "", "mr_sessions:write"}) // by the NAS's own id
		if waited := time.Since(began); got.Code != http.StatusAccepted || waited != maxWait || got.Header().Get("Location") != "/api/v1/sessions/"+session3 {
			t.Errorf("%d after %v, %s", got.Code, waited, got.Header().Get("Location"))
		}
		w.house.kicked = &Attempt{Result: "nak", ErrorCause: 503} // it does not know her any more
		if got := do(h, call{"POST", "/api/v1/sessions/" + session3 + "/kick", "", "mr_sessions:write"}); got.Code != http.StatusOK {
			t.Errorf("503 of the NAS is %d", got.Code)
		}
		w.house.kicked = &Attempt{Result: "nak", ErrorCause: 501}
		got = do(h, call{"POST", "/api/v1/sessions/" + session3 + "/kick", "", "mr_sessions:write"})
		if p := problemIn(t, got); p.Status != http.StatusBadGateway || p.Attempt == nil || p.Attempt.ErrorCause != 501 || p.Attempt.Done {
			t.Errorf("%+v", p)
		}
	})
}

func TestExport(t *testing.T) {
	t.Parallel()
	w := newWorld()
	h := w.serve(t)
	got := do(h, call{"GET", "/api/v1/sessions/export", "", "mr_sessions:read"})
	rows, err := csv.NewReader(got.Body).ReadAll()
	if err != nil || len(rows) != 4 || got.Header().Get("Content-Disposition") != `attachment; filename="sessions.csv"` {
		t.Fatalf("%d rows, %v, %v", len(rows), err, got.Header())
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	for _, want := range []struct {
		row          int
		column, text string
	}{
		{1, "user", `'=cmd|' /C calc'!A0`}, {1, "ended", ""}, {1, "online", "true"}, {2, "session", "5E0C"}, {2, "output_octets", "1099511627776"},
		{2, "started", "2026-11-22T09:00:00Z"}, {2, "ended", "2026-11-22T11:00:00Z"}, {2, "address", "192.0.2.77"}, {2, "closed", "stop"}, {3, "user", `tab\u0009here\u001b[31m`},
	} {
		if text := rows[want.row][column[want.column]]; text != want.text {
			t.Errorf("row %d, %s: %q, want %q", want.row, want.column, text, want.text)
		}
	}
	got = do(h, call{"GET", "/api/v1/sessions/export?format=json&online=false", "", "mr_sessions:read"})
	var all []sessionView
	if err := json.Unmarshal(got.Body.Bytes(), &all); err != nil || len(all) != 2 || all[0].Session != "5E0C" {
		t.Errorf("%v: %s", err, got.Body)
	}
	w.house.sessions = nil
	for format, want := range map[string]string{"json": "[]\n", "csv": strings.Join(sessionColumns(), ",") + "\n"} {
		if got := do(h, call{"GET", "/api/v1/sessions/export?format=" + format, "", "mr_sessions:read"}); got.Body.String() != want {
			t.Errorf("nothing as %s is %q", format, got.Body)
		}
	}
	if got := do(h, call{"HEAD", "/api/v1/sessions/export", "", "mr_sessions:read"}); got.Code != http.StatusOK || got.Body.Len() > 0 {
		t.Errorf("HEAD: %d %q", got.Code, got.Body)
	}
}

func TestCells(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "anna": "anna", "a=b": "a=b", "=1+1": "'=1+1", "+49": "'+49", "-1": "'-1", "@x": "'@x", " =1": "' =1", "'=1": "''=1", "\t=1": `\u0009=1`, "\r\n": `\u000d\u000a`,
		"\uff1d1": "'\uff1d1", "\u202ecod.exe": `\u202ecod.exe`, "a\x00b": `a\u0000b`, "\xff=": "\ufffd=", "ü": "ü",
	} {
		if got := cell(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// TestExportIsReadInPages, and breaks off where it can't be finished.
func TestExportIsReadInPages(t *testing.T) {
	t.Parallel()
	w := newWorld()
	many(w.house, 2*exportPage+1)
	s := httptest.NewServer(w.serve(t))
	defer s.Close()
	fetch := func(format string) (int, []byte, error) {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/api/v1/sessions/export?format="+format, nil)
		r.Header.Set("Authorization", "Bearer mr_sessions:read")
		resp, err := s.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		return resp.StatusCode, body, err
	}
	// breaks has the ledger fail after so many queries, and returns how many there were.
	breaks := func(fault error, after int) (queries int) {
		w.house.mu.Lock()
		defer w.house.mu.Unlock()
		queries = len(w.house.queries)
		w.house.queries, w.house.fault, w.house.faultAt = nil, fault, after
		return queries
	}
	for format, lines := range map[string]int{"csv": 2*exportPage + 2, "json": 2*exportPage + 3} {
		breaks(nil, 0)
		status, body, err := fetch(format)
		if n, queries := strings.Count(string(body), "\n"), breaks(errStore, 2); status != 200 || err != nil || n != lines || queries != 3 {
			t.Errorf("%s: %d, %v, %d lines by %d queries", format, status, err, n, queries)
		}
		if format == "json" && !json.Valid(body) {
			t.Error("the whole is no JSON")
		}
		if status, body, err := fetch(format); err == nil || status != 200 || format == "json" && json.Valid(body) {
			t.Errorf("%s that breaks off: %d, %v: it can be taken for whole", format, status, err)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.faults) != 2 || !errors.Is(w.faults[0], errStore) {
		t.Errorf("the operator hears %v", w.faults)
	}
}

// TestMarks: a cursor is what was written, and no other spelling of it.
func TestMarks(t *testing.T) {
	t.Parallel()
	mark := markOf("2026-11-22", "anna", "", "hot-desk")
	if parts, ok := partsOf(mark, 4); !ok || strings.Join(parts, "|") != "2026-11-22|anna||hot-desk" {
		t.Errorf("%v, %v", parts, ok)
	}
	for _, other := range []string{mark + "\n", mark[:4] + "\r" + mark[4:], mark + "=", mark[1:], ""} {
		if parts, ok := partsOf(other, 4); ok {
			t.Errorf("%q is taken for %v", other, parts)
		}
	}
	if _, ok := partsOf(mark, 3); ok {
		t.Error("the cursor of another list is taken")
	}
}

func TestMACs(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"aabbccddeeff", "AABBCCDDEEFF", "aa-bb-cc-dd-ee-ff", "AA:BB:CC:DD:EE:FF", "aabb.ccdd.eeff", "AABBCC-DDEEFF", "aA:bB:cC:dD:eE:fF"} {
		if mac, ok := parseMAC(s); !ok || mac != "aa:bb:cc:dd:ee:ff" {
			t.Errorf("%q is %q, %v", s, mac, ok)
		}
	}
	for _, s := range []string{
		"", "aa", "aabbccddee", "aabbccddeeff00", "aa:bb:cc:dd:ee", "aa:bb:cc:dd:ee:fg", "aa:bb-cc:dd:ee:ff", "aab:bccd:dee:ff", "aabb:ccdd:eeff", "a.abb.ccdd.eeff",
		":aabbccddeeff", "aabbccddeeff:", "aa:bb:cc:dd:ee:ff\n", " aabbccddeeff", "00:00:00:00:00:00", "FF-FF-FF-FF-FF-FF", "aa::bb:cc:dd:eeff", "\uff41abbccddeeff",
	} {
		if mac, ok := parseMAC(s); ok || mac != "" {
			t.Errorf("%q is taken for %q", s, mac)
		}
	}
}

// TestPartsThatAreNotThere: a server without a ledger or a portal says so by 404.
func TestPartsThatAreNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld()
	base := Config{Tokens: w, Members: w, Editor: w, Access: w, Plans: w, Backends: w, Runs: w}
	h, err := New(base)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"sessions", "sessions/export", "sessions/x", "sessions/x/kick", "usage", "devices", "devices/x", "blocked-devices", "vouchers", "portal-log", "portal_login", "portal_login/", "portal_login/7/"} {
		if got := do(h, call{"GET", "/api/v1/" + path, "", "mr_admin"}); got.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
	if got := do(h, call{"GET", "/api/v1/plans", "", "mr_admin"}); got.Code != http.StatusOK {
		t.Errorf("plans: %d", got.Code)
	}
	half := base
	half.Sessions = w.house
	if _, err := New(half); err == nil {
		t.Error("New takes Sessions without a Kicker")
	}
	half = base
	half.PortalPages = w.house
	if _, err := New(half); err == nil {
		t.Error("New takes PortalPages without PortalLogins")
	}
}

func TestVouchersShowTheirCodesOnce(t *testing.T) {
	t.Parallel()
	w := newWorld()
	h := w.serve(t)
	made := do(h, call{"POST", "/api/v1/vouchers", `{"count":1000,"name":"fair","plan":"guest","valid_seconds":60}`, "mr_vouchers:write"})
	if made.Code != http.StatusCreated || strings.Count(made.Body.String(), `"code":"CODE-`) != 1000 {
		t.Errorf("%d %.200s", made.Code, made.Body)
	}
	if listed := do(h, call{"GET", "/api/v1/vouchers", "", "mr_vouchers:read"}); listed.Code != 200 || strings.Contains(listed.Body.String(), "code") || strings.Contains(listed.Body.String(), "KEPT") {
		t.Errorf("the list shows %s", listed.Body)
	}
	if told := fmt.Sprint(w.deeds); !strings.Contains(told, `1000 vouchers made: "fair"`) || strings.Contains(told, "CODE") {
		t.Errorf("the log hears %s", told)
	}
	const good = `"name":"n","plan":"guest","valid_seconds":60`
	for body, field := range map[string]string{
		`{}`: "count", `{"count":1001,` + good + `}`: "count", `{"count":1,"devices":-1,` + good + `}`: "devices", `{"count":1,"name":"n","plan":"p","valid_seconds":31708800}`: "valid_seconds",
		`{"count":1,"expires":"2026-11-22T11:59:00Z",` + good + `}`: "expires", `{"count":1,"name":"a\nb"}`: "name", `{"count":1}`: "name", `{"count":1,"name":"n"}`: "plan",
		`{"count":1,"name":"` + session1 + `"}`: "name", `{"count":1,"name":"n","plan":"p"}`: "valid_seconds", `{"count":1,"name":" n"}`: "name",
	} {
		p := problemIn(t, do(h, call{"POST", "/api/v1/vouchers", body, "mr_vouchers:write"}))
		if p.Status != http.StatusUnprocessableEntity || p.Errors[0].Field != field {
			t.Errorf("%s: %+v", body, p)
		}
	}
}

func TestVoucherStates(t *testing.T) {
	t.Parallel()
	past, future := noon.Add(-time.Hour), noon.Add(time.Hour)
	for want, v := range map[string]Voucher{
		"unused": {Expires: future, Ends: future}, "used": {FirstUsed: past, Ends: future}, "revoked": {Revoked: past, Ends: past}, "over": {FirstUsed: past, Ends: noon},
	} {
		if got := voucherState(&v, noon); got != want {
			t.Errorf("%+v is %s, want %s", v, got, want)
		}
	}
}

func TestDevicesAreToldOf(t *testing.T) {
	t.Parallel()
	w := newWorld()
	h := w.serve(t)
	for _, c := range []call{
		{"POST", "/api/v1/devices", `{"mac":"0200.0000.00AA","backend":"members","login":"bob@example.com"}`, "mr_devices:write"},
		{"DELETE", "/api/v1/devices/020000000007", "", "mr_devices:write"},
		{"PUT", "/api/v1/blocked-devices/0200.0000.00AA", `{}`, "mr_devices:write"},
		{"DELETE", "/api/v1/blocked-devices/02-00-00-00-00-66", "", "mr_devices:write"},
	} {
		if got := do(h, c); got.Code >= 300 {
			t.Errorf("%s %s: %d %s", c.method, c.path, got.Code, got.Body)
		}
	}
	var did []string
	for _, d := range w.deeds {
		did = append(did, d.Did)
	}
	const want = "device 02:00:00:00:00:aa added, device 02:00:00:00:00:07 removed, device 02:00:00:00:00:aa blocked, device 02:00:00:00:00:66 unblocked"
	if got := strings.Join(did, ", "); got != want {
		t.Errorf("the log hears %s", got)
	}
}
