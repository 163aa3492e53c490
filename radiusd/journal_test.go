package radiusd

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/radiusd/policy"
	"memberradius/radiusd/radiustest"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/sirupsen/logrus"
)

// withPlan gives bob a plan with a VLAN.
func withPlan(c *Config, cc *ClientConfig, m *members) {
	m.records["bob"].Member = member.Member{Backend: "rig", Login: "bob", Plans: []string{"Hot Desk"}, ValidUntil: time.Now().Add(time.Hour)}
	var err error
	c.Tables.Book, err = policy.New(policy.Config{
		Plans: []member.Plan{{Name: "hot-desk", Match: []string{"Hot Desk"}, VLAN: "101", Session: 12 * time.Hour, Idle: 30 * time.Minute, SSIDs: []string{"Members"}}},
		Sites: []policy.Site{{Name: "berlin"}},
	})
	if err != nil {
		panic(err)
	}
	cc.Vendor = "generic"
}

// P16: the plan's VLAN is in the reply as RFC 3580 §3.31 says, untagged, and
// the end of the membership bounds the session. A wrong SSID is refused.
func TestP16PlanInTheReply(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick, withPlan)
	q := papRequest()
	q.AccessPoint.SSID = "Members"
	reply := r.ask(q)
	for kind, want := range map[byte][]byte{64: {0, 0, 0, 13}, 65: {0, 0, 0, 6}, 81: []byte("101"), 28: {0, 0, 7, 8}} {
		if got := reply.Values(kind); len(got) != 1 || !bytes.Equal(got[0], want) {
			t.Errorf("attribute %d = % x, want % x", kind, got, want)
		}
	}
	if s := reply.SessionTimeout(); s < 59*time.Minute || s > time.Hour {
		t.Errorf("Session-Timeout %v for a membership that ends in an hour", s)
	}
	d := r.Why("bob", 1)[0]
	if d.Plan != "hot-desk" || d.VLAN != "101" || d.SessionTimeout != reply.SessionTimeout() || d.SSID != "Members" || d.Source != "rig" {
		t.Errorf("%+v", d)
	}
	q.AccessPoint.SSID = "Staff"
	if reply := r.ask(q); reply.Code != radiustest.AccessReject || reply.Message != "Not on this network." {
		t.Errorf("%v %q", reply.Code, reply.Message)
	}
	q.Method = radiustest.MSCHAPv2
	if reply := r.ask(q); reply.Error == nil || reply.Error.Code != 649 {
		t.Errorf("%v", reply.Error)
	}
}

// What a member system may not set does not reach the NAS; it is counted, and
// named in the log without its value.
func TestRefusedAttributes(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick, withPlan, func(_ *Config, _ *ClientConfig, m *members) {
		m.answers["rest"] = member.Answer{Verdict: member.Allow, Proved: true, Source: "club", Attributes: []member.Attribute{
			{Name: "Tunnel-Private-Group-Id", Value: "202"},
			{Name: "State", Value: "canary"}, {Name: "User-Password", Value: "canary"}, {Name: "Session-Timeout", Value: "canary"},
		}}
	})
	reply := r.ask(&radiustest.Request{Method: radiustest.PAP, Login: "rest", Password: "x"})
	if reply.Code != radiustest.AccessAccept || reply.VLAN() != "202" || reply.Values(typeState) != nil || reply.Values(typeUserPassword) != nil {
		t.Errorf("%v %+v", reply.Code, reply.Attributes)
	}
	if n := r.counter("memberradius_attributes_refused_total"); n != 3 {
		t.Errorf("%v refused", n)
	}
	r.logged("attributes from a member system were left out")
	if log := r.log.String(); !strings.Contains(log, "User-Password: ") || !strings.Contains(log, "backend=club") || strings.Contains(log, "canary") {
		t.Errorf("the log:\n%s", log)
	}
}

// Class names the decision: a UUIDv7, another for each, which the log and Why name too.
func TestClassIsTheDecision(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick)
	seen := map[string]bool{}
	for range 100 {
		class := r.ask(papRequest()).Values(typeClass)
		if len(class) != 1 || len(class[0]) != 16 || class[0][6]>>4 != 7 || class[0][8]>>6 != 2 {
			t.Fatalf("Class = % x", class)
		}
		id := hex.EncodeToString(class[0])
		if d := r.Why("bob", 1)[0]; strings.ReplaceAll(d.ID, "-", "") != id || seen[id] {
			t.Fatalf("Class %s, decision %s, seen %v", id, d.ID, seen[id])
		}
		seen[id] = true
	}
	r.logged(r.Why("bob", 1)[0].ID)
}

// P19: Chargeable-User-Identity only where the NAS asks; the same for a member
// at a site however she spells her login, and nothing that tells who she is.
func TestP19ChargeableUserIdentity(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick, func(_ *Config, _ *ClientConfig, m *members) {
		m.records["eve"] = m.records["bob"]
	})
	ask := func(login string, octets ...byte) string {
		reply := r.ask(&radiustest.Request{Method: radiustest.PAP, Login: login, Password: "hello", Octets: octets})
		got := reply.Values(typeCUI)
		if len(got) == 0 {
			return ""
		}
		return string(got[0])
	}
	if got := ask("bob"); got != "" {
		t.Errorf("unasked: %q", got)
	}
	nul := []byte{typeCUI, 3, 0}
	bob := ask("bob", nul...)
	if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(bob) {
		t.Errorf("%q is not opaque", bob)
	}
	if again := ask("BOB", nul...); again != bob {
		t.Errorf("%q, then %q", bob, again)
	}
	if eve := ask("eve", nul...); eve == bob {
		t.Error("two members have one identity")
	}
}

func TestIdentityKeyIsHMAC(t *testing.T) {
	t.Parallel()
	// RFC 4231 §4.3, test case 2.
	k := newIdentityKey([]byte("Jefe"))
	sum := k.sum(append(make([]byte, 64), "what do ya want for nothing?"...))
	if got := hex.EncodeToString(sum[:]); got != "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" {
		t.Error(got)
	}
}

// The journal keeps the last decisions, newest first, whoever made them.
func TestWhy(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick, func(c *Config, _ *ClientConfig, m *members) { c.Journal, m.slow["argon"] = 64, true })
	for _, login := range []string{"argon", "bob", "ARGON"} {
		r.ask(&radiustest.Request{Method: radiustest.PAP, Login: login, Password: "hello"})
	}
	found := r.Why("Argon", 5)
	if len(found) != 2 || found[0].Login != "ARGON" || found[1].Login != "argon" {
		t.Fatalf("%+v", found)
	}
	if found := r.Why("argon", 1); len(found) != 1 || found[0].Login != "ARGON" {
		t.Errorf("the newest: %+v", found)
	}
	r.ask(&radiustest.Request{Method: radiustest.PAP, Login: "anonymous", Password: "x",
		AccessPoint: radiustest.AccessPoint{Station: []byte{2, 0, 0, 0, 0, 7}}})
	for _, station := range []string{"02:00:00:00:00:07", "02-00-00-00-00-07", "0200.0000.0007"} {
		if found := r.Why(station, 5); len(found) != 1 || found[0].Login != "anonymous" {
			t.Errorf("by device %s: %+v", station, found)
		}
	}
	if found := r.Why("02:00:00:00:00:07 and more", 5); len(found) != 0 {
		t.Errorf("by what only begins as a device: %+v", found)
	}
	for range 100 {
		r.ask(&radiustest.Request{Method: radiustest.PAP, Login: "nobody", Password: "x"})
	}
	if n := len(r.Why("nobody", 100)); n != 64 {
		t.Errorf("%d kept, want the last 64", n)
	}
}

// What the log's writer has missed is counted.
func TestJournalCountsWhatIsLost(t *testing.T) {
	t.Parallel()
	j := newJournal(batchSize)
	for range batchSize + 10 {
		j.add()
	}
	records, next, lost := j.since(5, make([]record, 0, 4))
	if len(records) != 4 || next != 14 || lost != 5 {
		t.Errorf("%d records, next %d, %d lost", len(records), next, lost)
	}
	records, next, lost = j.since(batchSize+8, make([]record, 0, 4))
	if len(records) != 2 || next != batchSize+10 || lost != 0 {
		t.Errorf("%d records, next %d, %d lost", len(records), next, lost)
	}
}

func TestSentence(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 21, 3, 11, 0, time.UTC)
	tests := []struct {
		d    Decision
		want string
	}{
		{Decision{At: at, Client: "lobby", Site: "berlin", SSID: "Members", Method: "pap", Verdict: member.Deny, Reason: member.ReasonWrongProof, Source: "staff"},
			"2026-11-22 21:03:11 refused at lobby (site berlin, SSID Members, pap): the password is wrong; said by staff"},
		{Decision{At: at, Client: "lobby", Method: "mschapv2", Verdict: member.Allow, Plan: "hot-desk", VLAN: "101", SessionTimeout: time.Hour, Source: "club", Age: 90 * time.Second},
			"2026-11-22 21:03:11 let in at lobby (mschapv2), plan hot-desk, VLAN 101, for 1h0m0s; said by club 1m30s before"},
		{Decision{At: at, Client: "lobby", Method: "pap", Verdict: member.Allow, SessionTimeout: 100 * time.Hour},
			"2026-11-22 21:03:11 let in at lobby (pap), for 4 days"},
		{Decision{At: at, Client: "lobby", Method: "pap", Reason: member.ReasonTimeout, Source: "club"},
			"2026-11-22 21:03:11 not answered at lobby (pap): a member system did not answer in time; said by club"},
		{Decision{At: at, Client: "lobby", Method: "pap", Verdict: member.Deny, Reason: member.ReasonRefused, Message: "Pay\x1b[31m", SSID: "\u202eevil"},
			"2026-11-22 21:03:11 refused at lobby (SSID \\u202eevil, pap): the member system checked the password and refused: \"Pay\\x1b[31m\""},
	}
	for _, tt := range tests {
		if got := tt.d.Sentence(); got != tt.want {
			t.Errorf("\n%s\nwant\n%s", got, tt.want)
		}
	}
}

// F21: whatever a device calls itself, the log stays one line and shows no raw octet of it.
func TestLogIsEscaped(t *testing.T) {
	t.Parallel()
	for _, format := range []logrus.Formatter{&logrus.TextFormatter{DisableColors: true}, &logrus.JSONFormatter{}} {
		r := startRig(t, quick, func(c *Config, _ *ClientConfig, _ *members) { c.Log.SetFormatter(format) })
		hostile := []string{"a\nlevel=error msg=forged", "\x1b[2J", "\r\n\r\n", "\u202egnp.exe", "%{User-Password}", "a\x00b", strings.Repeat("\xff", 253), `"quoted"`}
		for _, login := range hostile {
			q := &radiustest.Request{Method: radiustest.PAP, Login: login, Password: "x"}
			q.AccessPoint = radiustest.AccessPoint{Identifier: login[:min(len(login), 60)], SSID: login[:min(len(login), 30)]}
			r.ask(q)
		}
		eventually(t, "all are logged", func() bool { return strings.Count(r.log.String(), "access") >= len(hostile) })
		log := r.log.String()
		if n := strings.Count(log, "\n"); n != len(hostile) {
			t.Errorf("%d lines for %d decisions:\n%s", n, len(hostile), log)
		}
		for _, raw := range []string{"\x1b", "\r", "\u202e", "\x00", "\xff"} {
			if strings.Contains(log, raw) {
				t.Errorf("%q is in the log", raw)
			}
		}
	}
}

// The canary test of the spine: at debug level, with every kind of outcome, no
// secret is in the log, in a metric or in an explanation.
func TestNoSecretLeaves(t *testing.T) {
	t.Parallel()
	const canary = "canary-password"
	hash := member.Hash{0xca, 0x0a, 0x0b, 0x0c, 0x0d, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	r := startRig(t, quick, tolerate, func(_ *Config, c *ClientConfig, m *members) {
		c.Methods = Methods()
		m.records["canary"] = &member.Record{Credential: member.Credential{Password: canary}}
		m.records["broken"] = &member.Record{Credential: member.Credential{Argon2id: "$argon2id$" + canary}}
		m.records["hash"] = &member.Record{Credential: member.Credential{NTHash: &hash}}
		m.answers["key"] = member.Answer{Verdict: member.Allow, Proved: true, NTKey: &hash}
		m.attempt = func(a member.Attempt) {
			if a.Login == "boom" {
				panic(fmt.Sprint(canary, a))
			}
		}
	})
	var replies [][]byte
	for _, method := range []radiustest.Method{radiustest.PAP, radiustest.CHAP, radiustest.MSCHAP, radiustest.MSCHAPv2} {
		for id, login := range []string{"canary", "nobody", "broken", "hash", "key", "boom"} {
			for k, password := range []member.Secret{canary, canary + "-wrong"} {
				sent := r.sign(&radiustest.Request{Method: method, Login: login, Password: password}, byte(2*id+k))
				replies = append(replies, r.exchange(r.wire(0), sent.Bytes))
			}
		}
	}
	eventually(t, "all is logged", func() bool { return strings.Contains(r.log.String(), "panicked") && len(r.Why("broken", 99)) == 8 })
	metrics, err := r.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := r.log.String() + fmt.Sprint(metrics)
	for _, login := range []string{"canary", "nobody", "broken", "hash", "key"} {
		for _, d := range r.Why(login, 99) {
			all += fmt.Sprintf("%+v %s", d, d.Sentence())
		}
	}
	leaks := []string{canary, rigSecret, "ca0a0b0c", "CA0A0B0C", "202 10 11 12 13", fmt.Sprintf("%x", canary)}
	for _, leak := range leaks {
		if strings.Contains(all, leak) {
			t.Errorf("%q is in log, metrics or explanations", leak)
		}
	}
	if len(replies) != 48 {
		t.Errorf("%d exchanges", len(replies))
	}
	r.panics = testutil.ToFloat64(r.meters.panics)
}

// At warn no decision is logged, and the journal has them all the same.
func TestWarnLevel(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick, func(c *Config, _ *ClientConfig, _ *members) { c.Log.SetLevel(logrus.WarnLevel) })
	r.ask(papRequest())
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if log := r.log.String(); log != "" || len(r.Why("bob", 1)) != 1 {
		t.Errorf("%d decisions, log:\n%s", len(r.Why("bob", 1)), log)
	}
}

// argon2id is checked in the pool, right and wrong.
func TestArgon2id(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick)
	for password, want := range map[member.Secret]radiustest.Code{"hello": radiustest.AccessAccept, "Hello": radiustest.AccessReject} {
		reply := r.ask(&radiustest.Request{Method: radiustest.PAP, Login: "argon", Password: password})
		if reply.Code != want {
			t.Errorf("%v, want %v: %s", reply.Code, want, r.Why("argon", 1)[0].Sentence())
		}
	}
}
