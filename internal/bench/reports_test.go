//go:build linux

package main

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"
)

func TestReport_Encode(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_700_000_000, 0)
	start, err := report{session: 10_203, at: at}.encode(7)
	if err != nil {
		t.Fatal(err)
	}
	if !radius.IsAuthenticRequest(start, []byte(sharedSecret)) {
		t.Error("the Request Authenticator is wrong")
	}
	p, err := radius.Parse(start, []byte(sharedSecret))
	if err != nil {
		t.Fatal(err)
	}
	if p.Code != radius.CodeAccountingRequest || p.Identifier != 7 || rfc2866.AcctStatusType_Get(p) != rfc2866.AcctStatusType_Value_Start ||
		rfc2866.AcctSessionID_GetString(p) != "00000000000027DB" || rfc2865.UserName_GetString(p) != login(203) ||
		rfc2865.NASIdentifier_GetString(p) != "ap-003" || rfc2865.NASPort_Get(p) != 51 || rfc2865.CalledStationID_GetString(p) != "02-00-00-00-01-03:bench" ||
		rfc2865.CallingStationID_GetString(p) != "02-00-00-00-27-DB" || rfc2865.FramedIPAddress_Get(p).String() != "10.0.39.219" ||
		!rfc2869.EventTimestamp_Get(p).Equal(at) {
		t.Errorf("%v", p.Attributes)
	}
	if _, err := rfc2866.AcctSessionTime_Lookup(p); !errors.Is(err, radius.ErrNoAttribute) {
		t.Error("a session that begins has a length")
	}
	update, err := report{session: 10_203, lap: 2, at: at}.encode(8)
	if err != nil {
		t.Fatal(err)
	}
	if p, err = radius.Parse(update, []byte(sharedSecret)); err != nil {
		t.Fatal(err)
	}
	if rfc2866.AcctStatusType_Get(p) != rfc2866.AcctStatusType_Value_InterimUpdate || rfc2866.AcctSessionID_GetString(p) != "00000000000027DB" ||
		rfc2866.AcctSessionTime_Get(p) != 120 || rfc2866.AcctInputOctets_Get(p) != 20_000 || rfc2866.AcctOutputOctets_Get(p) != 200_000 {
		t.Errorf("%v", p.Attributes)
	}
}

// answer is what a server with that secret says to a report.
func answer(t *testing.T, request []byte, code radius.Code, secret string) []byte {
	t.Helper()
	p, err := radius.Parse(request, []byte(secret))
	if err != nil {
		t.Error(err)
		return nil
	}
	datagram, err := p.Response(code).Encode()
	if err != nil {
		t.Error(err)
	}
	return datagram
}

func TestAcknowledges(t *testing.T) {
	t.Parallel()
	request, err := report{}.encode(1)
	if err != nil {
		t.Fatal(err)
	}
	authenticator := [16]byte(request[4:20])
	right := answer(t, request, radius.CodeAccountingResponse, sharedSecret)
	if !acknowledges(right, authenticator) {
		t.Error("the right answer is refused")
	}
	for name, wrong := range map[string][]byte{
		"no packet": {}, "cut": right[:19], "padded": append(slices.Clone(right), 0),
		"code":         answer(t, request, radius.CodeAccessAccept, sharedSecret),
		"other secret": answer(t, request, radius.CodeAccountingResponse, "another"),
	} {
		if acknowledges(wrong, authenticator) {
			t.Errorf("%s: it is taken", name)
		}
	}
	if acknowledges(right, [16]byte{}) {
		t.Error("the answer to another request is taken")
	}
}

// serve answers what comes to a socket of its own, until the test ends.
func serve(t *testing.T, reply func(datagram []byte) []byte) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() { _ = conn.Close(); <-ended })
	go func() {
		defer close(ended)
		buffer := make([]byte, datagramSize)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buffer)
			if err != nil {
				return
			}
			if datagram := reply(buffer[:n]); datagram != nil {
				_, _ = conn.WriteToUDPAddrPort(datagram, from)
			}
		}
	}()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

func TestReporter(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	began := map[string]int{}
	server := serve(t, func(d []byte) []byte {
		p, err := radius.Parse(d, []byte(sharedSecret))
		if err != nil {
			return nil
		}
		mu.Lock()
		began[rfc2866.AcctSessionID_GetString(p)]++
		mu.Unlock()
		return answer(t, d, radius.CodeAccountingResponse, sharedSecret)
	})
	r, err := newReporter(server, 3, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.conn.Close() }()
	count := 0
	for range 2 {
		tally, err := r.run(t.Context(), 20*time.Millisecond)
		if err != nil || tally.lost+tally.wrong > 0 || len(tally.took) == 0 || tally.inTime > len(tally.took) || tally.inTime < len(tally.took)-3 {
			t.Fatalf("%+v, %v", tally, err)
		}
		count += len(tally.took)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(began) != count || int(r.sent) != count || int(r.answered) != count || len(r.idle) != identifiers {
		t.Errorf("%d answers to %d reports of %d sessions, counted %d", count, r.sent, len(began), r.answered)
	}
}

func TestReporter_Updates(t *testing.T) {
	t.Parallel()
	told := make(chan [2]int, identifiers)
	server := serve(t, func(d []byte) []byte {
		p, err := radius.Parse(d, []byte(sharedSecret))
		if err != nil {
			return nil
		}
		told <- [2]int{int(rfc2865.FramedIPAddress_Get(p)[3]), int(rfc2866.AcctSessionTime_Get(p))}
		return nil
	})
	r, err := newReporter(server, 5, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.conn.Close() }()
	if err := r.fill(); err != nil {
		t.Fatal(err)
	}
	for i, want := range [][2]int{{0, 60}, {1, 60}, {0, 120}, {1, 120}, {0, 180}} {
		if got := <-told; got != want {
			t.Errorf("report %d is of session and time %v, want %v", i, got, want)
		}
	}
	// Half of them are lost when their time is over, then the rest.
	now := time.Now()
	for id := range 2 {
		r.waiting[id].at = now.Add(-reportLost)
	}
	if lost := r.expire(now); lost != 2 || len(r.idle) != identifiers-3 {
		t.Errorf("%d lost, %d idle", lost, len(r.idle))
	}
	if lost := r.expire(now.Add(2 * reportLost)); lost != 3 || len(r.idle) != identifiers {
		t.Errorf("%d lost, %d idle", lost, len(r.idle))
	}
}

// TestReporter_WrongAnswers: they count, and the right one is still waited for.
func TestReporter_WrongAnswers(t *testing.T) {
	t.Parallel()
	r, err := newReporter(serve(t, func([]byte) []byte { return nil }), 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.conn.Close() }()
	if err := r.fill(); err != nil {
		t.Fatal(err)
	}
	request, err := report{at: r.waiting[0].at}.encode(0)
	if err != nil {
		t.Fatal(err)
	}
	var tally reportTally
	right := answer(t, request, radius.CodeAccountingResponse, sharedSecret)
	for _, datagram := range [][]byte{{5}, {5, 9}, answer(t, request, radius.CodeAccessReject, sharedSecret), right, right} {
		r.take(datagram, true, &tally)
	}
	if tally.wrong != 1 || len(tally.took) != 1 || tally.inTime != 1 || r.answered != 1 {
		t.Errorf("%+v, %d answered", tally, r.answered)
	}
	// One that comes after its report was lost is no wrong answer to the next.
	r.waiting[0].lost, r.waiting[0].authenticator, r.waiting[0].out = r.waiting[0].authenticator, [16]byte{1}, true
	if r.take(right, true, &tally); tally.wrong != 1 || len(tally.took) != 1 || !r.waiting[0].out {
		t.Errorf("a late answer: %+v", tally)
	}
}

func TestReporter_Refuses(t *testing.T) {
	t.Parallel()
	for _, inFlight := range []int{0, identifiers + 1} {
		if r, err := newReporter(netip.MustParseAddrPort("127.0.0.1:1"), inFlight, 0); err == nil {
			_ = r.conn.Close()
			t.Errorf("%d in flight are taken", inFlight)
		}
	}
	for _, j := range []job{{Method: beginSessions, Sessions: 1}, {Method: updateSessions}} {
		if _, err := j.run(t.Context(), nil); err == nil {
			t.Errorf("%+v is taken", j)
		}
	}
}

// TestLoadOfReports has the role load report, for as long as it is wanted.
func TestLoadOfReports(t *testing.T) {
	t.Parallel()
	var updates atomic.Int64
	r := testRun(t)
	address := serve(t, func(d []byte) []byte {
		if p, err := radius.Parse(d, []byte(sharedSecret)); err == nil && rfc2866.AcctStatusType_Get(p) == rfc2866.AcctStatusType_Value_InterimUpdate {
			updates.Add(1)
		}
		return answer(t, d, radius.CodeAccountingResponse, sharedSecret)
	})
	s := &server{process: &process{cmd: &exec.Cmd{Path: "acknowledges", Process: &os.Process{Pid: os.Getpid()}}, tail: &tail{}}, address: address}
	o := untilAnswered(t, func() (outcome, error) { return r.load(t.Context(), s, job{Method: beginSessions, InFlight: 8}) })
	if o.Lost+o.Wrong > 0 || o.Sent == 0 || o.Answered != o.Sent || o.P99 < o.P50 || updates.Load() > 0 {
		t.Errorf("%+v, %d updates", o, updates.Load())
	}
	o = untilAnswered(t, func() (outcome, error) {
		return r.load(t.Context(), s, job{Method: updateSessions, InFlight: 8, Sessions: int(o.Sent)})
	})
	if uint64(updates.Load()) < o.Answered {
		t.Errorf("%+v, %d updates", o, updates.Load())
	}
}
