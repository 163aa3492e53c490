package main

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"memberradius/dictionary"
	"memberradius/member"
	"memberradius/radiusd/radiustest"

	"github.com/rogpeppe/go-internal/testscript"
)

// Codes of RFC 5176 §2.3; an answer's is the request's and one for an ACK, and two for a NAK.
const (
	disconnectRequest = 40
	coaRequest        = 43
)

// scriptNAS is the part of an access point that is told to throw somebody off
// (RFC 5176). It takes what is signed with $SECRET:
//
//	nas start NAME                  it listens, at $NAME
//	nas answers NAME KIND=HOW ...   KIND is disconnect or coa; HOW is ack (as at first), the
//	                                Error-Cause of a NAK, or silence
//	nas got NAME [WITHIN]           prints the next request by the names of its attributes
//	nas quiet NAME                  none has come that was not printed
//	nas gone NAME                   nobody listens any more: its host says so by ICMP
//
// After it has acknowledged a Disconnect-Request it reports the session's Stop
// to $RADIUS_acct.
func scriptNAS(ts *testscript.TestScript, _ bool, args []string) {
	nases := streetOf(ts).nases
	if args[0] == "start" {
		n, err := newDASNAS(member.Secret(ts.Getenv("SECRET")))
		ts.Check(err)
		ts.Defer(n.close)
		nases[args[1]] = n
		ts.Setenv(args[1], n.conn.LocalAddr().String())
		return
	}
	n := nases[args[1]]
	if n == nil {
		ts.Fatalf("nas start %s first", args[1])
	}
	switch args[0] {
	case "answers":
		n.answer(ts, args[2:])
	case "got":
		within := 10 * time.Second
		if len(args) > 2 {
			var err error
			within, err = time.ParseDuration(args[2])
			ts.Check(err)
		}
		select {
		case text := <-n.got:
			_, _ = fmt.Fprint(ts.Stdout(), text)
		case <-time.After(within):
			ts.Fatalf("%s got nothing within %v", args[1], within)
		}
	case "quiet":
		select {
		case text := <-n.got:
			ts.Fatalf("%s got %s", args[1], text)
		default:
		}
	case "gone":
		n.close()
	default:
		ts.Fatalf("nas %s is unknown", args[0])
	}
}

// A dasNAS is such a NAS.
type dasNAS struct {
	conn    *net.UDPConn
	secret  member.Secret
	got     chan string // what came, for people
	running sync.WaitGroup

	mu      sync.Mutex
	answers map[string]string
	acct    netip.AddrPort
}

func newDASNAS(secret member.Secret) (*dasNAS, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	n := &dasNAS{conn: conn, secret: secret, got: make(chan string, 64), answers: map[string]string{}}
	n.running.Go(n.serve)
	return n, nil
}

func (n *dasNAS) close() {
	_ = n.conn.Close()
	n.running.Wait()
}

// answer sets what it says from now on, and to whom it reports.
func (n *dasNAS) answer(ts *testscript.TestScript, how []string) {
	acct, err := netip.ParseAddrPort(ts.Getenv("RADIUS_acct"))
	ts.Check(err)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.acct = acct
	for _, h := range how {
		kind, what, _ := strings.Cut(h, "=")
		n.answers[kind] = what
	}
}

func (n *dasNAS) serve() {
	room := make([]byte, 4096)
	for {
		size, from, err := n.conn.ReadFromUDPAddrPort(room)
		if err != nil {
			return
		}
		n.take(room[:size], from)
	}
}

// take answers one datagram. A NAS is silent to whom it can't trust.
func (n *dasNAS) take(packet []byte, from netip.AddrPort) {
	r, err := readDAS(packet, n.secret)
	if err != nil {
		n.got <- "not answered: " + err.Error() + "\n"
		return
	}
	n.mu.Lock()
	how, acct := n.answers[r.kind], n.acct
	n.mu.Unlock()
	n.got <- r.String()
	switch how {
	case "silence":
		return
	case "", "ack":
		_, _ = n.conn.WriteToUDPAddrPort(r.reply(1, nil, n.secret), from)
		if r.kind == "disconnect" {
			n.running.Go(func() { n.stop(r, acct) })
		}
	default:
		cause, _ := strconv.Atoi(how)
		_, _ = n.conn.WriteToUDPAddrPort(r.reply(2, binary.BigEndian.AppendUint32([]byte{101, 6}, uint32(cause)), n.secret), from)
	}
}

// stop reports the end of a session, as often as it takes.
func (n *dasNAS) stop(r *dasRequest, acct netip.AddrPort) {
	user := r.values["User-Name"]
	if user == "" { // a device that came by its address has no other name
		user = r.values["Calling-Station-Id"]
	}
	p := &radiustest.Packet{Code: radiustest.AccountingRequest, Identifier: r.packet[1]}
	p.AddNamed(dictionary.Builtin(), "User-Name", user).
		AddNamed(dictionary.Builtin(), "Acct-Status-Type", "Stop").AddNamed(dictionary.Builtin(), "Acct-Terminate-Cause", "Admin-Reset")
	for _, name := range []string{"NAS-Identifier", "Acct-Session-Id", "Calling-Station-Id"} {
		p.AddNamed(dictionary.Builtin(), name, r.values[name])
	}
	datagram, err := p.Encode(n.secret)
	if err != nil {
		n.got <- "no Stop: " + err.Error() + "\n"
		return
	}
	wire, err := radiustest.Dial(netip.AddrPort{}, acct)
	if err != nil {
		n.got <- "no Stop: " + err.Error() + "\n"
		return
	}
	defer func() { _ = wire.Close() }()
	for range 5 {
		if wire.Send(datagram) != nil {
			return // the server has ended, and the script with it
		}
		if _, err := wire.Receive(time.Second); err == nil {
			return
		}
	}
	n.got <- "the Stop was never acknowledged\n"
}

// A dasRequest is a request whose signatures are right.
type dasRequest struct {
	packet []byte
	kind   string
	lines  []string
	values map[string]string
}

// readDAS reads a request, and checks it as strictly as hostapd does: Request
// Authenticator (RFC 5176 §2.3), Message-Authenticator first, and Event-Timestamp.
func readDAS(packet []byte, secret member.Secret) (*dasRequest, error) {
	const header, signature = 20, 16
	if len(packet) < header+2+signature || int(binary.BigEndian.Uint16(packet[2:])) != len(packet) {
		return nil, errors.New("its length is wrong")
	}
	r := &dasRequest{packet: append([]byte(nil), packet...), kind: map[byte]string{disconnectRequest: "disconnect", coaRequest: "coa"}[packet[0]], values: map[string]string{}}
	bare := append([]byte(nil), packet...)
	clear(bare[4:header])
	sum := md5.Sum(append(bare, secret...))
	if !hmac.Equal(sum[:], packet[4:header]) {
		return nil, errors.New("its Request Authenticator is wrong")
	}
	bare = bare[:len(packet)]
	if bare[header] != 80 || bare[header+1] != 2+signature {
		return nil, errors.New("Message-Authenticator does not stand first")
	}
	clear(bare[header+2 : header+2+signature])
	mac := hmac.New(md5.New, []byte(secret))
	_, _ = mac.Write(bare)
	if !hmac.Equal(mac.Sum(nil), packet[header+2:header+2+signature]) {
		return nil, errors.New("its Message-Authenticator is wrong")
	}
	err := dictionary.Builtin().Each(packet[header:], func(a *dictionary.Attribute, value []byte) {
		text := a.Text(value)
		r.values[a.Name] = text
		r.lines = append(r.lines, a.Name+" = "+text)
	})
	if err == nil && (r.kind == "" || r.values["Event-Timestamp"] == "") {
		err = errors.New("it is no request, or has no Event-Timestamp")
	}
	return r, err
}

// String is the request for people.
func (r *dasRequest) String() string {
	name := map[string]string{"disconnect": "Disconnect-Request", "coa": "CoA-Request"}[r.kind]
	return name + "\n" + strings.Join(r.lines, "\n") + "\n"
}

// reply is an ACK (step 1) or a NAK (2) of the request, signed (RFC 5176 §2.3).
func (r *dasRequest) reply(step byte, attributes []byte, secret member.Secret) []byte {
	b := append(append([]byte{r.packet[0] + step, r.packet[1], 0, 0}, r.packet[4:20]...), attributes...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	sum := md5.Sum(append(b[:len(b):len(b)], secret...))
	copy(b[4:], sum[:])
	return b
}
