package outward

import (
	"net/netip"
	"testing"
)

func TestGuard(t *testing.T) {
	t.Parallel()
	tests := []struct {
		host    string
		private bool
		addr    string
		ok      bool
	}{
		{"api.example.com", false, "192.0.2.1", true},
		{"api.example.com", false, "2001:db8::1", true},
		{"api.example.com", false, "10.0.0.1", false},
		{"api.example.com", true, "10.0.0.1", true},
		{"api.example.com", false, "127.0.0.1", false},
		{"api.example.com", true, "::1", true},
		{"api.example.com", false, "::ffff:10.0.0.1", false},
		{"api.example.com", false, "100.64.0.1", false},
		{"api.example.com", false, "fd12::1", false},
		{"api.example.com", false, "64:ff9b::a00:1", false},
		{"api.example.com", true, "169.254.169.254", false},
		{"api.example.com", true, "64:ff9b::a9fe:a9fe", false},
		{"api.example.com", true, "2002:a9fe:a9fe::1", false},
		{"api.example.com", true, "::ffff:169.254.169.254", false},
		{"api.example.com", true, "fe80::1", false},
		{"api.example.com", true, "fd00:ec2::254", false},
		{"api.example.com", true, "100.100.100.200", false},
		{"api.example.com", true, "224.0.0.1", false},
		{"api.example.com", true, "ff02::1", false},
		{"api.example.com", true, "0.0.0.0", false},
		{"api.example.com", true, "::", false},
		{"api.example.com", true, "255.255.255.255", false},
		{"localhost", false, "127.0.0.1", true},
		{"localhost", false, "10.0.0.1", false},
		{"localhost", false, "192.0.2.1", false},
		{"10.0.0.1", false, "10.0.0.1", true},
		{"127.0.0.1", false, "127.0.0.1", true},
	}
	for _, tt := range tests {
		address := netip.AddrPortFrom(netip.MustParseAddr(tt.addr), 443).String()
		if err := GuardFor(tt.host, tt.private).Control("tcp", address, nil); (err == nil) != tt.ok {
			t.Errorf("%s (private %v) to %s: %v", tt.host, tt.private, tt.addr, err)
		}
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text     string
		insecure bool
		ok       bool
	}{
		{"https://api.example.com/wifi", false, true},
		{"https://10.0.0.1", false, true},
		{"http://localhost:8080", false, true},
		{"http://127.0.0.1:8080", false, true},
		{"http://[::1]:8080/x", false, true},
		{"http://api.example.com", false, false},
		{"http://api.example.com", true, true},
		{"", false, false},
		{"api.example.com", false, false},
		{"ftp://api.example.com", false, false},
		{"https://user:secret@api.example.com", false, false},
		{"https://api.example.com/{space_id}", false, false},
		{"https://api.example.com/#x", false, false},
		{"https://169.254.169.254/", false, false},
		{"https://[fe80::1]/", true, false},
		{"https://:443/", false, false},
	}
	for _, tt := range tests {
		u, err := Address(tt.text, tt.insecure)
		if (err == nil) != tt.ok || (u == nil) == tt.ok {
			t.Errorf("Address(%q, %v) = %v, %v", tt.text, tt.insecure, u, err)
		}
	}
}
