package main

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"memberradius/radiusd"
)

func client(t *testing.T, name string) *radiusd.Client {
	t.Helper()
	c, err := radiusd.NewClient(radiusd.ClientConfig{Name: name, Secret: "a secret that is long enough", Site: "main"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLoans(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	l := &loans{now: func() time.Time { return now }}
	known, lent := client(t, "known"), client(t, "lent")
	table, err := radiusd.NewClients([]radiusd.ClientEntry{{Prefix: netip.MustParsePrefix("127.0.0.0/8"), Client: known}})
	if err != nil {
		t.Fatal(err)
	}
	cs := clients{table, l}
	find := func(remote string) *radiusd.Client {
		c, _ := cs.Find(&radiusd.Arrival{Remote: netip.MustParseAddrPort(remote)})
		return c
	}
	if err := l.lend([]netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:4000")}, lent, time.Minute); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		remote string
		want   *radiusd.Client
	}{
		{"127.0.0.1:4000", lent}, {"[::ffff:127.0.0.1]:4000", lent}, {"127.0.0.1:4001", known}, {"127.0.0.2:4000", known},
		{"192.0.2.1:4000", nil},
	} {
		if got := find(tt.remote); got != tt.want {
			t.Errorf("%s is found as %v", tt.remote, got)
		}
	}
	now = now.Add(time.Minute)
	if find("127.0.0.1:4000") != known {
		t.Error("a loan outlasts its time")
	}
	if err := l.lend([]netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:5000")}, lent, time.Minute); err != nil {
		t.Fatal(err)
	}
	if n := len(*l.lent.Load()); n != 1 {
		t.Errorf("%d loans are kept, want 1: those that have run out go", n)
	}
	l.giveBack([]netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:5000")})
	if l.lent.Load() != nil || find("127.0.0.1:5000") != known {
		t.Error("a loan was not given back")
	}
}

func TestLoansRefuse(t *testing.T) {
	t.Parallel()
	l := &loans{now: time.Now}
	c := client(t, "lent")
	for _, tt := range []struct {
		address string
		d       time.Duration
	}{
		{"192.0.2.1:4000", time.Minute}, {"127.0.0.1:0", time.Minute}, {"127.9.9.9:0", time.Minute}, {"0.0.0.0:4000", time.Minute},
		{"127.0.0.1:4000", 0}, {"127.0.0.1:4000", 2 * time.Hour},
	} {
		if err := l.lend([]netip.AddrPort{netip.MustParseAddrPort(tt.address)}, c, tt.d); err == nil {
			t.Errorf("%s was lent for %s", tt.address, tt.d)
		}
	}
	var many []netip.AddrPort
	for port := range maxLoans + 1 {
		many = append(many, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(port+1)))
	}
	if err := l.lend(many, c, time.Minute); err == nil {
		t.Error("more was lent than there may be")
	}
}

func TestFindAllocatesNothing(t *testing.T) {
	l := &loans{now: time.Now}
	known := client(t, "known")
	table, err := radiusd.NewClients([]radiusd.ClientEntry{{Prefix: netip.MustParsePrefix("127.0.0.0/8"), Client: known}})
	if err != nil {
		t.Fatal(err)
	}
	var cs radiusd.Clients = clients{table, l}
	a := &radiusd.Arrival{Remote: netip.MustParseAddrPort("127.0.0.1:4000")}
	if n := testing.AllocsPerRun(100, func() { cs.Find(a) }); n != 0 {
		t.Errorf("without loans: %v allocations", n)
	}
	if err := l.lend([]netip.AddrPort{a.Remote}, known, time.Minute); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { cs.Find(a) }); n != 0 {
		t.Errorf("with a loan: %v allocations", n)
	}
}

func TestBorrowed(t *testing.T) {
	t.Parallel()
	c, found := readConfig("config.toml", t.TempDir(), good+`vendor = "meraki"
vlan = 7
methods = ["pap"]
require_message_authenticator = false
[[site]]
name = "berlin"
[[site]]
name = "rome"
`)
	if found.bad() {
		t.Fatal(found)
	}
	for _, tt := range []struct {
		r    loanRequest
		want string
	}{
		{loanRequest{Secret: "s"}, "control berlin  0  [pap mschapv2 mschap chap eap mac]"},
		{loanRequest{Secret: "s", Client: "lobby"}, "lobby berlin meraki 1 7 [pap]"},
		{loanRequest{Secret: "s", Client: "lobby", Site: "rome"}, "lobby rome meraki 1 7 [pap]"},
		{loanRequest{Secret: "s", Client: "none"}, ""},
		{loanRequest{Secret: "s", Site: "none"}, ""},
		{loanRequest{}, ""},
	} {
		got := ""
		if client, err := c.borrowed(&tt.r); err == nil {
			as := client.Config()
			vlan := 0
			if as.VLAN != "" {
				vlan = 1
			}
			if as.TolerateNoMessageAuthenticator {
				t.Errorf("%+v tolerates requests without Message-Authenticator", tt.r)
			}
			got = fmt.Sprint(as.Name, " ", as.Site, " ", as.Vendor, " ", vlan, " ", as.VLAN, " ", as.Methods)
		}
		if got != tt.want {
			t.Errorf("%+v is lent %q, want %q", tt.r, got, tt.want)
		}
	}
}
