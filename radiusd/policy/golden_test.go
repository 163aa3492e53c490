package policy

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"memberradius/dictionary"
	"memberradius/member"
)

var update = flag.Bool("update", false, "write golden files and docs/vendors.md anew")

// golden compares with a file, or writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; go test -update writes it", err)
	}
	if got != string(want) {
		t.Errorf("%s differs from what is sent; go test -update writes it anew. Now:\n%s", path, got)
	}
}

// TestGolden keeps what every vendor is sent, by name.
func TestGolden(t *testing.T) {
	t.Parallel()
	one := fullPlan()
	one.Name, one.Match, one.Down = "only up", nil, member.Rate{}
	named := fullPlan()
	named.Name, named.Match, named.VLAN = "named VLAN", nil, "members"
	slow := member.Plan{Name: "slow", Down: must(member.ParseRate("1500")), Up: must(member.ParseRate("5G"))}
	b := book(t, Config{Plans: []member.Plan{fullPlan(), one, named, slow}})
	for _, v := range Vendors() {
		t.Run(v, func(t *testing.T) {
			t.Parallel()
			var s strings.Builder
			for _, c := range []struct {
				title string
				in    Input
			}{
				{"a plan with all keys: vlan 101, down 50M, up 20M", Input{Answer: &member.Answer{Member: member.Member{Plans: []string{"hot-desk"}}}}},
				{"a plan with up alone", Input{Answer: &member.Answer{Member: member.Member{Plans: []string{"only up"}}}}},
				{"a plan whose VLAN is a name", Input{Answer: &member.Answer{Member: member.Member{Plans: []string{"named VLAN"}}}}},
				{"a plan with down 1500 and up 5G", Input{Answer: &member.Answer{Member: member.Member{Plans: []string{"slow"}}}}},
				{"no plan, her own VLAN 77, a return URL", Input{Answer: &member.Answer{Member: member.Member{VLAN: "77"}, ReturnURL: "https://club.example/"}}},
				{"no plan, client VLAN 10, attributes of the member system", Input{ClientVLAN: "10", Answer: &member.Answer{Attributes: []member.Attribute{
					set("Tunnel-Private-Group-Id", "101"), set("Acct-Interim-Interval", "300"), add("Cisco-AVPair", "url-redirect=https://club.example/")}}}},
			} {
				c.in.Vendor = v
				out, _ := compose(t, b, c.in)
				fmt.Fprintf(&s, "# %s\n%s\n\n", c.title, strings.Join(lines(t, out.Bytes()), "\n"))
			}
			golden(t, filepath.Join("testdata", v+".golden"), s.String())
		})
	}
}

// TestVendorsPage keeps docs/vendors.md as the code is.
func TestVendorsPage(t *testing.T) {
	t.Parallel()
	golden(t, filepath.Join("..", "..", "docs", "vendors.md"), page())
}

const pageHead = `# What each vendor is sent

Written by ` + "`go test ./radiusd/policy -update`" + ` from the tables in radiusd/policy/vendor_*.go; a test compares them.

Every vendor is sent, for these keys of a plan and whatever stands over them:

| key | attribute |
|---|---|
| vlan, and the member's, office's, team's or client's | Tunnel-Type = VLAN, Tunnel-Medium-Type = IEEE-802, Tunnel-Private-Group-Id, all untagged (RFC 3580 §3.31) |
| session, hours, the end of the membership | Session-Timeout: the shortest of them, at least 1 s |
| idle | Idle-Timeout |
| interim | Acct-Interim-Interval, at least 60 s |
| attributes | as written, by their operators |

The VLAN is the member's own; else her office's, her team's, her plan's, the client's. Where a plan lists ` + "`ssids`" + `, a
request whose NAS does not say the SSID is refused; list ` + "`\"\"`" + ` among them for such a NAS.

What comes besides, by vendor. Rates are rounded up to the attribute's unit.

| vendor | down | up | vlan (number) | vlan (name) | return_url |
|---|---|---|---|---|---|
`

const pageSystems = `
## Attributes of a member system

A member system's attributes come last: ` + "`:=`" + ` replaces those of that name, ` + "`=`" + ` is taken where there is none, ` + "`+=`" + ` adds one. Tunnel-Private-Group-Id
brings its two companions and the vendor's own attribute. Session-Timeout can only shorten the session, whatever its operator. At most 64 attributes and 2,048 octets are taken.
Bandwidth goes out by the attribute that the member system names: it is not translated into the vendor's. A MikroTik router heeds Mikrotik-Rate-Limit before
WISPr-*, so that a member system there has to replace a plan's Mikrotik-Rate-Limit.

The same rules hold for a plan's ` + "`attributes`" + `, where a breach is an error of the configuration. What never passes: attributes of the protocol and of
the NAS (User-Name, State, Class, EAP-*, Message-Authenticator, MS-CHAP*, MS-MPPE-*, NAS-*, Acct-* but for Acct-Interim-Interval, Reply-Message,
Vendor-Specific itself), everything that is a secret or travels encrypted, and what makes somebody an administrator of the NAS
(Service-Type but for Login-User, Framed-User, Authenticate-Only, Call-Check; Cisco-AVPair "shell:"; %s).
`

const pageSessions = `
## Which session is meant

What a Disconnect-Request or CoA-Request names a session by, in this order (RFC 5176 §3). What the NAS has not told in its accounting is
left out, and Calling-Station-Id is spelled as it was sent. A request that could name no session or device in particular is not sent.

| vendor | named by | asked to authenticate again by Cisco-AVPair | from |
|---|---|---|---|
`

func page() string {
	var s strings.Builder
	s.WriteString(pageHead)
	for _, v := range vendors {
		fmt.Fprintf(&s, "| %s | %s | %s | %s | %s | %s |\n", v.name, rateCell(v, true), rateCell(v, false),
			dash(strings.Join(nonEmpty(v.vlanNumber, fixed(v)), ", ")), dash(v.vlanName), dash(v.redirect))
	}
	s.WriteString("\n## What operators must know, and where vendors say so\n\n")
	for _, v := range vendors {
		fmt.Fprintf(&s, "**%s.** %s.\n", v.name, v.source)
		for _, l := range v.limits {
			fmt.Fprintf(&s, "- %s\n", l)
		}
		s.WriteString("\n")
	}
	fmt.Fprintf(&s, strings.TrimPrefix(pageSystems, "\n"), strings.Join(managementNames(), ", "))
	s.WriteString(pageSessions)
	for _, v := range vendors {
		titles := make([]string, len(v.session))
		for i, id := range v.session {
			titles[i] = identities[id].title
		}
		fmt.Fprintf(&s, "| %s | %s | %s | %s |\n", v.name, strings.Join(titles, ", "), dash(v.reauthenticate), v.sessionSource)
	}
	return s.String()
}

func managementNames() []string {
	var names []string
	d := dictionary.Builtin()
	for _, vendor := range []uint32{9, 11, 2636, 12356, 14823, 14988, 17713, 25053} {
		for n := range uint32(256) {
			if a, ok := d.ByNumber(vendor, n); ok && management[uint64(vendor)<<32|uint64(n)] {
				names = append(names, a.Name)
			}
		}
	}
	return names
}

// Every number of the list is an attribute that the dictionary knows, so that none guards nothing.
func TestManagementAttributesExist(t *testing.T) {
	t.Parallel()
	if got, want := len(managementNames()), len(management); got != want {
		t.Errorf("%d of %d have a name", got, want)
	}
}

func rateCell(v *vendor, down bool) string {
	var cells []string
	if v.pair != "" {
		cells = append(cells, v.pair+" \"up/down\" (as configured, where both are set)")
	}
	for _, r := range v.rates {
		if r.down == down {
			cells = append(cells, fmt.Sprintf("%s (%s)", r.attribute, map[uint64]string{1: "bit/s", 1000: "kbit/s"}[r.unit]))
		}
	}
	if v.pair != "" {
		return strings.Join(cells, ", else ")
	}
	return dash(strings.Join(cells, ", "))
}

func fixed(v *vendor) string {
	if v.vlanFixed == "" {
		return ""
	}
	return v.vlanFixed + " = " + v.vlanFixedValue
}

func nonEmpty(s ...string) []string {
	var out []string
	for _, x := range s {
		if x != "" {
			out = append(out, x)
		}
	}
	return out
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
