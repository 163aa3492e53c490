package policy

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"memberradius/dictionary"
	"memberradius/member"
)

// wired is a session of which everything is known.
func wired() *member.Session {
	return &member.Session{
		Client: "lobby", NAS: "ap1", ID: "5F3A9C00AB12CD34", User: "anna@club.example", MultiID: "00112233AABBCCDD",
		Audit: "0A00020A0000001C5F3A9C00", StationMAC: "aa:bb:cc:dd:ee:ff", Calling: "AA-BB-CC-DD-EE-FF",
		Called: "02-00-00-00-00-01:Members", Address: netip.MustParseAddr("10.1.2.3"),
		Peer: netip.MustParseAddr("203.0.113.9"), NASAddress: netip.MustParseAddr("192.0.2.10"), NASIdentifier: "ap1",
		Port: 7, HasPort: true, PortID: "wlan0", Login: "anna", SSID: "Members",
	}
}

// TestIdentifyGolden keeps what every vendor is sent to find a session, by name.
func TestIdentifyGolden(t *testing.T) {
	t.Parallel()
	bare := &member.Session{ID: "81c0004a", User: "anna", StationMAC: "aa:bb:cc:dd:ee:ff"}
	byMAC := wired()
	byMAC.User, byMAC.Audit, byMAC.MultiID, byMAC.Address = "aabbccddeeff", "", "", netip.Addr{}
	six := wired()
	six.NASAddress, six.Address = netip.MustParseAddr("2001:db8::a"), netip.MustParseAddr("2001:db8::b")
	for _, v := range Vendors() {
		t.Run(v, func(t *testing.T) {
			t.Parallel()
			var s strings.Builder
			for _, c := range []struct {
				title   string
				session *member.Session
			}{
				{"everything is known", wired()},
				{"admitted by its MAC, no address", byMAC},
				{"IPv6 alone", six},
				{"the NAS tells nothing of itself, and no Calling-Station-Id", bare},
			} {
				fmt.Fprintf(&s, "# %s\n%s\n\n", c.title, strings.Join(lines(t, Identify(v, c.session, nil)), "\n"))
			}
			fmt.Fprintf(&s, "# to authenticate again\n%s\n", strings.Join(lines(t, Reauthenticate(v, nil)), "\n"))
			golden(t, filepath.Join("testdata", v+".session.golden"), s.String())
		})
	}
}

// A Disconnect-Request has nothing but what RFC 5176 §3 lets identify a NAS or a
// session, or a NAS refuses it (401). audit-session-id identifies at Cisco's.
func TestIdentifyOnlyIdentifies(t *testing.T) {
	t.Parallel()
	may := []string{"User-Name", "NAS-IP-Address", "NAS-IPv6-Address", "NAS-Identifier", "Calling-Station-Id", "Framed-IP-Address", "Acct-Session-Id", "Acct-Multi-Session-Id"}
	for _, v := range append(Vendors(), "", "unknown") {
		seen := map[string]bool{}
		err := dictionary.Builtin().Each(Identify(v, wired(), nil), func(a *dictionary.Attribute, value []byte) {
			audit := a.Name == "Cisco-AVPair" && string(value) == "audit-session-id=0A00020A0000001C5F3A9C00"
			if !audit && !slices.Contains(may, a.Name) || seen[a.Name] {
				t.Errorf("%s: %s = %s", v, a.Name, a.Text(value))
			}
			seen[a.Name] = true
		})
		if err != nil || len(seen) == 0 {
			t.Errorf("%s: %d attributes, %v", v, len(seen), err)
		}
	}
}

// hostapd refuses a Disconnect-Request with any other attribute (401): its list.
func TestIdentifyHostapd(t *testing.T) {
	t.Parallel()
	takes := []uint32{1, 4, 31, 32, 44, 50, 95}
	for _, v := range []string{"generic", "unifi", "omada", "mist"} {
		err := dictionary.Builtin().Each(Identify(v, wired(), nil), func(a *dictionary.Attribute, _ []byte) {
			if a.Vendor != 0 || !slices.Contains(takes, a.Number) {
				t.Errorf("%s: %s", v, a.Name)
			}
		})
		if err != nil {
			t.Errorf("%s: %v", v, err)
		}
	}
}

// What would name a member, or a NAS, and no session of hers in particular, is nothing.
func TestIdentifyNobody(t *testing.T) {
	t.Parallel()
	s := wired()
	s.ID, s.MultiID, s.Audit, s.Calling, s.StationMAC, s.Address = "", "", "", "", "", netip.Addr{}
	for _, v := range Vendors() {
		if got := Identify(v, s, []byte("before")); string(got) != "before" {
			t.Errorf("%s: %v", v, lines(t, got[len("before"):]))
		}
	}
	alone := &member.Session{StationMAC: "aa:bb:cc:dd:ee:ff"}
	for _, v := range Vendors() {
		if got := lines(t, Identify(v, alone, nil)); len(got) != 1 {
			t.Errorf("%s: a MAC alone names a device: %v", v, got)
		}
	}
	if got := Identify("generic", &member.Session{User: strings.Repeat("a", 254), ID: "1"}, []byte("before")); string(got) != "before\x2c\x031" {
		t.Errorf("a text of 254 octets: %q", got)
	}
}

// A User-Name that is the MAC, however it is spelled, is none that hostapd finds.
func TestIdentifyMACName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"aabbccddeeff": false, "AA-BB-CC-DD-EE-FF": false, "aabb.ccdd.eeff": false, "Aa:bB:cc:dd:ee:ff": false,
		"aabbccddeefe": true, "anna": true, "": false,
	} {
		s := wired()
		s.User = name
		got := slices.ContainsFunc(lines(t, Identify("generic", s, nil)), func(l string) bool { return strings.HasPrefix(l, "User-Name = ") })
		if got != want {
			t.Errorf("%q: User-Name is sent: %t", name, got)
		}
	}
}

// Every vendor has what names a session, says where it is from, and has one kind once.
func TestSessionTables(t *testing.T) {
	t.Parallel()
	for _, v := range vendors {
		if len(v.session) == 0 || v.sessionSource == "" {
			t.Errorf("%s: %d identities, source %q", v.name, len(v.session), v.sessionSource)
		}
		kinds := slices.Clone(v.session)
		slices.Sort(kinds)
		if len(slices.Compact(kinds)) != len(v.session) {
			t.Errorf("%s names something twice", v.name)
		}
	}
}
