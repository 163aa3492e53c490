package policy

import (
	"fmt"
	"strings"
	"testing"

	"memberradius/dictionary"
	"memberradius/member"
)

// set and its kin are attributes as configuration and member systems write them.
func set(name, value string) member.Attribute { return member.Attribute{Name: name, Value: value} }
func fill(name, value string) member.Attribute {
	return member.Attribute{Name: name, Value: value, Op: member.OpFill}
}
func add(name, value string) member.Attribute {
	return member.Attribute{Name: name, Value: value, Op: member.OpAdd}
}

func TestOperators(t *testing.T) {
	t.Parallel()
	p := member.Plan{Name: "p", VLAN: "20", Attributes: []member.Attribute{set("Filter-Id", "plan")}}
	bare := member.Plan{Name: "bare"}
	b := book(t, Config{Plans: []member.Plan{p, bare}})
	const tunnel = "Tunnel-Type = VLAN; Tunnel-Medium-Type = IEEE-802; Tunnel-Private-Group-Id = "
	for _, c := range []struct {
		name, plan string
		attributes []member.Attribute
		want       string
		refused    string
	}{
		{"none", "p", nil, "Filter-Id = plan; " + tunnel + "20", ""},
		{"set replaces the plan's", "p", []member.Attribute{set("filter-id", "b")}, "Filter-Id = b; " + tunnel + "20", ""},
		{"fill leaves it", "p", []member.Attribute{fill("Filter-Id", "b")}, "Filter-Id = plan; " + tunnel + "20", ""},
		{"fill where there is none", "bare", []member.Attribute{fill("Filter-Id", "b"), fill("Filter-Id", "c")}, "Filter-Id = b", ""},
		{"add", "p", []member.Attribute{add("Filter-Id", "b")}, "Filter-Id = plan; Filter-Id = b; " + tunnel + "20", ""},
		{"add twice, set, add", "p", []member.Attribute{add("Filter-Id", "b"), add("Filter-Id", "c"), set("Filter-Id", "d"), add("Filter-Id", "e")},
			"Filter-Id = d; Filter-Id = e; " + tunnel + "20", ""},
		{"a bad value does not cost the plan's", "p", []member.Attribute{set("Filter-Id", "")}, "Filter-Id = plan; " + tunnel + "20", "Filter-Id: at least 1 octet"},
		{"VLAN replaces", "p", []member.Attribute{set("Tunnel-Private-Group-Id", "101")}, "Filter-Id = plan; " + tunnel + "101", ""},
		{"VLAN brings its types", "bare", []member.Attribute{set("Tunnel-Private-Group-Id", "101")}, tunnel + "101", ""},
		{"VLAN fills", "bare", []member.Attribute{fill("Tunnel-Private-Group-Id", "101")}, tunnel + "101", ""},
		{"VLAN does not fill", "p", []member.Attribute{fill("Tunnel-Private-Group-Id", "101")}, "Filter-Id = plan; " + tunnel + "20", ""},
		{"VLAN can't be two", "p", []member.Attribute{add("Tunnel-Private-Group-Id", "101")}, "Filter-Id = plan; " + tunnel + "20", "Tunnel-Private-Group-Id: a member is in one VLAN"},
		{"the whole triple", "bare", []member.Attribute{set("Tunnel-Type", "VLAN"), set("Tunnel-Medium-Type", "6"), set("Tunnel-Private-Group-Id", "9")}, tunnel + "9", ""},
		{"types without VLAN", "bare", []member.Attribute{set("Tunnel-Type", "13")}, "", ""},
		{"another tunnel", "bare", []member.Attribute{set("Tunnel-Type", "GRE")}, "", "Tunnel-Type: only VLAN is possible"},
		{"another medium", "bare", []member.Attribute{set("Tunnel-Medium-Type", "IPv4")}, "", "Tunnel-Medium-Type: only IEEE-802 is possible"},
		{"VLAN too large", "p", []member.Attribute{set("Tunnel-Private-Group-Id", "4095")}, "Filter-Id = plan; " + tunnel + "20", "Tunnel-Private-Group-Id: a VLAN is"},
		{"interim", "bare", []member.Attribute{set("Acct-Interim-Interval", "300")}, "Acct-Interim-Interval = 300", ""},
		{"interim is at least 60", "bare", []member.Attribute{set("Acct-Interim-Interval", "5")}, "Acct-Interim-Interval = 60", ""},
		{"a type that does not fit", "bare", []member.Attribute{set("Idle-Timeout", "long")}, "", "Idle-Timeout: a number from 0 to 4294967295 is needed"},
		{"a value by name", "bare", []member.Attribute{set("Service-Type", "framed-user")}, "Service-Type = Framed-User", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out, reason := compose(t, b, Input{Answer: &member.Answer{Member: member.Member{Plans: []string{c.plan}}, Attributes: c.attributes}})
			if got := strings.Join(lines(t, out.Bytes()), "; "); reason != member.ReasonNone || got != c.want {
				t.Errorf("%v\n got %s\nwant %s", reason, got, c.want)
			}
			got := strings.Join(out.Refused(), "; ")
			if !strings.HasPrefix(got, c.refused) || (c.refused == "") != (got == "") {
				t.Errorf("refused %q, want %q", got, c.refused)
			}
		})
	}
}

// A vendor's own VLAN attribute is the VLAN, as the RFC's is, so that no reply names two.
func TestVendorsVLANAttribute(t *testing.T) {
	t.Parallel()
	b := book(t, Config{Plans: []member.Plan{{Name: "p", Attributes: []member.Attribute{set("Aruba-User-Vlan", "5")}}}})
	const tunnel = "Tunnel-Type = VLAN; Tunnel-Medium-Type = IEEE-802; Tunnel-Private-Group-Id = "
	for _, c := range []struct{ vendor, want string }{
		{"aruba", tunnel + "5; Aruba-User-Vlan = 5"},
		{"generic", "Aruba-User-Vlan = 5"},
	} {
		out, _ := compose(t, b, Input{Vendor: c.vendor, Answer: &member.Answer{Member: member.Member{Plans: []string{"p"}}}})
		if got := strings.Join(lines(t, out.Bytes()), "; "); got != c.want {
			t.Errorf("%s: %s, want %s", c.vendor, got, c.want)
		}
	}
	out, _ := compose(t, b, Input{Vendor: "mikrotik", ClientVLAN: "10", Answer: &member.Answer{
		Attributes: []member.Attribute{set("Mikrotik-Wireless-VLANID", "6")}}})
	const want = tunnel + "6; Mikrotik-Wireless-VLANID-Type = 802.1q; Mikrotik-Wireless-VLANID = 6"
	if got := strings.Join(lines(t, out.Bytes()), "; "); got != want {
		t.Errorf("mikrotik: %s, want %s", got, want)
	}
	out, _ = compose(t, b, Input{Vendor: "mikrotik", ClientVLAN: "10", Answer: &member.Answer{
		Attributes: []member.Attribute{set("Mikrotik-Wireless-VLANID-Type", "802.1ad")}}})
	const own = "Mikrotik-Wireless-VLANID-Type = 802.1ad; " + tunnel + "10; Mikrotik-Wireless-VLANID = 10"
	if got := strings.Join(lines(t, out.Bytes()), "; "); got != own {
		t.Errorf("mikrotik: %s, want %s", got, own)
	}
}

// Whatever the dictionary calls secret or protocol, no member system can set,
// under any name and with any value.
func TestProtocolAttributesNeverPass(t *testing.T) {
	t.Parallel()
	b := book(t, Config{})
	names := []string{
		"User-Name", "User-Password", "CHAP-Password", "CHAP-Challenge", "State", "Class", "Proxy-State", "EAP-Message",
		"EAP-Key-Name", "Message-Authenticator", "MS-CHAP-Response", "MS-CHAP2-Success", "MS-CHAP-Error", "MS-MPPE-Send-Key",
		"MS-MPPE-Recv-Key", "MS-MPPE-Encryption-Policy", "MS-CHAP-Domain", "Tunnel-Password", "Chargeable-User-Identity",
		"Vendor-Specific", "NAS-IP-Address", "NAS-Identifier", "NAS-Port", "NAS-Filter-Rule", "Acct-Session-Id",
		"Acct-Status-Type", "Reply-Message", "Error-Cause", "Operator-Name", "Aruba-MPSK-Passphrase", "Aruba-Admin-Role",
		"Aruba-Priv-Admin-User", "Mikrotik-Group", "Mikrotik-Wireless-PSK", "HP-Privilege-Level", "Fortinet-Access-Profile",
		"Called-Station-Id", "Calling-Station-Id", "Management-Privilege-Level", "Extended-Attribute-1",
	}
	const canary = "0x63616e617279"
	for _, name := range names {
		for _, vendor := range Vendors() {
			out, reason := compose(t, b, Input{Vendor: vendor, Answer: &member.Answer{Attributes: []member.Attribute{set(name, canary), add(name, "1"), fill(name, "10.0.0.1")}}})
			if reason != member.ReasonNone || len(out.Bytes()) != 0 {
				t.Errorf("%s at %s reached the wire: %x", name, vendor, out.Bytes())
			}
			if got := out.Refused(); len(got) != 3 || !strings.HasPrefix(got[0], name+": ") || strings.Contains(strings.Join(got, ""), canary) {
				t.Errorf("%s: refused %q", name, got)
			}
		}
	}
}

func TestHostileValues(t *testing.T) {
	t.Parallel()
	b := book(t, Config{})
	for _, a := range []member.Attribute{
		set("Service-Type", "Administrative-User"), set("Service-Type", "6"), set("Service-Type", "0x6"), set("Service-Type", "NAS-Prompt-User"),
		set("Cisco-AVPair", "shell:priv-lvl=15"), set("Cisco-AVPair", "SHELL:roles=x"),
		set("Filter-Id", "a\r\nb"), set("Filter-Id", "a\x00b"), set("Filter-Id", "\xff\xfe"), set("Filter-Id", strings.Repeat("x", 254)),
		set("", "x"), set("No-Such\r\nThing", "x"), set(strings.Repeat("N", 5000), "x"), set("Filter-Id ", "x"), set("%{User-Name}", "x"),
		set("Idle-Timeout", "-1"), set("Idle-Timeout", "4294967296"), set("Framed-IP-Address", "300.1.1.1"),
	} {
		out, _ := compose(t, b, Input{Answer: &member.Answer{Attributes: []member.Attribute{a}}})
		if len(out.Bytes()) != 0 || len(out.Refused()) != 1 {
			t.Errorf("%.40q = %.40q: %x, refused %q", a.Name, a.Value, out.Bytes(), out.Refused())
			continue
		}
		if why := out.Refused()[0]; strings.ContainsAny(why, "\r\n\x00") || len(why) > 400 {
			t.Errorf("%q can't go to a log", why)
		}
	}
}

func TestLimitsOfAMemberSystem(t *testing.T) {
	t.Parallel()
	b := book(t, Config{Plans: []member.Plan{fullPlan()}})
	var many, large []member.Attribute
	for i := range 100 {
		many = append(many, add("Filter-Id", fmt.Sprint(i)))
	}
	for range 20 {
		large = append(large, add("Filter-Id", strings.Repeat("x", 200)))
	}
	large = append(large, set("Filter-Id", strings.Repeat("y", 200)))
	out, _ := compose(t, b, Input{Answer: &member.Answer{Attributes: many}})
	if n := len(lines(t, out.Bytes())); n != 64 || strings.Join(out.Refused(), "") != "36 attributes: a member system may set 64" {
		t.Errorf("%d attributes, refused %q", n, out.Refused())
	}
	out, _ = compose(t, b, Input{Answer: &member.Answer{Member: member.Member{Plans: []string{"hot-desk"}}, Attributes: large}, ClientVLAN: "10"})
	if n := len(out.Bytes()); n > maxBackendBytes+200 || len(out.Refused()) != 11 {
		t.Errorf("%d octets, %d refused", n, len(out.Refused()))
	}
	if got := lines(t, out.Bytes()); !strings.HasPrefix(strings.Join(got, ";"), "WISPr-Bandwidth-Max-Down = 50000000;") {
		t.Errorf("the plan's are gone: %.200q", got)
	}
}

func TestNewSaysEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	_, err := New(Config{
		Plans: []member.Plan{
			{Name: "a", Match: []string{"Same"}, VLAN: "5000", Interim: 30e9},
			{Name: "b", Match: []string{"SAME ", ""}, Attributes: []member.Attribute{
				set("User-Password", "geheim"), set("Fliter-Id", "x"), set("Idle-Timeout", "x"), set("Tunnel-Private-Group-Id", "0")}},
			{Name: "A"},
			{Name: ""},
			{Name: "c", Session: -1, Attributes: []member.Attribute{set("Filter-Id", strings.Repeat("x", 250)), add("Filter-Id", strings.Repeat("x", 250)),
				add("Filter-Id", strings.Repeat("x", 250)), add("Filter-Id", strings.Repeat("x", 250)), add("Filter-Id", strings.Repeat("x", 250))}},
		},
		Sites: []Site{{Name: "s", DefaultPlan: "none"}, {Name: "s"}},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`plan "a": vlan "5000"`, `plan "a": interim = 30s: at least 60s`,
		`plan "b": match "SAME " belongs to plan "a"`, `plan "b": match: it must not be empty`,
		`plan "b": attribute "User-Password": it is a secret`, `plan "b": attribute "Fliter-Id": no dictionary has it`,
		`plan "b": attribute "Idle-Timeout": a number from`, `plan "b": attribute "Tunnel-Private-Group-Id": a VLAN is`,
		`plan "A": name "A" belongs to plan "a"`, `plan "": name: it must not be empty`,
		`plan "c": session = -1ns`, `plan "c": attribute "Filter-Id": with it there would be more than 1024 octets`,
		`site "s": default_plan "none" is no plan`, `site "s": there are two`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %s", want)
		}
	}
	if strings.Contains(err.Error(), "geheim") {
		t.Error("the error repeats a secret")
	}
	if t.Failed() {
		t.Log(err)
	}
}

func TestUnknownVendor(t *testing.T) {
	t.Parallel()
	if KnownVendor("cicso") || !KnownVendor("cisco") || !KnownVendor("") || Limits("cicso") != nil {
		t.Error("vendors are known that are not, or the reverse")
	}
	b := book(t, Config{Plans: []member.Plan{fullPlan()}})
	got, _ := compose(t, b, Input{Vendor: "cicso"})
	want, _ := compose(t, b, Input{Vendor: "generic"})
	if string(got.Bytes()) != string(want.Bytes()) || len(want.Bytes()) == 0 {
		t.Error("an unknown vendor is not generic")
	}
}

// What Compose writes can be read again, and stays in its bounds, whatever a member system says.
func FuzzCompose_NoPanic(f *testing.F) {
	b, err := New(Config{Plans: []member.Plan{fullPlan()}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("Filter-Id", "x", uint8(0), "mikrotik", "77")
	f.Add("Tunnel-Private-Group-Id", "101", uint8(2), "aruba", "\xff")
	f.Add("Framed-IPv6-Prefix", "2001:db8::/32", uint8(1), "", "4094")
	f.Fuzz(func(t *testing.T, name, value string, op uint8, vendor, vlan string) {
		a := member.Attribute{Name: name, Value: value, Op: member.Op(op % 3)}
		in := Input{Vendor: vendor, Now: monday, Answer: &member.Answer{
			Member:     member.Member{Plans: []string{"hot-desk", value}, VLAN: member.VLAN(vlan)},
			Attributes: []member.Attribute{a, a, a}, ReturnURL: value}}
		var out Attributes
		b.Compose(&in, &out)
		if err := dictionary.Builtin().Each(out.Bytes(), func(*dictionary.Attribute, []byte) {}); err != nil {
			t.Error(err)
		}
	})
}
