package radiusd

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// New says what is missing.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []Config{{}, {Log: nil, Tables: Tables{Clients: clientTable{}}}} {
		if _, err := New(c); err == nil {
			t.Errorf("New takes %+v", c)
		}
	}
	for _, c := range []ClientConfig{{Secret: "x"}, {Name: "a"}, {Name: "a", Secret: "x", Methods: []string{"leap"}}, {Name: "a", Secret: "x", Vendor: "acme"}} {
		if _, err := NewClient(c); err == nil {
			t.Errorf("NewClient takes %+v", c)
		}
	}
	a, _ := NewClient(ClientConfig{Name: "a", Secret: "x"})
	b, _ := NewClient(ClientConfig{Name: "b", Secret: "x"})
	p := netip.MustParsePrefix("192.0.2.0/24")
	for _, entries := range [][]ClientEntry{{{p, a}, {p, b}}, {{p, nil}}, {{netip.Prefix{}, a}}} {
		if _, err := NewClients(entries); err == nil {
			t.Errorf("NewClients takes %v", entries)
		}
	}
}

// The longest prefix wins, of either family; an IPv4 address in IPv6 clothes is itself.
func TestLongestPrefix(t *testing.T) {
	t.Parallel()
	var entries []ClientEntry
	for _, p := range []string{"0.0.0.0/0", "192.0.2.0/24", "192.0.2.7/32", "2001:db8::/32", "2001:db8::7/128"} {
		c, err := NewClient(ClientConfig{Name: p, Secret: "x"})
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, ClientEntry{netip.MustParsePrefix(p), c})
	}
	table, err := NewClients(entries)
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.7/32", "192.0.2.8": "192.0.2.0/24", "198.51.100.1": "0.0.0.0/0",
		"::ffff:192.0.2.7": "192.0.2.7/32", "2001:db8::7": "2001:db8::7/128", "2001:db8::8": "2001:db8::/32", "2001:db9::1": "",
	} {
		a := &Arrival{Remote: netip.AddrPortFrom(netip.MustParseAddr(address), 1)}
		got := ""
		if c, ok := table.Find(a); ok {
			got = c.Config().Name
		}
		if got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
	if s := fmt.Sprintf("%v %+v", entries[0].Client.Config(), entries[0].Client.Config()); strings.Contains(s, ":x") {
		t.Errorf("the secret is printed: %s", s)
	}
}
