package radiustest

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"memberradius/member"
)

// TestUAM_Radclient has a server that is not ours speak with the gateway (RFC 5176):
// what it takes from radclient it takes from us, and its answers are what radclient
// takes for signed.
func TestUAM_Radclient(t *testing.T) {
	t.Parallel()
	r := newRig(t, &UAM{Kind: UAMMikroTik, PAP: true})
	r.bring(r.captured(), "ticket")
	wants(t, r.report(), "Acct-Status-Type", "Start")
	for _, tt := range []struct {
		name, command string
		secret        member.Secret
		session       string
		want          Code
		cause         string
		open          bool
	}{
		{"another secret", "disconnect", "not the gateway's", r.Device(browserAt).Session, 0, "", true},
		{"a change", "coa", testSecret, r.Device(browserAt).Session, CoANAK, "Unsupported-Extension", true},
		{"another session", "disconnect", testSecret, "0123456789abcdef", DisconnectNAK, "Session-Context-Not-Found", true},
		{"its session", "disconnect", testSecret, r.Device(browserAt).Session, DisconnectACK, "", false},
		{"once more", "disconnect", testSecret, r.Device(browserAt).Session, DisconnectNAK, "Session-Context-Not-Found", false},
	} {
		q := RadclientQuery{Server: r.Dynamic.LocalAddr().(*net.UDPAddr).AddrPort(), Secret: tt.secret, Command: tt.command, Attributes: []member.Attribute{
			{Name: "Message-Authenticator", Value: "0x00"}, {Name: "Event-Timestamp", Value: fmt.Sprint(time.Now().Unix())},
			{Name: "User-Name", Value: `"uam-1"`}, {Name: "Acct-Session-Id", Value: `"` + tt.session + `"`},
		}}
		if tt.want == 0 {
			q.Timeout = 200 * time.Millisecond
		}
		answer := Radclient(t, q)
		var cause []string
		if tt.cause != "" {
			cause = []string{tt.cause}
		}
		if answer.Code != tt.want || !slices.Equal(answer.Get("Error-Cause"), cause) || r.Device(browserAt).Open != tt.open {
			t.Errorf("%s: open %v, answered\n%s", tt.name, r.Device(browserAt).Open, answer.Output)
		}
	}
	wants(t, r.report(), "Acct-Status-Type", "Stop", "Acct-Terminate-Cause", "Admin-Reset")
	if faults := r.Faults(); len(faults) != 1 || !errors.Is(faults[0], ErrRequestAuthenticator) {
		t.Errorf("faults: %v", faults)
	}
}
