package radiusd

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/radiusd/policy"
	"memberradius/radiusd/radiustest"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// A ledger is a Recorder whose owner is the test.
type ledger struct {
	mu   sync.Mutex
	kept []*member.Session
	err  error
	wait chan struct{} // nil: nothing waits
}

func (l *ledger) Record(ctx context.Context, s *member.Session) error {
	if l.wait != nil {
		select {
		case <-l.wait:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	l.kept = append(l.kept, s)
	return nil
}

func (l *ledger) all() []*member.Session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.kept)
}

func (l *ledger) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

// accounting starts a server that keeps reports in l.
func accounting(t *testing.T, l *ledger, settings ...setting) (*rig, *radiustest.Wire) {
	t.Helper()
	r := startRig(t, append(settings, quick, func(c *Config, _ *ClientConfig, _ *members) { c.Recorder = l })...)
	return r, r.wire(1)
}

func u32(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

// start is a report that has what each must have.
func start(id byte) *radiustest.Packet {
	return (&radiustest.Packet{Code: radiustest.AccountingRequest, Identifier: id}).
		Add(typeAcctStatusType, u32(1)).Add(typeAcctSessionID, []byte("5F2A")).Add(typeUserName, []byte("bob"))
}

// reported sends a report and returns what comes back; nil is silence for as
// long as a server that keeps nothing needs to say so.
func reported(t *testing.T, w *radiustest.Wire, datagram []byte) []byte {
	t.Helper()
	if err := w.Send(datagram); err != nil {
		t.Fatal(err)
	}
	reply, err := w.Receive(5 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

// P15, and all else that a report says.
func TestAccounting_ReportIsReadWhole(t *testing.T) {
	t.Parallel()
	l := &ledger{}
	r, w := accounting(t, l)
	at := time.Now().UTC().Truncate(time.Second).Add(-30 * time.Second)
	p := (&radiustest.Packet{Code: radiustest.AccountingRequest, Identifier: 7}).
		Add(typeProxyState, []byte("a")).
		Add(typeAcctStatusType, u32(2)).Add(typeAcctSessionID, []byte("5F2A")).Add(typeUserName, []byte("Bob")).
		Add(typeAcctMultiID, []byte("M1")).Add(typeNASIdentifier, []byte("ap-7")).Add(typeNASIPAddress, []byte{192, 0, 2, 7}).
		Add(typeCallingStationID, []byte("AA-BB-CC-00-11-22")).Add(typeCalledStationID, []byte("02-00-00-00-00-01:Members")).
		Add(typeFramedIPAddress, []byte{10, 0, 0, 9}).Add(typeNASPort, u32(3)).Add(typeNASPortID, []byte("wlan0")).
		Add(typeAcctInput, u32(5)).Add(typeAcctInputGiga, u32(1)).Add(typeAcctOutput, u32(6)).Add(typeAcctOutputGiga, u32(2)).
		Add(typeAcctInputPkts, u32(70)).Add(typeAcctOutputPkts, u32(80)).Add(typeAcctSessionTime, u32(61)).
		Add(typeAcctCause, u32(1)).Add(typeEventTimestamp, u32(uint32(at.Unix()))).Add(typeAcctDelayTime, u32(9)).
		AddVendor(vendorCisco, ciscoAVPair, []byte("audit-session-id=0A01")).Add(typeProxyState, []byte("b"))
	datagram := mustEncode(t, p)
	reply := reported(t, w, datagram)
	if reply[0] != byte(radiustest.AccountingResponse) || reply[1] != 7 {
		t.Fatalf("code %d, identifier %d", reply[0], reply[1])
	}
	want := (&radiustest.Packet{Code: radiustest.AccountingResponse, Identifier: 7}).Add(typeProxyState, []byte("a")).Add(typeProxyState, []byte("b"))
	signed, err := want.EncodeReply(rigSecret, [16]byte(datagram[4:20]))
	if err != nil || !slices.Equal(reply, signed) {
		t.Errorf("the reply is % x, want % x (%v)", reply, signed, err)
	}
	kept := l.all()
	if len(kept) != 1 {
		t.Fatalf("%d reports are kept", len(kept))
	}
	got := *kept[0]
	if since := time.Since(got.Received); since < 0 || since > time.Minute {
		t.Errorf("received %v ago", since)
	}
	got.Received = time.Time{}
	loopback := netip.MustParseAddr("127.0.0.1")
	if want := (member.Session{
		Event: member.Stop, Client: "lobby", NAS: "ap-7", ID: "5F2A", User: "Bob", MultiID: "M1", Login: "Bob", Site: "berlin", SSID: "Members", Audit: "0A01",
		StationMAC: "aa:bb:cc:00:11:22", Calling: "AA-BB-CC-00-11-22", Called: "02-00-00-00-00-01:Members",
		Address: netip.MustParseAddr("10.0.0.9"), Peer: loopback, NASAddress: netip.MustParseAddr("192.0.2.7"), NASIdentifier: "ap-7",
		Port: 3, HasPort: true, PortID: "wlan0", At: at, Input: 1<<32 + 5, Output: 2<<32 + 6, InputPackets: 70, OutputPackets: 80,
		Duration: 61 * time.Second, Cause: "User-Request",
	}); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if n := testutil.ToFloat64(r.meters.reports.WithLabelValues("lobby", "stop")); n != 1 {
		t.Errorf("%v are counted", n)
	}
}

func TestAccounting_WhoReportsAndWhen(t *testing.T) {
	t.Parallel()
	l := &ledger{}
	_, w := accounting(t, l)
	wrongClock := u32(uint32(time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC).Unix()))
	for i, tt := range []struct {
		what string
		add  func(*radiustest.Packet)
		nas  string
		late time.Duration
	}{
		{"its identifier", func(p *radiustest.Packet) {
			p.Add(typeNASIdentifier, []byte("ap")).Add(typeNASIPAddress, []byte{192, 0, 2, 7})
		}, "ap", 0},
		{"its address", func(p *radiustest.Packet) { p.Add(typeNASIPAddress, []byte{192, 0, 2, 7}) }, "192.0.2.7", 0},
		{"its IPv6 address", func(p *radiustest.Packet) {
			p.Add(typeNASIPv6Address, netip.MustParseAddr("2001:db8::7").AsSlice())
		}, "2001:db8::7", 0},
		{"where it sends from", func(*radiustest.Packet) {}, "127.0.0.1", 0},
		{"an address of 5 octets", func(p *radiustest.Packet) { p.Add(typeNASIPAddress, []byte{192, 0, 2, 7, 1}) }, "127.0.0.1", 0},
		{"Acct-Delay-Time", func(p *radiustest.Packet) { p.Add(typeAcctDelayTime, u32(600)) }, "127.0.0.1", 10 * time.Minute},
		{"a clock of 2001", func(p *radiustest.Packet) { p.Add(typeEventTimestamp, wrongClock).Add(typeAcctDelayTime, u32(60)) }, "127.0.0.1", time.Minute},
	} {
		p := start(byte(i))
		tt.add(p)
		reported(t, w, mustEncode(t, p))
		kept := l.all()
		s := kept[len(kept)-1]
		if s.NAS != tt.nas || s.Received.Sub(s.At) != tt.late {
			t.Errorf("%s: NAS %q, %v before it came", tt.what, s.NAS, s.Received.Sub(s.At))
		}
	}
}

// P11: a report whose Request Authenticator is wrong is nobody's.
func TestP11ReportsAreSigned(t *testing.T) {
	t.Parallel()
	l := &ledger{}
	r, w := accounting(t, l)
	good := mustEncode(t, start(1))
	for bit := range 8 * len(good) {
		if at := bit / 8; at < 4 && at != 1 {
			continue // another code or length is another packet
		}
		broken := slices.Clone(good)
		broken[bit/8] ^= 1 << (bit % 8)
		if err := w.Send(broken); err != nil {
			t.Fatal(err)
		}
	}
	if reply := reported(t, w, good); reply[1] != 1 {
		t.Errorf("identifier %d is answered", reply[1])
	}
	if n := len(l.all()); n != 1 {
		t.Errorf("%d reports are kept", n)
	}
	r.logged("the Request Authenticator of the Accounting-Request is wrong")
	for broken, want := range map[bool]int{false: 2, true: 2} {
		p := start(2).AddMessageAuthenticator()
		if broken {
			p = start(3).AddBrokenMessageAuthenticator()
		}
		if err := w.Send(mustEncode(t, p)); err != nil {
			t.Fatal(err)
		}
		if !broken {
			if reply, err := w.Receive(5 * time.Second); err != nil || len(reply) != headerSize+18 || reply[headerSize] != typeMessageAuthenticator {
				t.Errorf("a signed report gets % x (%v)", reply, err)
			}
		}
		if n := len(l.all()); n != want && !broken {
			t.Errorf("%d reports are kept", n)
		}
	}
	reported(t, w, mustEncode(t, start(4)))
	if n := len(l.all()); n != 3 {
		t.Errorf("%d reports are kept: one with a wrong Message-Authenticator is among them", n)
	}
}

// P12: what is not kept is not acknowledged, and taken when it comes again.
func TestP12OnlyWhatIsKeptIsAcknowledged(t *testing.T) {
	t.Parallel()
	l := &ledger{err: errors.New("the disk is full")}
	r, w := accounting(t, l)
	again := mustEncode(t, start(1))
	if err := w.Send(again); err != nil {
		t.Fatal(err)
	}
	r.logged("the disk is full")
	l.fail(nil)
	if reply := reported(t, w, again); reply[1] != 1 {
		t.Errorf("identifier %d is answered", reply[1])
	}
	if n := testutil.ToFloat64(r.meters.drops.WithLabelValues("lobby", "unrecorded")); n != 1 {
		t.Errorf("%v are counted as not kept", n)
	}
	if n := len(l.all()); n != 1 {
		t.Errorf("%d reports are kept", n)
	}
}

// P13: what a report must hold, and what it must not.
func TestP13WhatAReportHolds(t *testing.T) {
	t.Parallel()
	l := &ledger{}
	r, w := accounting(t, l)
	bad := []*radiustest.Packet{
		(&radiustest.Packet{Code: radiustest.AccountingRequest}).Add(typeAcctSessionID, []byte("1")),
		(&radiustest.Packet{Code: radiustest.AccountingRequest}).Add(typeAcctStatusType, u32(1)),
		(&radiustest.Packet{Code: radiustest.AccountingRequest}).Add(typeAcctStatusType, []byte{1}).Add(typeAcctSessionID, []byte("1")),
		start(0).Add(typeUserPassword, make([]byte, 16)),
		start(0).Add(typeCHAPPassword, make([]byte, 17)),
		start(0).Add(typeReplyMessage, []byte("hello")),
		start(0).Add(typeState, []byte("1")),
		start(0).Add(typeEAPMessage, []byte{2, 1, 0, 4}),
	}
	for i, p := range bad {
		p.Identifier = byte(i)
		if err := w.Send(mustEncode(t, p)); err != nil {
			t.Fatal(err)
		}
	}
	for id, status := range map[byte]uint32{100: 7, 101: 8, 102: 9, 103: 15, 104: 3} {
		p := (&radiustest.Packet{Code: radiustest.AccountingRequest, Identifier: id}).Add(typeAcctStatusType, u32(status))
		if status == 3 {
			p.Add(typeAcctSessionID, []byte("1"))
		}
		if reply := reported(t, w, mustEncode(t, p)); reply[1] != id {
			t.Errorf("identifier %d is answered, want %d", reply[1], id)
		}
	}
	var kept []string
	for _, s := range l.all() {
		kept = append(kept, s.Event.String())
	}
	slices.Sort(kept)
	if !slices.Equal(kept, []string{"interim", "off", "on"}) {
		t.Errorf("kept: %v", kept)
	}
	if n := testutil.ToFloat64(r.meters.drops.WithLabelValues("lobby", "no_report")); n != float64(len(bad)) {
		t.Errorf("%v of %d are counted", n, len(bad))
	}
}

func TestAccounting_RepeatIsKeptOnce(t *testing.T) {
	t.Parallel()
	l := &ledger{wait: make(chan struct{})}
	r, w := accounting(t, l)
	datagram := mustEncode(t, start(1))
	for range 3 {
		if err := w.Send(datagram); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the repeats are seen", func() bool { return testutil.ToFloat64(r.meters.repeats.WithLabelValues("lobby")) == 2 })
	close(l.wait)
	first, err := w.Receive(5 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	// The reply is sent before it is kept: a repeat in between meets silence.
	eventually(t, "a repeat gets the first reply", func() bool {
		if err := w.Send(datagram); err != nil {
			return false
		}
		again, err := w.Receive(100 * time.Millisecond)
		return err == nil && slices.Equal(first, again)
	})
	if n := len(l.all()); n != 1 {
		t.Errorf("kept %d times", n)
	}
}

// TestAccounting_HoldsUpNobody: a disk that stands still takes none of the
// places of those who log in.
func TestAccounting_HoldsUpNobody(t *testing.T) {
	t.Parallel()
	l := &ledger{wait: make(chan struct{})}
	r, w := accounting(t, l, func(c *Config, _ *ClientConfig, m *members) {
		c.Pool, c.Queue = 1, 1
		m.slow["bob"] = true // by the pool
	})
	defer close(l.wait)
	for id := range byte(200) {
		if err := w.Send(mustEncode(t, start(id))); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "reports wait", func() bool { n, _ := r.accounts.load(); return n > 100 })
	if reply := r.ask(&radiustest.Request{Method: radiustest.PAP, Login: "bob", Password: "hello"}); reply.Code != radiustest.AccessAccept {
		t.Errorf("%v", reply.Code)
	}
}

func TestAccounting_LinksToTheDecision(t *testing.T) {
	t.Parallel()
	l := &ledger{}
	r, w := accounting(t, l, func(c *Config, _ *ClientConfig, m *members) {
		book, err := policy.New(policy.Config{
			Plans: []member.Plan{{Name: "hot-desk", VLAN: "101", Session: time.Hour, Interim: 10 * time.Minute}},
			Sites: []policy.Site{{Name: "berlin", DefaultPlan: "hot-desk"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		c.Tables.Book = book
	})
	reply := r.ask(&radiustest.Request{Method: radiustest.PAP, Login: "bob", Password: "hello"})
	class := reply.Values(typeClass)
	if reply.Code != radiustest.AccessAccept || len(class) != 1 {
		t.Fatalf("%v, Class %x", reply.Code, class)
	}
	report := func(id byte, class []byte) *member.Session {
		p := (&radiustest.Packet{Code: radiustest.AccountingRequest, Identifier: id}).
			Add(typeAcctStatusType, u32(1)).Add(typeAcctSessionID, []byte("1")).Add(typeUserName, []byte("anonymous"))
		if class != nil {
			p.Add(typeClass, class)
		}
		reported(t, w, mustEncode(t, p))
		kept := l.all()
		return kept[len(kept)-1]
	}
	s := report(1, class[0])
	if s.Login != "bob" || s.Backend != "rig" || s.Plan != "hot-desk" || s.VLAN != "101" || s.Timeout != time.Hour || s.Interim != 10*time.Minute || s.User != "anonymous" {
		t.Errorf("%+v", s)
	}
	if s.Decision != decisionID(class[0]).String() {
		t.Errorf("decision %q", s.Decision)
	}
	unknown := slices.Clone(class[0])
	unknown[15] ^= 1
	for i, class := range [][]byte{nil, unknown, []byte("another server's"), {1}} {
		if s := report(byte(i)+2, class); s.Login != "anonymous" || s.Plan != "" || s.Decision != "" {
			t.Errorf("Class %x: %+v", class, s)
		}
	}
}

func TestAccounting_Radclient(t *testing.T) {
	t.Parallel()
	l := &ledger{}
	r, _ := accounting(t, l)
	for _, status := range []string{"Start", "Interim-Update", "Stop", "Accounting-On", "Accounting-Off"} {
		a := radiustest.Radclient(t, radiustest.RadclientQuery{Server: r.Addrs()[1], Secret: rigSecret, Command: "acct", Attributes: []member.Attribute{
			{Name: "User-Name", Value: "bob"}, {Name: "Acct-Status-Type", Value: status}, {Name: "Acct-Session-Id", Value: "1"},
			{Name: "NAS-Identifier", Value: "ap"}, {Name: "Acct-Output-Octets", Value: "4294967295"}, {Name: "Acct-Output-Gigawords", Value: "3"},
		}})
		if a.Code != radiustest.AccountingResponse {
			t.Errorf("%s: %v\n%s", status, a.Code, a.Output)
		}
	}
	kept := l.all()
	if len(kept) != 5 || kept[2].Event != member.Stop || kept[2].Output != 4<<32-1 {
		t.Errorf("kept %d: %+v", len(kept), kept)
	}
}
