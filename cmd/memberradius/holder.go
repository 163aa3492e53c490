package main

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// explainInUse adds to an error about an address in use who holds it.
func explainInUse(err error, network string, wanted []netip.AddrPort) error {
	if !errors.Is(err, syscall.EADDRINUSE) {
		return err
	}
	var held []string
	for _, address := range wanted {
		for _, h := range (procFS("/proc")).holders(network, address) {
			held = append(held, fmt.Sprintf("%s/%s is held by %s", address, network, h))
		}
	}
	if len(held) == 0 {
		return fmt.Errorf("%w; who holds it could not be found out: `ss -lnp` as root says it", err)
	}
	return fmt.Errorf("%w: %s; stop that, or choose another port in the configuration", err, strings.Join(held, ", "))
}

// procFS is Linux's /proc.
type procFS string

// holders names the processes, other than this one, whose sockets keep address
// from being bound: on the same port, and on the same address or on all.
func (p procFS) holders(network string, address netip.AddrPort) []string {
	if address.Port() == 0 {
		return nil
	}
	owners := map[string]string{} // inode to user ID
	for _, table := range []string{network, network + "6"} {
		for _, s := range p.sockets(filepath.Join(string(p), "net", table), strings.HasPrefix(network, "tcp")) {
			if s.address.Port() == address.Port() && overlap(s.address.Addr(), address.Addr()) {
				owners[s.inode] = s.user
			}
		}
	}
	var out []string
	found := map[string]bool{}
	for _, process := range p.processes() {
		for _, inode := range process.sockets {
			if _, ok := owners[inode]; ok {
				found[inode] = true
				if process.pid != os.Getpid() {
					out = append(out, fmt.Sprintf("%s (process %d)", process.name, process.pid))
				}
			}
		}
	}
	for inode, user := range owners {
		if !found[inode] {
			out = append(out, fmt.Sprintf("a process of user %s that only root may look into", user))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func overlap(a, b netip.Addr) bool {
	a, b = a.Unmap().WithZone(""), b.Unmap().WithZone("")
	return a == b || a.IsUnspecified() || b.IsUnspecified()
}

type procSocket struct {
	address     netip.AddrPort
	user, inode string
}

// tcpListen is the state of a listening socket in /proc/net/tcp.
const tcpListen = "0A"

// sockets reads /proc/net/udp and its like: of TCP the listening sockets.
func (procFS) sockets(path string, tcp bool) []procSocket {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	var out []procSocket
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || tcp && fields[3] != tcpListen {
			continue
		}
		if address, ok := procAddress(fields[1]); ok {
			out = append(out, procSocket{address, fields[7], fields[9]})
		}
	}
	return out
}

// procAddress reads "0100007F:0714": each four octets of the address stand in
// the order of a little-endian machine's number, the port as people write it.
func procAddress(s string) (netip.AddrPort, bool) {
	text, port, ok := strings.Cut(s, ":")
	octets, err := hex.DecodeString(text)
	n, perr := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil || perr != nil || len(octets)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for word := range slices.Chunk(octets, 4) {
		slices.Reverse(word)
	}
	a, ok := netip.AddrFromSlice(octets)
	return netip.AddrPortFrom(a, uint16(n)), ok
}

type procProcess struct {
	pid     int
	name    string
	sockets []string // inodes
}

// processes lists those whose open files this user may see.
func (p procFS) processes() []procProcess {
	dirs, err := os.ReadDir(string(p))
	if err != nil {
		return nil
	}
	var out []procProcess
	for _, d := range dirs {
		pid, err := strconv.Atoi(d.Name())
		if err != nil {
			continue
		}
		inodes := p.inodes(pid)
		if len(inodes) == 0 {
			continue
		}
		name, err := os.ReadFile(filepath.Join(string(p), d.Name(), "comm"))
		if err != nil {
			name = []byte("a process")
		}
		out = append(out, procProcess{pid, strings.TrimSpace(string(name)), inodes})
	}
	return out
}

func (p procFS) inodes(pid int) []string {
	dir := filepath.Join(string(p), strconv.Itoa(pid), "fd")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		link, err := os.Readlink(filepath.Join(dir, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if inode, ok := strings.CutPrefix(link, "socket:["); ok {
			out = append(out, strings.TrimSuffix(inode, "]"))
		}
	}
	return out
}
