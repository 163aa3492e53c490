//go:build !linux

package coa

import "net/netip"

// Elsewhere nobody tells a port that is not connected who refuses: it is a timeout.
func (u *udp) watchErrors(bool) error { return nil }

func (u *udp) send(b []byte, to netip.AddrPort) error {
	_, err := u.conn.WriteToUDPAddrPort(b, to)
	return err
}

func (u *udp) receive(room []byte) (datagram, error) {
	n, peer, err := u.conn.ReadFromUDPAddrPort(room)
	if err != nil {
		return datagram{}, err
	}
	return datagram{b: room[:n], peer: netip.AddrPortFrom(peer.Addr().Unmap().WithZone(""), peer.Port())}, nil
}
