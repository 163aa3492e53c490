package caller

import (
	"crypto/tls"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestAddress(t *testing.T) {
	t.Parallel()
	ours := Proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::1/128")}
	tests := []struct {
		name, peer string
		forwarded  []string
		proxies    Proxies
		want       string
	}{
		{"nobody between", "192.0.2.1:5", nil, ours, "192.0.2.1"},
		{"a stranger says he forwards", "192.0.2.1:5", []string{"203.0.113.9"}, ours, "192.0.2.1"},
		{"nobody is trusted", "10.0.0.1:5", []string{"203.0.113.9"}, nil, "10.0.0.1"},
		{"our proxy", "10.0.0.1:5", []string{"203.0.113.9"}, ours, "203.0.113.9"},
		{"our proxy on IPv6", "[2001:db8::1]:5", []string{"2001:db8::7"}, ours, "2001:db8::7"},
		{"our proxy, as IPv4 in IPv6", "[::ffff:10.0.0.1]:5", []string{"::ffff:203.0.113.9"}, ours, "203.0.113.9"},
		{"two of ours", "10.0.0.1:5", []string{"203.0.113.9, 10.9.9.9"}, ours, "203.0.113.9"},
		{"what she wrote herself", "10.0.0.1:5", []string{"10.1.1.1, 203.0.113.9"}, ours, "203.0.113.9"},
		{"several headers", "10.0.0.1:5", []string{"198.51.100.1", "203.0.113.9"}, ours, "203.0.113.9"},
		{"nothing but ours", "10.0.0.1:5", []string{"10.0.0.2"}, ours, "10.0.0.2"},
		{"no header", "10.0.0.1:5", nil, ours, "10.0.0.1"},
		{"garbage", "10.0.0.1:5", []string{"203.0.113.9, unknown"}, ours, "10.0.0.1"},
		{"no address at all", "@", nil, ours, "invalid IP"},
	}
	for _, tt := range tests {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = tt.peer
		for _, f := range tt.forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		if got := tt.proxies.Address(r).String(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestSecure(t *testing.T) {
	t.Parallel()
	ours := Proxies{netip.MustParsePrefix("10.0.0.0/8")}
	tests := []struct {
		name, peer, proto string
		tls               bool
		want              bool
	}{
		{"plain", "192.0.2.1:5", "", false, false},
		{"TLS", "192.0.2.1:5", "", true, true},
		{"a stranger says so", "192.0.2.1:5", "https", false, false},
		{"our proxy says so", "10.0.0.1:5", "HTTPS", false, true},
		{"our proxy says no", "10.0.0.1:5", "http", false, false},
		{"our proxy corrects what it was told", "10.0.0.1:5", "https, http", false, false},
		{"our proxy says nothing", "10.0.0.1:5", "", false, false},
	}
	for _, tt := range tests {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = tt.peer
		if tt.proto != "" {
			r.Header.Set("X-Forwarded-Proto", tt.proto)
		}
		if tt.tls {
			r.TLS = &tls.ConnectionState{}
		}
		if got := ours.Secure(r); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestGuesses(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	g := NewGuesses(func() time.Time { return now })
	a, near, far := netip.MustParseAddr("2001:db8:0:1::5"), netip.MustParseAddr("2001:db8:0:1:ffff::"), netip.MustParseAddr("2001:db8:0:2::5")
	for i := range guesses {
		if wait := g.Wait(a); wait != 0 {
			t.Fatalf("guess %d waits %v", i, wait)
		}
		g.Wrong(a)
	}
	if wait := g.Wait(near); wait != recovery {
		t.Errorf("after %d wrong ones another address of the customer waits %v, want %v", guesses, wait, recovery)
	}
	if wait := g.Wait(far); wait != 0 {
		t.Errorf("another customer waits %v", wait)
	}
	now = now.Add(recovery)
	if wait := g.Wait(a); wait != 0 {
		t.Errorf("one has come back, and it waits %v", wait)
	}
	g.Wrong(a)
	if g.Wait(a) == 0 {
		t.Error("more than one has come back")
	}
	now = now.Add(guesses * recovery)
	for range guesses {
		if g.Wait(a) != 0 {
			t.Fatal("not all have come back")
		}
		g.Wrong(a)
	}
}

func TestGuessesAreBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	g := NewGuesses(func() time.Time { return now })
	hard := netip.MustParseAddr("192.0.2.1")
	for range guesses {
		g.Wrong(hard)
	}
	for i := range maxAddresses + 100 {
		g.Wrong(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}))
	}
	if len(g.free) > maxAddresses {
		t.Errorf("%d addresses are remembered, at most %d", len(g.free), maxAddresses)
	}
	if g.Wait(hard) == 0 {
		t.Error("whoever guessed hardest was forgotten")
	}
	now = now.Add(time.Hour)
	g.Wrong(netip.MustParseAddr("198.51.100.1"))
	if len(g.free) != 1 {
		t.Errorf("%d addresses are remembered after an hour", len(g.free))
	}
}

func TestGate(t *testing.T) {
	t.Parallel()
	g := NewGate(3, 2)
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	leave, ok := g.Enter(a)
	if _, second := g.Enter(a); !ok || !second {
		t.Fatal("there is no place")
	}
	if _, ok := g.Enter(a); ok {
		t.Error("one address has three places of two")
	}
	leaveB, ok := g.Enter(b)
	if !ok {
		t.Fatal("one address has taken the place of another")
	}
	if _, ok := g.Enter(b); ok {
		t.Error("four are in a gate of three")
	}
	leave()
	leaveB()
	if _, ok := g.Enter(a); !ok {
		t.Error("a place that was left is not free")
	}
	if len(g.of) != 1 || g.inside != 2 {
		t.Errorf("%d inside, of %d addresses", g.inside, len(g.of))
	}
}

func TestGateManyAtOnce(t *testing.T) {
	t.Parallel()
	g := NewGate(8, 8)
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			if leave, ok := g.Enter(netip.AddrFrom4([4]byte{10, 0, 0, byte(i % 4)})); ok {
				leave()
			}
		})
	}
	all.Wait()
	if g.inside != 0 || len(g.of) != 0 {
		t.Errorf("%d inside, of %d addresses, when all have left", g.inside, len(g.of))
	}
}

func FuzzAddress_NoPanic(f *testing.F) {
	f.Add("10.0.0.1:1", "203.0.113.9, 10.0.0.2")
	f.Add("[fe80::1%eth0]:1", ",,[::]:,")
	f.Fuzz(func(t *testing.T, peer, forwarded string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = peer
		r.Header.Set("X-Forwarded-For", forwarded)
		if a := (Proxies{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}).Address(r); a.IsValid() && strings.Contains(a.String(), ", ") {
			t.Errorf("%q", a)
		}
	})
}
