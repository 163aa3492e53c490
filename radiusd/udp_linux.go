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
	// roomIn is a whole packet, roomOut one and the secret that it is hashed with.
	roomIn  = maxPacket
	roomOut = maxPacket + 256
	// roomControl holds one IPV6_PKTINFO with its header and padding.
	roomControl = 64
	// roomOutControl holds that and the size of segments.
	roomOutControl = 96
	// maxSegment is how long replies that share a message may be: they must fit
	// the smallest MTU on their way, and 64 of them one message.
	maxSegment = 1000
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

// An answer is a reply, to the datagram of that place, in that message.
type answer struct {
	place, message int
	reply          []byte
	// local is the address that the reply leaves from, where that must be said.
	local netip.Addr
}

// A batch belongs to one reader and is reused.
type batch struct {
	socket *socket
	raw    syscall.RawConn
	places []place
	inVecs [batchSize]unix.Iovec
	inHdrs [batchSize]mmsghdr

	answers     [batchSize]answer
	count       int
	outVecs     [batchSize]unix.Iovec
	outHdrs     [batchSize]mmsghdr
	outControl  [batchSize][roomOutControl]byte
	packed      int
	unsegmented bool

	// moved and err are what the last system call said, from where the next begins.
	moved, from int
	err         syscall.Errno
	read, write func(fd uintptr) bool
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
	}
	b.read, b.write = b.recvmmsg, b.sendmmsg
	return b, nil
}

// receive waits for datagrams and returns how many came.
func (b *batch) receive() (int, error) {
	b.count = 0
	if err := b.raw.Read(b.read); err != nil {
		return 0, err
	}
	switch b.err {
	case 0:
		return b.moved, nil
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
	b.moved, b.err = int(n), errno
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
	a := answer{place: i, reply: reply}
	if b.socket.anywhere {
		a.local, _ = readDestination(b.places[i].control[:b.inHdrs[i].header.Controllen])
	}
	b.answers[b.count] = a
	b.count++
}

// send sends the replies of the batch. One that can't be sent is lost as any
// datagram may be: the NAS asks again.
func (b *batch) send() {
	b.pack()
	for done := 0; done < b.packed; {
		b.from = done
		if err := b.raw.Write(b.write); err != nil {
			return
		}
		switch {
		case b.err == 0 && b.moved > 0:
			done += b.moved
		case b.outHdrs[done].header.Iovlen > 1 && cannotSegment(b.err):
			// The way out can't segment: each reply goes alone from now on.
			b.unsegmented = true
			b.again(done)
			return
		default:
			done++
		}
	}
}

// cannotSegment says whether the kernel refused because of the segments: no
// checksum offload (EIO), or none at all, or they are longer than the path takes.
func cannotSegment(err syscall.Errno) bool {
	switch err {
	case unix.EIO, unix.EINVAL, unix.EOPNOTSUPP, unix.ENOPROTOOPT, unix.EMSGSIZE:
		return true
	}
	return false
}

// again packs what has not been sent yet anew, and sends it.
func (b *batch) again(done int) {
	left := b.answers[:b.count]
	b.count = 0
	for i := range left {
		if left[i].message >= done {
			b.answers[b.count] = left[i]
			b.count++
		}
	}
	b.send()
}

// pack makes messages of the replies. Those of one size to one NAS share one,
// which the kernel cuts into datagrams again (UDP_SEGMENT, udp(7)): a
// controller that asks for many members pays one way through the network stack.
func (b *batch) pack() {
	b.packed = 0
	vecs := 0
	for i := range b.answers[:b.count] {
		b.answers[i].message = -1
	}
	for i := range b.answers[:b.count] {
		first := &b.answers[i]
		if first.message >= 0 {
			continue
		}
		from := vecs
		for k := i; k < b.count; k++ {
			a := &b.answers[k]
			if k != i && (a.message >= 0 || !b.together(first, a)) {
				continue
			}
			a.message = b.packed
			b.outVecs[vecs].Base = &a.reply[0]
			b.outVecs[vecs].SetLen(len(a.reply))
			vecs++
			if b.unsegmented || len(a.reply) > maxSegment {
				break
			}
		}
		b.message(first, from, vecs-from)
	}
}

// together says whether two replies can share a message: same size, same NAS,
// same address of ours.
func (b *batch) together(x, y *answer) bool {
	p, q := &b.places[x.place], &b.places[y.place]
	return len(x.reply) == len(y.reply) && p.name == q.name && x.local == y.local
}

// message fills the header of the next message: count vectors from from on.
func (b *batch) message(first *answer, from, count int) {
	h := &b.outHdrs[b.packed].header
	in := &b.inHdrs[first.place].header
	h.Name, h.Namelen = in.Name, in.Namelen
	h.Iov = &b.outVecs[from]
	h.SetIovlen(count)
	control := b.outControl[b.packed][:0]
	if first.local.IsValid() {
		control = sourceControl(control, first.local)
	}
	if count > 1 {
		control = segmentControl(control, len(first.reply))
	}
	h.Control = nil
	h.SetControllen(len(control))
	if len(control) > 0 {
		h.Control = &control[0]
	}
	b.packed++
}

func (b *batch) sendmmsg(fd uintptr) bool {
	n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&b.outHdrs[b.from])), uintptr(b.packed-b.from), unix.MSG_DONTWAIT, 0, 0)
	b.moved, b.err = int(n), errno
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
	b, data := appendControl(b, level, kind, size)
	if local.Is4() {
		a := local.As4()
		copy(data[4:], a[:]) // ipi_spec_dst
	} else {
		a := local.As16()
		copy(data, a[:])
	}
	return b
}

// segmentControl appends to b the control message that cuts a message into datagrams of size octets.
func segmentControl(b []byte, size int) []byte {
	b, data := appendControl(b, unix.IPPROTO_UDP, unix.UDP_SEGMENT, 2)
	binary.NativeEndian.PutUint16(data, uint16(size))
	return b
}

// appendControl appends a control message (cmsg(3)) and returns where its data goes.
func appendControl(b []byte, level, kind int32, size int) (all, data []byte) {
	from := len(b)
	b = append(b, make([]byte, unix.CmsgSpace(size))...)
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[from]))
	h.Level, h.Type = level, kind
	h.SetLen(unix.CmsgLen(size))
	return b, b[from+unix.CmsgLen(0):]
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
