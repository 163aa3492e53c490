package main

import (
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

// scriptNAS is the part of an access point that is told to throw somebody off
// (RFC 5176). It takes what is signed with $SECRET:
//
//	nas start NAME                  it listens, at $NAME
//	nas answers NAME [KIND=HOW ...] KIND is disconnect or coa; HOW is ack (as at first), or the
//	                                Error-Cause of a NAK
//	nas got NAME [WITHIN]           prints the next request by the names of its attributes
//	nas quiet NAME                  none has come that was not printed
//	nas gone NAME                   nobody listens any more: its host says so by ICMP
//
// After it has acknowledged a Disconnect-Request it reports the session's Stop,
// to what $RADIUS_acct was at the last "nas answers".
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
func (n *dasNAS) take(datagram []byte, from netip.AddrPort) {
	r, err := radiustest.ReadDynamic(datagram, n.secret, time.Now())
	if err != nil {
		n.got <- "not answered: " + err.Error() + "\n"
		return
	}
	kind, step := "disconnect", radiustest.Code(1) // to the code of an ACK; of a NAK it is 2
	if r.Code == radiustest.CoARequest {
		kind = "coa"
	}
	n.mu.Lock()
	how, acct := n.answers[kind], n.acct
	n.mu.Unlock()
	lines := []string{r.Code.String()}
	for _, a := range r.Attributes {
		lines = append(lines, a.Name+" = "+a.Value)
	}
	n.got <- strings.Join(lines, "\n") + "\n"
	cause := 0
	if how != "" && how != "ack" {
		cause, _ = strconv.Atoi(how)
		step = 2
	}
	reply, err := r.Reply(r.Code+step, uint32(cause), n.secret)
	if err != nil {
		n.got <- "not answered: " + err.Error() + "\n"
		return
	}
	_, _ = n.conn.WriteToUDPAddrPort(reply, from)
	if kind == "disconnect" && step == 1 {
		n.running.Go(func() {
			if err := n.stop(r, acct); err != nil {
				n.got <- "no Stop: " + err.Error() + "\n"
			}
		})
	}
}

// stop reports the end of a session, as often as it takes.
func (n *dasNAS) stop(r *radiustest.DynamicRequest, acct netip.AddrPort) error {
	p := &radiustest.Packet{Code: radiustest.AccountingRequest}
	p.AddNamed(dictionary.Builtin(), "Acct-Status-Type", "Stop").AddNamed(dictionary.Builtin(), "Acct-Terminate-Cause", "Admin-Reset")
	for _, name := range []string{"NAS-Identifier", "User-Name", "Acct-Session-Id", "Calling-Station-Id"} {
		values := r.Get(name)
		if values == nil && name == "User-Name" { // a device that came by its address has no other name
			values = r.Get("Calling-Station-Id")
		}
		for _, value := range values {
			p.AddNamed(dictionary.Builtin(), name, value)
		}
	}
	datagram, err := p.Encode(n.secret)
	if err != nil {
		return err
	}
	wire, err := radiustest.Dial(netip.AddrPort{}, acct)
	if err != nil {
		return err
	}
	defer func() { _ = wire.Close() }()
	for range 5 {
		if err = wire.Send(datagram); err == nil {
			_, err = wire.Receive(time.Second)
		}
		if !errors.Is(err, radiustest.ErrSilence) {
			return err
		}
	}
	return err
}
