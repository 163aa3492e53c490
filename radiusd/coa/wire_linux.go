package coa

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// watchErrors asks for what ICMP says of datagrams that were sent (ip(7), IP_RECVERR):
// a port that is not connected hears nothing of it otherwise.
func (u *udp) watchErrors(six bool) error {
	level, option := unix.IPPROTO_IP, unix.IP_RECVERR
	if six {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_RECVERR
	}
	var set error
	err := u.raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), level, option, 1) })
	return errors.Join(err, os.NewSyscallError("setsockopt", set))
}

// send implements wire. The error that an earlier datagram met comes with the next one
// to whomever it goes, and is none of its own: the second try sends it.
func (u *udp) send(b []byte, to netip.AddrPort) error {
	_, err := u.conn.WriteToUDPAddrPort(b, to)
	if err != nil && passing(err) {
		_, err = u.conn.WriteToUDPAddrPort(b, to)
	}
	return err
}

// passing says whether an error is what ICMP said of one NAS, and not of the port.
func passing(err error) bool {
	for _, e := range []error{unix.EINTR, unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.EHOSTDOWN, unix.ENOPROTOOPT, unix.EACCES, unix.EPROTO, unix.EMSGSIZE} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// receive implements wire.
func (u *udp) receive(room []byte) (datagram, error) {
	for {
		var d datagram
		var err error
		if e := u.raw.Read(func(fd uintptr) bool {
			d, err = take(int(fd), room)
			return !errors.Is(err, unix.EAGAIN)
		}); e != nil {
			return datagram{}, e
		}
		switch {
		case err == nil && d.b != nil:
			return d, nil
		case err != nil && !passing(err):
			return datagram{}, os.NewSyscallError("recvmsg", err)
		}
	}
}

// take reads an error, else a datagram, without waiting. An error that is not
// interesting is neither.
func take(fd int, room []byte) (datagram, error) {
	var control [256]byte
	n, size, _, to, err := unix.Recvmsg(fd, room, control[:], unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
	if err == nil {
		if !refusal(control[:size]) {
			return datagram{}, nil
		}
		return datagram{b: room[:n], peer: addrPort(to), refused: true}, nil
	}
	n, from, err := unix.Recvfrom(fd, room, unix.MSG_DONTWAIT)
	if err != nil {
		return datagram{}, err
	}
	return datagram{b: room[:n], peer: addrPort(from)}, nil
}

// refusal says whether an error is that nobody listens: struct sock_extended_err of
// linux/errqueue.h, whose first fields are the error and, in one octet, its origin.
func refusal(control []byte) bool {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return false
	}
	for _, m := range messages {
		four := m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_RECVERR
		six := m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_RECVERR
		if !four && !six || len(m.Data) < 5 {
			continue
		}
		origin := m.Data[4]
		if unix.Errno(binary.NativeEndian.Uint32(m.Data)) == unix.ECONNREFUSED && (origin == unix.SO_EE_ORIGIN_ICMP || origin == unix.SO_EE_ORIGIN_ICMP6) {
			return true
		}
	}
	return false
}

func addrPort(a unix.Sockaddr) netip.AddrPort {
	switch a := a.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port))
	}
	return netip.AddrPort{}
}
