//go:build linux

package main

import (
	"fmt"
	"net"
	"net/netip"
)

// freeUDP returns a loopback address with a port that nobody has now.
func freeUDP() (netip.AddrPort, error) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("free port: %w", err)
	}
	defer func() { _ = c.Close() }()
	return netip.ParseAddrPort(c.LocalAddr().String())
}

// freeTCP is the same for TCP.
func freeTCP() (netip.AddrPort, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return netip.ParseAddrPort(l.Addr().String())
}
