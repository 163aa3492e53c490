package radiustest

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsg moves datagrams with sendmmsg(2) and recvmmsg(2). Its sockets are not
// known to Go's poller: an epoll registration would cost the server, in whose
// time a datagram is delivered, a wake-up for each. This file is the only one
// here that uses unsafe: the two system calls take an array of headers that
// point to vectors that point to buffers.
//
// All of that memory is Go's, on the heap, which does not move, and is held by
// the mmsg itself, so that it lives as long as the kernel may look at it: for
// the time of the call.
type mmsg struct {
	sockets []int
	poll    []unix.PollFd

	out, in       [batchSize]unix.Mmsghdr
	outVec, inVec [batchSize]unix.Iovec
	buffers       [batchSize][maxPacket]byte
	packets       [batchSize][]byte
}

var _ transport = (*mmsg)(nil)

// socketBuffer is what each socket asks for in octets: a burst of 256 replies
// with the kernel's overhead fits many times.
const socketBuffer = 1 << 22

func openTransport(l *Load) (*opened, error) {
	m := &mmsg{}
	var addresses []netip.AddrPort
	for i := range batchSize {
		m.out[i].Hdr.Iov = &m.outVec[i]
		m.out[i].Hdr.SetIovlen(1)
		m.in[i].Hdr.Iov = &m.inVec[i]
		m.in[i].Hdr.SetIovlen(1)
		m.inVec[i].Base = &m.buffers[i][0]
		m.inVec[i].SetLen(maxPacket)
	}
	for i := range l.Sockets {
		var local netip.Addr
		if len(l.Local) > 0 {
			local = l.Local[i%len(l.Local)]
		}
		socket, err := connect(local, l.Server)
		if err != nil {
			return nil, errors.Join(err, m.close())
		}
		m.sockets = append(m.sockets, socket)
		address, err := addressOf(socket)
		if err != nil {
			return nil, errors.Join(err, m.close())
		}
		addresses = append(addresses, address)
		m.poll = append(m.poll, unix.PollFd{Fd: int32(socket), Events: unix.POLLIN})
	}
	return &opened{m, addresses, m.close}, nil
}

// connect returns a UDP socket that does not wait, connected to server.
func connect(local netip.Addr, server netip.AddrPort) (int, error) {
	domain := unix.AF_INET
	if !server.Addr().Unmap().Is4() {
		domain = unix.AF_INET6
	}
	socket, err := unix.Socket(domain, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("radiustest: load: socket: %w", err)
	}
	// Less than asked for is granted where the system has a limit; that is no error.
	_ = unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_RCVBUF, socketBuffer)
	_ = unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_SNDBUF, socketBuffer)
	if local.IsValid() {
		if err := unix.Bind(socket, sockaddr(netip.AddrPortFrom(local, 0))); err != nil {
			return -1, errors.Join(fmt.Errorf("radiustest: load: bind %s: %w", local, err), unix.Close(socket))
		}
	}
	if err := unix.Connect(socket, sockaddr(server)); err != nil {
		return -1, errors.Join(fmt.Errorf("radiustest: load: connect %s: %w", server, err), unix.Close(socket))
	}
	return socket, nil
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if ip := a.Addr().Unmap(); ip.Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: ip.As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

// addressOf returns where the server sees a socket: connecting has bound it.
func addressOf(socket int) (netip.AddrPort, error) {
	sa, err := unix.Getsockname(socket)
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)), nil
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port)), nil
	}
	return netip.AddrPort{}, fmt.Errorf("radiustest: load: address of a socket: %w", err)
}

func (m *mmsg) close() error {
	var failed error
	for _, socket := range m.sockets {
		if err := unix.Close(socket); err != nil {
			failed = fmt.Errorf("radiustest: load: close: %w", err)
		}
	}
	return failed
}

// send implements transport.
func (m *mmsg) send(socket int, packets [][]byte) (int, error) {
	for i, p := range packets {
		m.outVec[i].Base = unsafe.SliceData(p)
		m.outVec[i].SetLen(len(p))
	}
	n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(m.sockets[socket]),
		uintptr(unsafe.Pointer(&m.out)), uintptr(len(packets)), unix.MSG_DONTWAIT, 0, 0)
	return outcome("sendmmsg", n, errno)
}

// receive implements transport.
func (m *mmsg) receive(socket int) ([][]byte, error) {
	r, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(m.sockets[socket]),
		uintptr(unsafe.Pointer(&m.in)), batchSize, unix.MSG_DONTWAIT, 0, 0)
	n, err := outcome("recvmmsg", r, errno)
	for i := range n {
		m.packets[i] = m.buffers[i][:m.in[i].Len]
	}
	return m.packets[:n], err
}

// wait implements transport.
func (m *mmsg) wait(d time.Duration) {
	timeout := unix.NsecToTimespec(int64(d))
	// An interrupted wait is a short one.
	_, _ = unix.Ppoll(m.poll, &timeout, nil)
}

// outcome makes what a system call returned a count and an error. Full queues
// and signals are no errors: the loop comes back.
func outcome(call string, n uintptr, errno unix.Errno) (int, error) {
	switch errno {
	case 0:
		return int(n), nil
	case unix.EAGAIN, unix.EINTR, unix.ENOBUFS:
		return 0, nil
	case unix.ECONNREFUSED:
		return 0, errRefused
	}
	return 0, fmt.Errorf("radiustest: load: %s: %w", call, errno)
}
