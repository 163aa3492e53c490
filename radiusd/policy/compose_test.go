package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"memberradius/dictionary"
	"memberradius/member"
)

// monday is a Monday at noon in Berlin (UTC+1).
var monday = time.Date(2026, 1, 5, 11, 0, 0, 0, time.UTC)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// fullPlan has every key that policy knows.
func fullPlan() member.Plan {
	return member.Plan{
		Name: "hot-desk", Match: []string{"Hot Desk", "Flex 10"}, VLAN: "101",
		Down: must(member.ParseRate("50M")), Up: must(member.ParseRate("20M")),
		Session: 12 * time.Hour, Idle: 30 * time.Minute, Interim: 10 * time.Minute,
		Priority:   10,
		Attributes: []member.Attribute{{Name: "Filter-Id", Value: "basic"}},
	}
}

func book(t testing.TB, c Config) *Book {
	t.Helper()
	b, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// lines shows encoded attributes by name.
func lines(t testing.TB, encoded []byte) []string {
	t.Helper()
	var out []string
	err := dictionary.Builtin().Each(encoded, func(a *dictionary.Attribute, value []byte) {
		out = append(out, a.Name+" = "+a.Text(value))
	})
	if err != nil {
		t.Fatalf("what was composed can't be read: %v", err)
	}
	return out
}

func compose(t testing.TB, b *Book, in Input) (*Attributes, member.Reason) {
	t.Helper()
	if in.Now.IsZero() {
		in.Now = monday
	}
	if in.Answer == nil {
		in.Answer = &member.Answer{Verdict: member.Allow, Member: member.Member{Plans: []string{"hot-desk"}}}
	}
	out := &Attributes{}
	return out, b.Compose(&in, out)
}

func TestVLANPrecedence(t *testing.T) {
	t.Parallel()
	b := book(t, Config{Plans: []member.Plan{{Name: "with", VLAN: "20"}, {Name: "without"}}})
	for _, c := range []struct {
		name, want string
		member     member.Member
		client     member.VLAN
	}{
		{"nothing", "", member.Member{}, ""},
		{"client", "10", member.Member{}, "10"},
		{"client, plan without", "10", member.Member{Plans: []string{"without"}}, "10"},
		{"plan over client", "20", member.Member{Plans: []string{"with"}}, "10"},
		{"team over plan", "30", member.Member{Plans: []string{"with"}, TeamVLAN: "30"}, "10"},
		{"office over team", "40", member.Member{Plans: []string{"with"}, TeamVLAN: "30", OfficeVLAN: "40"}, "10"},
		{"member over all", "50", member.Member{Plans: []string{"with"}, TeamVLAN: "30", OfficeVLAN: "40", VLAN: "50"}, "10"},
		{"a name", "members", member.Member{VLAN: "members"}, ""},
		{"leading zeros", "7", member.Member{VLAN: "0007"}, ""},
		{"an impossible one is skipped", "20", member.Member{Plans: []string{"with"}, VLAN: "4095"}, "10"},
		{"impossible everywhere", "", member.Member{VLAN: "0", OfficeVLAN: "9999999999", TeamVLAN: "a\nb"}, "4095"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out, reason := compose(t, b, Input{Answer: &member.Answer{Member: c.member}, ClientVLAN: c.client})
			if reason != member.ReasonNone || out.VLAN() != c.want {
				t.Fatalf("VLAN %q, %v; want %q", out.VLAN(), reason, c.want)
			}
			got := strings.Join(lines(t, out.Bytes()), "; ")
			want := ""
			if c.want != "" {
				want = "Tunnel-Type = VLAN; Tunnel-Medium-Type = IEEE-802; Tunnel-Private-Group-Id = " + c.want
			}
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// Every vendor gets the tunnel untagged (RFC 2868 §3.1): tag octet 0 in
// numbers, none in text.
func TestTunnelIsUntagged(t *testing.T) {
	t.Parallel()
	b := book(t, Config{})
	for _, v := range Vendors() {
		out, _ := compose(t, b, Input{Vendor: v, Answer: &member.Answer{Member: member.Member{VLAN: "101"}}})
		const want = "\x40\x06\x00\x00\x00\x0d\x41\x06\x00\x00\x00\x06\x51\x05101"
		if !strings.HasPrefix(string(out.Bytes()), want) {
			t.Errorf("%s: %x, want %x first", v, out.Bytes(), want)
		}
	}
}

func TestPlanChoice(t *testing.T) {
	t.Parallel()
	b := book(t, Config{
		Plans: []member.Plan{
			{Name: "guest"}, {Name: "flex", Match: []string{"Flex 10", "Träumerei"}, Priority: 5},
			{Name: "office", Priority: 10}, {Name: "club", Priority: 10},
		},
		Sites: []Site{{Name: "open"}, {Name: "default", DefaultPlan: "GUEST"}},
	})
	for _, c := range []struct {
		name, site string
		plans      []string
		want       string
		reason     member.Reason
	}{
		{"by name", "open", []string{"flex"}, "flex", member.ReasonNone},
		{"by match, any case, spaces", "open", []string{"  fLEX 10 "}, "flex", member.ReasonNone},
		{"Unicode case and normal form", "open", []string{"TRA\u0308UMEREI"}, "flex", member.ReasonNone},
		{"highest priority", "open", []string{"guest", "office", "flex"}, "office", member.ReasonNone},
		{"first configured among equals", "open", []string{"club", "office"}, "office", member.ReasonNone},
		{"unknown ones do not count", "open", []string{"Unknown", "guest"}, "guest", member.ReasonNone},
		{"none matches, no default", "open", []string{"Unknown"}, "", member.ReasonNoPlan},
		{"none matches, default", "default", []string{"Unknown"}, "guest", member.ReasonNone},
		{"no plan, default", "default", nil, "guest", member.ReasonNone},
		{"no plan, no default", "open", nil, "", member.ReasonNone},
		{"empty names are no plan", "open", []string{"", "  "}, "", member.ReasonNone},
		{"a site that is not configured", "elsewhere", []string{"Unknown"}, "", member.ReasonNoPlan},
		{"a very long name", "open", []string{strings.Repeat("x", 10000)}, "", member.ReasonNoPlan},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out, reason := compose(t, b, Input{Site: c.site, Answer: &member.Answer{Member: member.Member{Plans: c.plans}}})
			if reason != c.reason || out.Plan() != c.want {
				t.Errorf("%q, %v; want %q, %v", out.Plan(), reason, c.want, c.reason)
			}
		})
	}
}

func TestHoursAndSSIDs(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones on this machine: ", err)
	}
	p := fullPlan()
	p.Hours = must(member.ParseHours("Mon-Fri 08:00-20:00"))
	p.SSIDs = []string{"Members", "Café"}
	open := p
	open.Name, open.Match, open.SSIDs = "any", nil, []string{"Members", ""}
	b := book(t, Config{Plans: []member.Plan{p, open}, Sites: []Site{{Name: "berlin", Zone: berlin}, {Name: "utc"}}})
	at := func(h, m int) time.Time { return time.Date(2026, 1, 5, h, m, 0, 0, time.UTC) }
	for _, c := range []struct {
		name, site, plan, ssid string
		now                    time.Time
		reason                 member.Reason
		session                time.Duration
	}{
		{"open until 20:00 Berlin", "berlin", "hot-desk", "Members", at(11, 0), member.ReasonNone, 8 * time.Hour},
		{"08:00 Berlin is 07:00 UTC", "berlin", "hot-desk", "Members", at(7, 0), member.ReasonNone, 12 * time.Hour},
		{"a minute before", "berlin", "hot-desk", "Members", at(6, 59), member.ReasonOutOfHours, 0},
		{"the same minute in UTC is closed", "utc", "hot-desk", "Members", at(7, 0), member.ReasonOutOfHours, 0},
		{"end", "berlin", "hot-desk", "Members", at(19, 0), member.ReasonOutOfHours, 0},
		{"the last second", "berlin", "hot-desk", "Members", at(18, 59).Add(59*time.Second + 999*time.Millisecond), member.ReasonNone, time.Second},
		{"another SSID", "berlin", "hot-desk", "Guests", at(11, 0), member.ReasonWrongSSID, 0},
		{"exact", "berlin", "hot-desk", "members", at(11, 0), member.ReasonWrongSSID, 0},
		{"octets", "berlin", "hot-desk", "Café", at(11, 0), member.ReasonNone, 8 * time.Hour},
		{"a NAS that does not say", "berlin", "hot-desk", "", at(11, 0), member.ReasonWrongSSID, 0},
		{"a NAS that need not say", "berlin", "any", "", at(11, 0), member.ReasonNone, 8 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out, reason := compose(t, b, Input{Site: c.site, SSID: c.ssid, Now: c.now,
				Answer: &member.Answer{Member: member.Member{Plans: []string{c.plan}}}})
			if reason != c.reason || out.SessionTimeout() != c.session {
				t.Errorf("%v, %s; want %v, %s", reason, out.SessionTimeout(), c.reason, c.session)
			}
			if reason != member.ReasonNone && len(out.Bytes()) != 0 {
				t.Errorf("a refusal carries %x", out.Bytes())
			}
		})
	}
}

func TestSessionTimeout(t *testing.T) {
	t.Parallel()
	b := book(t, Config{Plans: []member.Plan{{Name: "12h", Session: 12 * time.Hour}, {Name: "open"},
		{Name: "attribute", Session: 12 * time.Hour, Attributes: []member.Attribute{{Name: "Session-Timeout", Value: "60"}}}}})
	for _, c := range []struct {
		name, plan string
		until      time.Time
		backend    string
		want       time.Duration
	}{
		{"none", "open", time.Time{}, "", 0},
		{"plan", "12h", time.Time{}, "", 12 * time.Hour},
		{"membership ends first", "12h", monday.Add(time.Hour), "", time.Hour},
		{"plan ends first", "12h", monday.Add(24 * time.Hour), "", 12 * time.Hour},
		{"whole seconds", "open", monday.Add(1999 * time.Millisecond), "", time.Second},
		{"at least a second", "open", monday.Add(time.Millisecond), "", time.Second},
		{"ended already", "open", monday.Add(-time.Hour), "", time.Second},
		{"the member system's", "12h", time.Time{}, "300", 300 * time.Second},
		{"it can't make it longer", "12h", time.Time{}, "999999", 12 * time.Hour},
		{"it may be the only one", "open", time.Time{}, "300", 300 * time.Second},
		{"no use as a number", "open", time.Time{}, "soon", 0},
		{"zero would be no bound", "open", time.Time{}, "0", 0},
		{"2099 fits a signed number", "open", time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC), "", seconds(maxSession)},
		{"a plan's own attribute", "attribute", time.Time{}, "", time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := &member.Answer{Member: member.Member{Plans: []string{c.plan}, ValidUntil: c.until}}
			if c.backend != "" {
				a.Attributes = []member.Attribute{{Name: "Session-Timeout", Value: c.backend}}
			}
			out, reason := compose(t, b, Input{Answer: a})
			if reason != member.ReasonNone || out.SessionTimeout() != c.want {
				t.Fatalf("%v, %s; want %s", reason, out.SessionTimeout(), c.want)
			}
			var want []string
			if c.want != 0 {
				want = []string{fmt.Sprintf("Session-Timeout = %d", c.want/time.Second)}
			}
			if got := lines(t, out.Bytes()); strings.Join(got, ";") != strings.Join(want, ";") {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
}

func TestReturnURL(t *testing.T) {
	t.Parallel()
	b := book(t, Config{})
	for _, c := range []struct{ name, vendor, url, want, refused string }{
		{"taken", "mikrotik", "https://club.example/?a=b", "WISPr-Redirection-URL = https://club.example/?a=b", ""},
		{"not taken there", "mist", "https://club.example/", "", ""},
		{"no URL", "generic", "javascript:alert(1)", "", "WISPr-Redirection-URL: a URL that begins"},
		{"line breaks", "generic", "https://a/\r\nX: y", "", "WISPr-Redirection-URL: text without control"},
		{"too long", "generic", "https://a/" + strings.Repeat("b", 300), "", "WISPr-Redirection-URL: 310 octets"},
	} {
		out, _ := compose(t, b, Input{Vendor: c.vendor, Answer: &member.Answer{ReturnURL: c.url}})
		if got := strings.Join(lines(t, out.Bytes()), ";"); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if got := strings.Join(out.Refused(), ";"); !strings.HasPrefix(got, c.refused) || (c.refused == "") != (got == "") {
			t.Errorf("%s: refused %q, want %q", c.name, got, c.refused)
		}
	}
}

// Attributes that were used before hold nothing of that member.
func TestReuse(t *testing.T) {
	t.Parallel()
	b := book(t, Config{Plans: []member.Plan{fullPlan()}})
	full := Input{Vendor: "mikrotik", Now: monday, Answer: &member.Answer{ReturnURL: "no URL", Member: member.Member{Plans: []string{"hot-desk"}},
		Attributes: []member.Attribute{set("Filter-Id", "x"), set("State", "x")}}}
	refused := Input{Now: monday, Answer: &member.Answer{Member: member.Member{Plans: []string{"unknown"}}}}
	bare := Input{Now: monday, Answer: &member.Answer{}}
	var out Attributes
	for _, in := range []*Input{&refused, &bare} {
		if b.Compose(&full, &out); len(out.Refused()) != 2 || out.VLAN() != "101" || out.SessionTimeout() == 0 {
			t.Fatalf("refused %q, VLAN %q", out.Refused(), out.VLAN())
		}
		b.Compose(in, &out)
		if len(out.Bytes()) != 0 || out.Plan() != "" || out.VLAN() != "" || out.SessionTimeout() != 0 || len(out.Refused()) != 0 {
			t.Errorf("left over: %x, plan %q, VLAN %q, %s, refused %q", out.Bytes(), out.Plan(), out.VLAN(), out.SessionTimeout(), out.Refused())
		}
	}
}

// hotInput is what the hot path sees: a plan, a VLAN of her own, a bound.
func hotInput() *Input {
	return &Input{
		Site: "berlin", Vendor: "mikrotik", ClientVLAN: "10", SSID: "Members", Now: monday,
		Answer: &member.Answer{Verdict: member.Allow, Member: member.Member{
			Plans: []string{"Hot Desk"}, VLAN: "77", ValidUntil: monday.AddDate(1, 0, 0)}},
	}
}

func hotBook(t testing.TB) *Book {
	p := fullPlan()
	p.SSIDs = []string{"Members"}
	q := fullPlan()
	q.Name, q.Match, q.Hours = "timed", nil, must(member.ParseHours("Mon-Fri 08:00-20:00, Sat 10:00-14:00"))
	return book(t, Config{Plans: []member.Plan{p, q}, Sites: []Site{{Name: "berlin"}}})
}

func TestNoAllocation(t *testing.T) {
	b, in, out := hotBook(t), hotInput(), &Attributes{}
	with := *in
	with.Answer = &member.Answer{Member: in.Answer.Member, Attributes: []member.Attribute{
		{Name: "Tunnel-Private-Group-Id", Value: "101"}, {Name: "Acct-Interim-Interval", Value: "300"},
		{Name: "Filter-Id", Value: "more", Op: member.OpAdd},
	}}
	timed := *in
	timed.Answer = &member.Answer{Member: member.Member{Plans: []string{"timed"}, VLAN: "members"}}
	for name, in := range map[string]*Input{"plain": in, "with attributes": &with, "with hours": &timed} {
		if n := testing.AllocsPerRun(100, func() {
			if b.Compose(in, out) != member.ReasonNone {
				t.Fatal("refused")
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}

func BenchmarkCompose(b *testing.B) {
	book, in, out := hotBook(b), hotInput(), &Attributes{}
	b.ReportAllocs()
	for b.Loop() {
		book.Compose(in, out)
	}
}

func BenchmarkComposeWithHours(b *testing.B) {
	book, in, out := hotBook(b), hotInput(), &Attributes{}
	in.Answer.Member.Plans = []string{"timed"}
	b.ReportAllocs()
	for b.Loop() {
		book.Compose(in, out)
	}
}
