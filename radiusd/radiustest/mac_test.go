package radiustest

import (
	"bytes"
	"crypto/md5"
	"net"
	"net/netip"
	"slices"
	"testing"
)

var printer = net.HardwareAddr{0x02, 0x0a, 0xbb, 0xcc, 0xde, 0xf0}

// TestSpellings: each is written as controllers write it, and none twice.
func TestSpellings(t *testing.T) {
	t.Parallel()
	for spelling, want := range map[Spelling]string{
		{}:               "020abbccdef0",
		{Upper: true}:    "020ABBCCDEF0",
		{12, ":", false}: "020abbccdef0",
		{2, "-", true}:   "02-0A-BB-CC-DE-F0",
		{2, ":", false}:  "02:0a:bb:cc:de:f0",
		{4, ".", false}:  "020a.bbcc.def0",
		{6, "-", false}:  "020abb-ccdef0",
		{6, ":", true}:   "020ABB:CCDEF0",
		{1, ".", false}:  "0.2.0.a.b.b.c.c.d.e.f.0",
	} {
		if got := spelling.Write(printer); got != want {
			t.Errorf("%+v: %s, want %s", spelling, got, want)
		}
	}
	var written []string
	for _, s := range Spellings() {
		written = append(written, s.Write(printer))
	}
	slices.Sort(written)
	if n := len(slices.Compact(written)); n != 26 {
		t.Errorf("%d spellings, want 26", n)
	}
}

// TestMACForms: what a NAS sends for a device, attribute by attribute.
func TestMACForms(t *testing.T) {
	t.Parallel()
	nas := &NAS{Local: netip.MustParseAddrPort("192.0.2.7:0"), Secret: testSecret}
	dots := Spelling{Group: 4, Separator: "."}
	for _, c := range []struct {
		name            string
		request         Request
		login, password string
		kind            byte // of the password's attribute, 0: there is none
	}{
		{"as it is by itself", Request{}, "020abbccdef0", "020abbccdef0", typeUserPassword},
		{"both spelled", Request{Form: MACForm{User: dots}}, "020a.bbcc.def0", "020a.bbcc.def0", typeUserPassword},
		{"each its own way", Request{Form: MACForm{User: dots, Password: Spelling{Upper: true}}}, "020a.bbcc.def0", "020ABBCCDEF0", typeUserPassword},
		{"the secret", Request{Form: MACForm{Formality: SecretPassword}}, "020abbccdef0", string(testSecret), typeUserPassword},
		{"no characters", Request{Form: MACForm{Formality: EmptyPassword}}, "020abbccdef0", "", typeUserPassword},
		{"CHAP", Request{Form: MACForm{User: dots, CHAP: true}}, "020a.bbcc.def0", "020a.bbcc.def0", typeCHAPPassword},
		{"CHAP of the secret", Request{Form: MACForm{Formality: SecretPassword, CHAP: true}}, "020abbccdef0", string(testSecret), typeCHAPPassword},
		{"nothing", Request{Form: MACForm{Formality: NoPassword, CHAP: true}}, "020abbccdef0", "", 0},
		{"a login of its own", Request{Login: "02-00"}, "02-00", "02-00", typeUserPassword},
	} {
		c.request.Method, c.request.AccessPoint = MAC, AccessPoint{Station: printer}
		sent, err := nas.Sign(&c.request, 1)
		if err != nil {
			t.Fatal(err)
		}
		if login := string(bytes.Join(values(sent, typeUserName), nil)); login != c.login {
			t.Errorf("%s: User-Name %q", c.name, login)
		}
		if calling := values(sent, typeCallingStationID); len(calling) != 1 || string(calling[0]) != "02-0A-BB-CC-DE-F0" {
			t.Errorf("%s: Calling-Station-Id %q", c.name, calling)
		}
		for _, kind := range []byte{typeUserPassword, typeCHAPPassword, typeServiceType} {
			want := 0
			if kind == c.kind || kind == typeServiceType && c.kind == 0 {
				want = 1
			}
			if n := len(values(sent, kind)); n != want {
				t.Errorf("%s: %d attributes %d", c.name, n, kind)
			}
		}
		switch c.kind {
		case typeUserPassword:
			hidden := values(sent, typeUserPassword)[0]
			if got := bytes.TrimRight(newSigner(testSecret).reveal(hidden, sent.Bytes[4:headerSize]), "\x00"); string(got) != c.password {
				t.Errorf("%s: the password is another", c.name)
			}
		case typeCHAPPassword:
			response, challenge := values(sent, typeCHAPPassword)[0], values(sent, typeCHAPChallenge)[0]
			if sum := md5.Sum(slices.Concat(response[:1], []byte(c.password), challenge)); !bytes.Equal(sum[:], response[1:]) {
				t.Errorf("%s: the response is another", c.name)
			}
		default:
			if got := values(sent, typeServiceType)[0]; !bytes.Equal(got, []byte{0, 0, 0, 10}) {
				t.Errorf("%s: Service-Type % x", c.name, got)
			}
		}
	}
	if _, err := nas.Sign(&Request{Method: MAC}, 1); err == nil {
		t.Error("a device without an address is asked for")
	}
}

// TestCHAPChallengeSize: CHAP-Challenge of any length, or the Request Authenticator.
func TestCHAPChallengeSize(t *testing.T) {
	t.Parallel()
	nas := &NAS{Secret: testSecret}
	for asked, want := range map[int]int{0: 16, 5: 5, 253: 253, -1: -1} {
		sent, err := nas.Sign(&Request{Method: CHAP, Login: "anna", Password: "hello", ChallengeSize: asked}, 1)
		if err != nil {
			t.Fatal(err)
		}
		challenge, got := sent.Bytes[4:headerSize], -1
		if v := values(sent, typeCHAPChallenge); len(v) == 1 {
			challenge, got = v[0], len(v[0])
		}
		response := values(sent, typeCHAPPassword)[0]
		sum := md5.Sum(slices.Concat(response[:1], []byte("hello"), challenge))
		if got != want || !bytes.Equal(sum[:], response[1:]) {
			t.Errorf("%d: a challenge of %d octets, right %v", asked, got, bytes.Equal(sum[:], response[1:]))
		}
	}
	if _, err := nas.Sign(&Request{Method: CHAP, ChallengeSize: 254}, 1); err == nil {
		t.Error("a challenge that fits no attribute")
	}
}

// TestLoad_MAC: a load of devices.
func TestLoad_MAC(t *testing.T) {
	t.Parallel()
	server := &oneMember{secret: testSecret, password: "020abbccdef0"}
	l := &Load{Server: respond(t, server.answer).addr(), Secret: testSecret, Mode: MAC, Users: []User{{Login: "020abbccdef0"}}, Count: 50}
	result, err := l.Run(t.Context())
	if err != nil || result.Accepted != 50 {
		t.Errorf("%+v, %v", result, err)
	}
}
