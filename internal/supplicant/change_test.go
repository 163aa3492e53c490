//go:build linux

package supplicant

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/radiusd/radiustest"
)

// otherVLAN is where bob is moved to while he is on.
const otherVLAN = "102"

// changeWait is how long a change of the members' file may take at most.
const changeWait = 5 * time.Second

// TestMemberIsAskedAgain: a fast reconnect proves the device and nothing else. Who
// has been moved gets the new VLAN, who has been cancelled is refused.
func TestMemberIsAskedAgain(t *testing.T) {
	t.Parallel()
	need(t, "eapol_test", "eapoltest")
	if *serverFlag != "memberradius" {
		t.Skip("FreeRADIUS restores what it answered before")
	}
	prepare(t)
	for _, version := range both {
		for _, w := range ways(version)[:3] {
			w.device.phase1 = withTickets
			t.Run("moved/"+w.name, func(t *testing.T) {
				t.Parallel()
				v, j, _ := comeBackChanged(t, w.device, "vlan = "+otherVLAN)
				if !v.success || v.matched != 2 || !slices.Equal(v.resumed, []bool{false, true}) {
					t.Errorf("eapol_test: success %v, %d keys, resumed %v\n%s", v.success, v.matched, v.resumed, v.outline())
				}
				if got := j.vlans(t); !slices.Equal(got, []string{vlan, otherVLAN}) {
					t.Errorf("VLANs %v", got)
				}
			})
			t.Run("cancelled/"+w.name, func(t *testing.T) {
				t.Parallel()
				v, j, server := comeBackChanged(t, w.device, "disabled = true")
				if v.success || v.matched != 1 {
					t.Errorf("eapol_test: success %v, %d keys\n%s", v.success, v.matched, v.outline())
				}
				if got := j.vlans(t); !slices.Equal(got, []string{vlan}) {
					t.Errorf("VLANs %v", got)
				}
				if why, err := server.why(bob.Login, j.mac); err != nil || !strings.HasPrefix(why, "deny disabled") {
					t.Errorf("why: %q, %v", why, err)
				}
			})
		}
	}
}

// comeBackChanged joins twice on a server of its own; between the joins bob's
// record gets another line.
func comeBackChanged(t *testing.T, d device, line string) (verdict, *join, *ours) {
	t.Helper()
	dir, err := newFolder()
	if err != nil {
		t.Fatal(err)
	}
	server := &ours{}
	address, err := server.start(dir, &setting{Methods: open.Methods, TLSMax: open.TLSMax})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.stop)
	change := func() {
		if err := addLine(filepath.Join(dir, "members.toml"), `plan = "Hot Desk"`, line); err != nil {
			t.Error(err)
			return
		}
		if err := untilChanged(t.Context(), address); err != nil {
			t.Error(err)
		}
	}
	j := &join{device: d, wire: lay(t, address, fate{onAccept: change}), mac: "02:00:00:00:01:01", args: []string{"-r", "1"}}
	return j.run(t), j, server
}

// untilChanged asks the server by PAP until bob's plan buys something else than vlan.
func untilChanged(ctx context.Context, server netip.AddrPort) error {
	ctx, cancel := context.WithTimeout(ctx, changeWait)
	defer cancel()
	nas := &radiustest.NAS{Server: server, Secret: sharedSecret}
	if err := nas.Open(ctx); err != nil {
		return err
	}
	defer func() { _ = nas.Close() }()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		reply, err := nas.Do(ctx, &radiustest.Request{Method: radiustest.PAP, Login: bob.Login, Password: member.Secret(bob.Password)})
		if err != nil {
			return err
		}
		if reply.Code != radiustest.AccessAccept || string(slices.Concat(reply.Values(tunnelGroup)...)) != vlan {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the members' file is not read again: %w", ctx.Err())
		}
	}
}

// addLine puts a line after the one that is there.
func addLine(path, there, line string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	changed := strings.Replace(string(b), there, there+"\n"+line, 1)
	// Beside it and in its place: nobody reads half a file.
	if err := os.WriteFile(path+".new", []byte(changed), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// vlans are those of every Access-Accept.
func (j *join) vlans(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, d := range j.wire.datagrams() {
		if !d.reply || d.raw[0] != accessAccept {
			continue
		}
		p, err := parse(d.raw)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p.values(tunnelGroup)...)
	}
	return all
}
