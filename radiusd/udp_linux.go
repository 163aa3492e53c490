package radiusd

import (
	"encoding/binary"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// This file moves datagrams by recvmmsg and sendmmsg, 64 at a time, without an
// allocation. golang.org/x/net does the same but allocates each sender's
// address (docs/decisions/0002).

const (
	// roomIn is one octet more than a packet may have, roomOut a whole packet.
	roomIn  = maxPacket
	roomOut = maxPacket
	// roomControl holds one IPV6_PKTINFO with its header and padding.
	roomControl = 64
)

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	header unix.Msghdr
	size   uint32
}

// A place is one datagram's room: what came and what goes back.
type place struct {
	name    unix.RawSockaddrInet6 // large enough for IPv4 too
	control [roomControl]byte
	in      [roomIn]byte
	out     [roomOut]byte
}

// A batch belongs to one reader and is reused.
type batch struct {
	socket   *socket
	raw      syscall.RawConn
	places   []place
	inVecs   [batchSize]unix.Iovec
	outVecs  [batchSize]unix.Iovec
	inHdrs   [batchSize]mmsghdr
	outHdrs  [batchSize]mmsghdr
	answers  int
	received int
	err      syscall.Errno
	read     func(fd uintptr) bool
	write    func(fd uintptr) bool
	sent     int
}

func newBatch(s *socket) (*batch, error) {
	raw, err := s.conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	b := &batch{socket: s, raw: raw, places: make([]place, batchSize)}
	for i := range b.places {
		p := &b.places[i]
		b.inVecs[i].Base = &p.in[0]
		b.inVecs[i].SetLen(roomIn)
		h := &b.inHdrs[i].header
		h.Name = (*byte)(unsafe.Pointer(&p.name))
		h.Iov = &b.inVecs[i]
		h.SetIovlen(1)
		b.outHdrs[i].header.Iov = &b.outVecs[i]
		b.outHdrs[i].header.SetIovlen(1)
	}
	b.read, b.write = b.recvmmsg, b.sendmmsg
	return b, nil
}

// receive waits for datagrams and returns how many came.
func (b *batch) receive() (int, error) {
	b.answers = 0
	if err := b.raw.Read(b.read); err != nil {
		return 0, err
	}
	switch b.err {
	case 0:
		return b.received, nil
	case unix.EINTR, unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.ENETUNREACH:
		// A NAS that is gone: the ICMP error of an earlier reply.
		return 0, nil
	}
	return 0, os.NewSyscallError("recvmmsg", b.err)
}

func (b *batch) recvmmsg(fd uintptr) bool {
	for i := range b.inHdrs {
		h := &b.inHdrs[i].header
		h.Namelen = unix.SizeofSockaddrInet6
		if b.socket.anywhere {
			h.Control = &b.places[i].control[0]
			h.SetControllen(roomControl)
		}
	}
	n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&b.inHdrs[0])), batchSize, unix.MSG_DONTWAIT, 0, 0)
	b.received, b.err = int(n), errno
	return errno != unix.EAGAIN
}

// at returns datagram i, how it arrived, and room for its reply.
func (b *batch) at(i int) (datagram []byte, a Arrival, out []byte) {
	p := &b.places[i]
	a.Remote = readName(&p.name)
	a.Local = b.socket.local
	if b.socket.anywhere {
		if local, ok := readDestination(p.control[:b.inHdrs[i].header.Controllen]); ok {
			a.Local = netip.AddrPortFrom(local, a.Local.Port())
		}
	}
	return p.in[:b.inHdrs[i].size], a, p.out[:0]
}

// answer queues the reply to datagram i, which lies in the room that at gave.
func (b *batch) answer(i int, reply []byte) {
	p := &b.places[i]
	vec := &b.outVecs[b.answers]
	vec.Base = &reply[0]
	vec.SetLen(len(reply))
	h := &b.outHdrs[b.answers].header
	h.Name, h.Namelen = b.inHdrs[i].header.Name, b.inHdrs[i].header.Namelen
	h.Control = nil
	h.SetControllen(0)
	if b.socket.anywhere {
		if local, ok := readDestination(p.control[:b.inHdrs[i].header.Controllen]); ok {
			control := sourceControl(p.control[:0], local)
			h.Control = &control[0]
			h.SetControllen(len(control))
		}
	}
	b.answers++
}

// send sends the replies of the batch. One that can't be sent is skipped: it
// is lost as any datagram may be.
func (b *batch) send() {
	for done := 0; done < b.answers; {
		b.sent = done
		if err := b.raw.Write(b.write); err != nil {
			return
		}
		if b.err != 0 || b.received < 1 {
			done++
			continue
		}
		done += b.received
	}
}

func (b *batch) sendmmsg(fd uintptr) bool {
	n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&b.outHdrs[b.sent])), uintptr(b.answers-b.sent), unix.MSG_DONTWAIT, 0, 0)
	b.received, b.err = int(n), errno
	return errno != unix.EAGAIN
}

func readName(name *unix.RawSockaddrInet6) netip.AddrPort {
	port := binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&name.Port))[:])
	if name.Family == unix.AF_INET {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), port)
	}
	a := netip.AddrFrom16(name.Addr)
	if name.Scope_id != 0 && a.IsLinkLocalUnicast() {
		a = a.WithZone(strconv.Itoa(int(name.Scope_id)))
	}
	return netip.AddrPortFrom(a, port)
}

// readDestination returns the address that a datagram was sent to (ip(7), ipv6(7)).
func readDestination(control []byte) (netip.Addr, bool) {
	if len(control) < unix.SizeofCmsghdr {
		return netip.Addr{}, false
	}
	h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
	data := control[unix.CmsgLen(0):]
	switch {
	case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
		// ipi_addr, the destination in the header, follows ipi_ifindex and ipi_spec_dst.
		return netip.AddrFrom4([4]byte(data[8:])), true
	case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
		return netip.AddrFrom16([16]byte(data)), true
	}
	return netip.Addr{}, false
}

// sourceControl appends to b the control message that sends from local. The
// interface stays the kernel's choice, but for a link-local address.
func sourceControl(b []byte, local netip.Addr) []byte {
	size, level, kind := unix.SizeofInet4Pktinfo, int32(unix.IPPROTO_IP), int32(unix.IP_PKTINFO)
	if local.Is6() {
		size, level, kind = unix.SizeofInet6Pktinfo, unix.IPPROTO_IPV6, unix.IPV6_PKTINFO
	}
	if cap(b) < unix.CmsgSpace(size) {
		b = make([]byte, unix.CmsgSpace(size))
	}
	b = b[:unix.CmsgSpace(size)]
	clear(b)
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = level, kind
	h.SetLen(unix.CmsgLen(size))
	data := b[unix.CmsgLen(0):]
	if local.Is4() {
		a := local.As4()
		copy(data[4:], a[:]) // ipi_spec_dst
	} else {
		a := local.As16()
		copy(data, a[:])
	}
	return b
}

// prepare sets a socket's options before it is bound.
func prepare(fd uintptr, address netip.AddrPort, shared bool) error {
	if shared {
		if err := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
			return os.NewSyscallError("SO_REUSEPORT", err)
		}
	}
	if !address.Addr().IsUnspecified() {
		return nil
	}
	if address.Addr().Is4() {
		return os.NewSyscallError("IP_PKTINFO", unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_PKTINFO, 1))
	}
	return os.NewSyscallError("IPV6_RECVPKTINFO", unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1))
}
