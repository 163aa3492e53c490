//go:build linux

package main

import (
	"fmt"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// batchSize is how many datagrams one system call may take or send.
const batchSize = 64

// datagramSize is more than any RADIUS packet needs here.
const datagramSize = 4096

// A batch is the memory for batchSize datagrams and their addresses. It must
// not be copied or moved: its headers point into it.
type batch struct {
	headers   [batchSize]unix.Mmsghdr
	vectors   [batchSize]unix.Iovec
	addresses [batchSize]unix.RawSockaddrInet4
	data      [batchSize][datagramSize]byte
}

func newBatch() *batch {
	b := new(batch)
	for i := range b.headers {
		b.vectors[i].Base = &b.data[i][0]
		b.headers[i].Hdr.Iov = &b.vectors[i]
		b.headers[i].Hdr.SetIovlen(1)
		b.headers[i].Hdr.Name = (*byte)(unsafe.Pointer(&b.addresses[i])) //nolint:gosec // system calls take addresses
	}
	return b
}

// receive waits for a datagram and takes up to batchSize that are there.
func (b *batch) receive(socket int) (int, error) {
	for i := range b.headers {
		b.vectors[i].SetLen(datagramSize)
		b.headers[i].Hdr.Namelen = unix.SizeofSockaddrInet4
	}
	// Nothing else runs in an echo: the runtime need not hear of the wait.
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(socket),
		uintptr(unsafe.Pointer(&b.headers)), batchSize, unix.MSG_WAITFORONE, 0, 0) //nolint:gosec // system calls take addresses
	if errno != 0 {
		return 0, fmt.Errorf("recvmmsg: %w", errno)
	}
	return int(n), nil
}

// sendBack sends the first n datagrams to where they came from.
func (b *batch) sendBack(socket, n int) error {
	for i := range n {
		b.vectors[i].SetLen(int(b.headers[i].Len))
	}
	for sent := 0; sent < n; {
		k, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(socket),
			uintptr(unsafe.Pointer(&b.headers[sent])), uintptr(n-sent), 0, 0, 0) //nolint:gosec // system calls take addresses
		if errno != 0 {
			return fmt.Errorf("sendmmsg: %w", errno)
		}
		sent += int(k)
	}
	return nil
}

// echo sends every datagram that reaches address back until it is killed. It
// calls ready once it can.
func echo(address netip.AddrPort, ready func()) error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("echo: socket: %w", err)
	}
	defer func() { _ = unix.Close(socket) }()
	// As large as the kernel allows without asking: a burst of the load must fit.
	_ = unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<20)
	to := &unix.SockaddrInet4{Addr: address.Addr().As4(), Port: int(address.Port())}
	if err := unix.Bind(socket, to); err != nil {
		return fmt.Errorf("echo: bind %s: %w", address, err)
	}
	ready()
	for b := newBatch(); ; {
		n, err := b.receive(socket)
		if err != nil {
			return fmt.Errorf("echo: %w", err)
		}
		if err := b.sendBack(socket, n); err != nil {
			return fmt.Errorf("echo: %w", err)
		}
	}
}
