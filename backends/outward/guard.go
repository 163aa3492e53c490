package outward

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
)

// A Guard decides where a connection may go. It sees the address after the
// name was resolved and before the connection is made, so that a name that
// changes its mind (DNS rebinding) leads nowhere.
type Guard struct {
	literal bool // the configuration names an address: the operator meant it, private or not
	local   bool // the configuration says localhost: only this host will do
	private bool
}

// ErrAddress says that no connection may be made to where a name leads.
var ErrAddress = errors.New("this address is not allowed")

// Control is a net.Dialer's Control.
func (g Guard) Control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrAddress, address)
	}
	addr := embedded(ap.Addr())
	if why := forbidden(addr); why != "" {
		return fmt.Errorf("%w: the name leads to %s, %s", ErrAddress, addr, why)
	}
	switch {
	case g.literal:
		return nil
	case g.local:
		if !addr.IsLoopback() {
			return fmt.Errorf("%w: localhost leads to %s, which is not this host; see /etc/hosts", ErrAddress, addr)
		}
		return nil
	case within(addr, internalNets[:]) && !g.private:
		return fmt.Errorf("%w: the name leads to the private address %s; write private = true into the [[backend]] if that is right", ErrAddress, addr)
	}
	return nil
}

// GuardFor returns the Guard of a host as the configuration names it. private
// allows a name that leads to a private or loopback address.
func GuardFor(host string, private bool) Guard {
	_, err := netip.ParseAddr(host)
	return Guard{literal: err == nil, local: strings.EqualFold(host, "localhost"), private: private}
}

var (
	// metadataAddrs hand out a machine's credentials to whoever asks from it:
	// AWS over IPv6, Alibaba, Oracle. The common one, 169.254.169.254, is link-local.
	metadataAddrs = [...]netip.Addr{
		netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("192.0.0.192"),
	}
	// nowhere are networks that no member system can be in (RFC 6890).
	nowhere = [...]netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("::/128"),
	}
	// internalNets are on site or on this host: RFC 1918, 4193, 6598, 2544, 6890, 3879.
	internalNets = [...]netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
		netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("fc00::/7"),
		netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("192.0.0.0/24"),
		netip.MustParsePrefix("fec0::/10"),
	}
	nat64     = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052 §2.1
	sixToFour = netip.MustParsePrefix("2002::/16")    // RFC 3056 §2
)

// forbidden says why no connection may ever go to addr; empty: it may.
func forbidden(addr netip.Addr) string {
	addr = embedded(addr)
	for _, m := range metadataAddrs {
		if addr == m {
			return "where a cloud hands out its machines' credentials"
		}
	}
	switch {
	case addr.IsLinkLocalUnicast():
		return "a link-local address, where clouds hand out their machines' credentials"
	case addr.IsMulticast(), addr.IsInterfaceLocalMulticast():
		return "a multicast address"
	case addr.IsUnspecified(), within(addr, nowhere[:]):
		return "where nobody can be"
	}
	return ""
}

func within(addr netip.Addr, nets []netip.Prefix) bool {
	for _, n := range nets {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}

// embedded returns the IPv4 address that addr stands for, if it does: what is
// Forbidden must not be reached by another spelling.
func embedded(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if !addr.Is6() {
		return addr
	}
	b := addr.As16()
	switch {
	case nat64.Contains(addr):
		return netip.AddrFrom4([4]byte(b[12:16]))
	case sixToFour.Contains(addr):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return addr
}
