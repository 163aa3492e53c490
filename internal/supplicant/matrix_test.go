//go:build linux

package supplicant

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"layeh.com/radius"
)

// A row is one way for a device to try, and what must come of it.
type row struct {
	name   string
	device device
	// setting is the server's; nil is open.
	setting *setting
	fate    fate
	// rejoins is how often the device comes back after its first join.
	rejoins int
	// mtu is what the access point says in Framed-MTU; 0 is eapol_test's 1,400.
	mtu int
	// keyName: the access point asks for EAP-Key-Name.
	keyName bool
	noEMS   bool

	// refused has words of what `memberradius why` says; "" means let in.
	refused string
	// whose is the login that `why` is asked about; "" is the device's.
	whose string
	// resumes: every join after the first is a fast reconnect.
	resumes bool
	// vlan is what the Accept says; "" is the plan's.
	vlan string
	// version is the TLS version that must come of it; "" is the device's.
	version string
	// unsaid are words that eapol_test must not say.
	unsaid string
	// freeradius says why this row is not for FreeRADIUS 3.2.
	freeradius string
}

func allRows() []row {
	return slices.Concat(methodRows(), fragmentRows(), mtuRows(), bindingRows(), resumeRows(), passwordRows(),
		certificateRows(), wireRows(), noEMSRows(), peopleRows(), offerRows(), extraRows())
}

// TestMatrix is the proof that devices with wpa_supplicant get through, and
// that those get no further which must not.
func TestMatrix(t *testing.T) {
	t.Parallel()
	need(t, "eapol_test", "eapoltest")
	prepare(t)
	var macs atomic.Uint32
	for _, r := range allRows() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			if *serverFlag == "freeradius" && r.freeradius != "" {
				t.Skip("FreeRADIUS: " + r.freeradius)
			}
			n := macs.Add(1)
			r.run(t, fmt.Sprintf("02:00:00:00:%02x:%02x", n>>8, n&255))
		})
	}
}

// TestMatrixIsWide counts: the rows are built by loops, and one that runs empty
// would not be missed.
func TestMatrixIsWide(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, r := range allRows() {
		if names[r.name] {
			t.Errorf("two rows are called %s", r.name)
		}
		names[r.name] = true
	}
	if len(names) < 80 {
		t.Errorf("%d rows, want 80 at least", len(names))
	}
}

func (r *row) run(t *testing.T, mac string) {
	if r.setting == nil {
		r.setting = open
	}
	server := serve(t, r.setting)
	j := &join{device: r.device, wire: lay(t, server.address, r.fate), mac: mac, noEMS: r.noEMS}
	if r.rejoins > 0 {
		j.args = append(j.args, "-r", strconv.Itoa(r.rejoins))
	}
	if r.mtu > 0 {
		j.args = append(j.args, "-N", fmt.Sprintf("%d:d:%d", framedMTU, r.mtu))
	}
	if r.keyName {
		j.args = append(j.args, "-e")
	}
	v := j.run(t)
	defer func() {
		if t.Failed() {
			t.Logf("eapol_test:\n%s", v.outline())
		}
	}()
	if r.unsaid != "" && strings.Contains(v.said, r.unsaid) {
		t.Errorf("eapol_test said %q", r.unsaid)
	}
	if *serverFlag == "memberradius" {
		checkWire(t, j.wire)
	}
	if r.refused != "" {
		r.checkRefused(t, v, j, server)
		return
	}
	r.checkJoined(t, v, j)
}

// checkJoined looks at everything that a device and its access point were given.
func (r *row) checkJoined(t *testing.T, v verdict, j *join) {
	joins := 1 + r.rejoins
	if !v.success || v.matched != joins || v.mismatched != 0 {
		why, _ := serve(t, r.setting).why(r.device.Login, j.mac)
		t.Fatalf("eapol_test: success %v, keys right %d times of %d, wrong %d times; server: %s", v.success, v.matched, joins, v.mismatched, why)
	}
	r.checkTunnel(t, v)
	accepts := 0
	for _, d := range j.wire.datagrams() {
		if !d.reply || d.raw[0] != accessAccept {
			continue
		}
		accepts++
		p, err := parse(d.raw)
		if err != nil {
			t.Fatal(err)
		}
		r.checkAccept(t, p)
	}
	if accepts != joins {
		t.Errorf("%d Access-Accepts for %d joins", accepts, joins)
	}
	lost, asked := j.wire.tally()
	if (r.fate.loseReply > 0 || r.fate.loseRequest > 0) && lost == 0 {
		t.Error("the wire lost nothing: the row proves nothing")
	}
	if r.fate.again && asked < 2 {
		t.Errorf("the access point had %d repeated answers", asked)
	}
}

// checkTunnel looks at the versions, and at who came by fast reconnect.
func (r *row) checkTunnel(t *testing.T, v verdict) {
	if version := max(r.version, r.device.tls); version != "" && (len(v.versions) == 0 || v.versions[0] != version) {
		t.Errorf("TLS %v, want %s", v.versions, version)
	}
	if r.rejoins == 0 {
		return
	}
	resumed := 0
	for _, yes := range v.resumed {
		if yes {
			resumed++
		}
	}
	want := 0
	if r.resumes {
		want = r.rejoins
	}
	if resumed != want {
		t.Errorf("%d of %d joins were fast reconnects, want %d", resumed, 1+r.rejoins, want)
	}
}

func (r *row) checkAccept(t *testing.T, p packet) {
	group := r.vlan
	if group == "" {
		group = vlan
	}
	if got := strings.Join(p.values(tunnelGroup), ", "); got != group {
		t.Errorf("VLAN %q, want %q", got, group)
	}
	if *serverFlag != "memberradius" {
		return
	}
	for kind, want := range map[radius.Type]int{tunnelType: 13, tunnelMediumType: 6} { // RFC 3580 §3.31
		if got, _ := p.number(kind); got&0xffffff != want {
			t.Errorf("attribute %d is %d, want %d", kind, got, want)
		}
	}
	if got := p.values(userName); len(got) != 1 || got[0] != r.device.Login {
		t.Errorf("User-Name %q, want %q", got, r.device.Login)
	}
	if got := p.values(class); len(got) != 1 || got[0] == "" {
		t.Errorf("Class %q", got)
	}
	if got := p.values(eapKeyName); (len(got) == 1) != r.keyName {
		t.Errorf("EAP-Key-Name %q, asked for: %v", got, r.keyName)
	}
}

// checkRefused: the device heard a definite no, and the operator why.
func (r *row) checkRefused(t *testing.T, v verdict, j *join, server *serving) {
	if v.success || v.matched > 0 {
		t.Fatalf("eapol_test: success %v, %d keys", v.success, v.matched)
	}
	seen := j.wire.datagrams()
	if last := seen[len(seen)-1]; !last.reply || last.raw[0] != accessReject {
		t.Errorf("the last of %d packets is no Access-Reject", len(seen))
	}
	whose := r.whose
	if whose == "" {
		whose = r.device.Login
	}
	why, err := server.why(whose, j.mac)
	if err != nil {
		t.Error(err)
	}
	if *serverFlag == "memberradius" && (!strings.HasPrefix(why, "deny ") || !strings.Contains(why, r.refused)) {
		t.Errorf("why %s: %q, want %q", whose, why, r.refused)
	}
}

// checkWire holds every reply against the rules.
func checkWire(t *testing.T, w *wire) {
	t.Helper()
	requests := map[byte]packet{}
	for _, d := range w.datagrams() {
		p, err := parse(d.raw)
		if err != nil {
			t.Error(err)
			continue
		}
		if !d.reply {
			requests[d.raw[1]] = p
			continue
		}
		if err := check(requests[d.raw[1]], p); err != nil {
			t.Errorf("code %d, identifier %d: %v", d.raw[0], d.raw[1], err)
		}
	}
}
