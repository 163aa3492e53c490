package radiustest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"memberradius/dictionary"
	"memberradius/member"
)

// Echo is the mode in which a Load measures the network and nothing else: it
// sends packets of a PAP request's size, signs none, and takes any datagram
// with the same identifier as an answer.
const Echo Method = "echo"

// A User is who a Load logs in.
type User struct {
	Login    string
	Password member.Secret
}

// A Load drives a server from one goroutine, in a closed loop (InFlight
// requests are always out) or an open one (Rate requests a second, come what may).
//
// Every request that is sent is a new one to the server: it gets a Request
// Authenticator that was never used before, its password is hidden again and
// its Message-Authenticator computed anew. A server that keeps replies for
// repeats (RFC 5080 §2.2.2) can answer none of them from there. What is
// prepared ahead is the rest of the packet, and for MS-CHAP a pool of Proofs
// different challenges and responses, which come round again under other
// Authenticators: a server that keeps answers by response can tell, one that
// keeps replies can't.
//
// There is no retransmission: a request without a reply is lost after Timeout,
// and counts so.
type Load struct {
	Server netip.AddrPort
	Secret member.Secret
	// Mode is PAP, CHAP, MSCHAP, MSCHAPv2, MAC (each Login is a device's address),
	// an EAP method, Status or Echo.
	//
	// With an EAP method all that is said here of requests is meant of whole
	// logins, in as many rounds as the server wants: InFlight of them are in work,
	// Rate of them begin a second, latency is that of a whole login. One that gets
	// no answer within Timeout in any round is lost.
	Mode Method
	// EAP is how the devices are set up, with an EAP method; its Session is not
	// used. Resume makes each of them log in once before anything is counted, and
	// from then on offer to resume the TLS session that it had last.
	EAP    *EAP
	Resume bool
	// Users take turns. Status and Echo need none.
	Users []User
	// AccessPoint is said in every request.
	AccessPoint AccessPoint
	// InFlight is how many requests are out at the same time (0: 64 in a closed
	// loop; in an open one as many as the sockets have identifiers for).
	InFlight int
	// Rate makes it an open loop of so many requests a second. Latency counts
	// from when a request was due, so that a server which stalls can't hide how
	// many waited (coordinated omission).
	Rate float64
	// Duration, Count or the context ends the sending, whichever is first; one
	// of the three must be there. Warmup comes before Duration and is not
	// counted at all.
	Duration, Warmup time.Duration
	Count            uint64
	// Sockets is how many source ports there are (0: 8, or what InFlight needs
	// at 256 identifiers each); Local are their addresses in turn (none: the system's choice).
	Sockets int
	Local   []netip.Addr
	// Timeout is when a request is lost (0: 5 s).
	Timeout time.Duration
	// VerifyEvery is of how many replies one has its Response Authenticator
	// checked (0: 64, 1: all). With an EAP method every reply has; of so many
	// logins one has all of its last reply checked, keys included.
	VerifyEvery int
	// Proofs is how many MS-CHAP exchanges are prepared (0: 65,536, at least
	// one for each user): some 5 µs and 250 octets each.
	Proofs int
	// Spin is how long it looks again and again before it sleeps (0: 50 µs,
	// negative: not at all). Where the generator has a core of its own, a longer
	// one spares the server the cost of waking it.
	Spin time.Duration
	// Opened is called once, when the sockets are bound and before anything is
	// sent: whoever has to tell the server of them does so here. An error ends the Load.
	Opened func(sockets []netip.AddrPort) error
	// Progress is called each second, by the goroutine that sends: it must not wait.
	Progress func(Snapshot)
	// Dictionary and Rand default to dictionary.Builtin and crypto/rand.
	Dictionary *dictionary.Dictionary
	Rand       io.Reader
}

// Counts are what a Load has seen.
type Counts struct {
	// Sent requests, and Replies that came to them: Accepted, Rejected or
	// Challenged; answers to Status and Echo are Accepted.
	Sent, Replies, Accepted, Rejected, Challenged uint64
	// Lost requests had no reply within Timeout.
	Lost uint64
	// Late replies came to a request that was lost already, or to none.
	Late uint64
	// Wrong replies were malformed, had a code that answers nothing, or a wrong
	// Response Authenticator; Verified is how many were checked for that.
	Wrong, Verified uint64
	// Refused counts the host's words that nothing listens there.
	Refused uint64
	// Resumed is how many of the Accepted logins resumed a TLS session.
	Resumed uint64
}

// A Snapshot is how a Load stands; counts, quantiles and Elapsed are since the warm-up.
type Snapshot struct {
	Counts
	Elapsed  time.Duration
	InFlight int
	// Rate is replies a second since the snapshot before.
	Rate     float64
	P50, P99 time.Duration
}

// A Result is what a Load found. Warm-up counts nowhere in it.
type Result struct {
	Counts
	Mode Method
	// Elapsed is how long requests were sent, and Rate replies a second within that.
	Elapsed time.Duration
	Rate    float64
	// Latency is of every reply: from sending in a closed loop, from when it was due in an open one.
	Latency Histogram
	// Behind is how far the generator itself fell behind its schedule in an
	// open loop: what is not small against the latency belongs to the generator.
	Behind time.Duration
	// Trouble is what was wrong with the first EAP login that did not end well.
	Trouble string
}

const (
	defaultInFlight    = 64
	defaultSockets     = 8
	defaultTimeout     = 5 * time.Second
	defaultVerifyEvery = 64
	defaultProofs      = 1 << 16
	defaultSpin        = 50 * time.Microsecond
	// maxSockets and maxUsers bound the memory: 9 KiB a socket, 250 octets a user.
	maxSockets = 4096
	maxUsers   = 1 << 20
)

var (
	errLoadServer = errors.New("radiustest: load: no server address")
	errLoadSecret = errors.New("radiustest: load: no secret")
	errLoadUsers  = errors.New("radiustest: load: no users to log in")
	errLoadResume = errors.New("radiustest: load: only peap, ttls and tls have a TLS session to resume")
	errLoadEnd    = errors.New("radiustest: load: it has neither a duration nor a count, and the context never ends")
)

// Run prepares the packets, sends until it is to end, waits for the replies
// that are still out, and returns what it found: also where ctx ended it, with
// ctx's error. It fails where no reply came at all.
func (l *Load) Run(ctx context.Context) (*Result, error) {
	c, err := l.complete()
	if err != nil {
		return nil, err
	}
	if c.Duration == 0 && c.Count == 0 && ctx.Done() == nil {
		return nil, errLoadEnd
	}
	begin := c.single
	if c.Mode.EAP() {
		begin = c.conversations
	}
	start, err := begin()
	if err != nil {
		return nil, err
	}
	result, err := c.drive(ctx, start, openTransport)
	if err == nil && result.Replies == 0 {
		err = result.silence(c.Server)
	}
	return result, err
}

// A starter makes what drives a server through a transport.
type starter func(*opened) runner

// A runner is a Load that runs.
type runner interface {
	run(ctx context.Context) error
	result() *Result
}

// single prepares single requests.
func (l *Load) single() (starter, error) {
	pool, err := newPool(l)
	if err != nil {
		return nil, err
	}
	return func(t *opened) runner { return newGenerator(l, pool, t) }, nil
}

// drive runs what start makes through the transport that open returns.
func (l *Load) drive(ctx context.Context, start starter, open func(*Load) (*opened, error)) (*Result, error) {
	t, err := open(l)
	if err != nil {
		return nil, err
	}
	if l.Opened != nil {
		if err := l.Opened(t.addresses); err != nil {
			return nil, errors.Join(err, t.close())
		}
	}
	g := start(t)
	err = g.run(ctx)
	if e := t.close(); err == nil {
		err = e
	}
	return g.result(), err
}

// silence says why there may have been no reply.
func (r *Result) silence(server netip.AddrPort) error {
	text := "the server drops what it can't trust: does it know this address as a client, with this secret?"
	switch {
	case r.Refused > 0:
		text = "the host says that nothing listens there: is the server running, and on this port?"
	case r.Wrong > 0:
		text = fmt.Sprintf("%s came that can't be trusted: is the secret the same on both sides?", replies(int(r.Wrong)))
	}
	return fmt.Errorf("radiustest: load: %d requests to %s, and no reply: %s", r.Sent, server, text)
}

// complete returns a copy in which every default is filled in.
func (l *Load) complete() (*Load, error) {
	c := *l
	switch {
	case !c.Server.IsValid() || c.Server.Port() == 0:
		return nil, errLoadServer
	case c.Mode == Echo:
		c.Users = []User{{Login: "echo", Password: "echo"}}
	case c.Secret == "":
		return nil, errLoadSecret
	case c.Mode == Status:
		c.Users = []User{{}}
	case len(c.Users) == 0:
		return nil, errLoadUsers
	case c.Resume && !c.Mode.Tunnel():
		return nil, errLoadResume
	case len(c.Users) > maxUsers:
		return nil, fmt.Errorf("radiustest: load: %d users: at most %d are taken", len(c.Users), maxUsers)
	}
	if c.Rate < 0 || c.InFlight < 0 || c.VerifyEvery < 0 || c.Proofs < 0 || c.Sockets < 0 || c.Sockets > maxSockets || c.InFlight > maxSockets*identifiers {
		return nil, fmt.Errorf("radiustest: load: no number may be negative, and at most %d requests in flight and %d sockets are possible",
			maxSockets*identifiers, maxSockets)
	}
	c.size()
	fill(&c.Timeout, defaultTimeout)
	fill(&c.VerifyEvery, defaultVerifyEvery)
	fill(&c.Proofs, defaultProofs)
	fill(&c.Spin, defaultSpin)
	if c.Dictionary == nil {
		c.Dictionary = dictionary.Builtin()
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	return &c, nil
}

// size makes sockets and requests in flight fit each other.
func (l *Load) size() {
	if l.InFlight == 0 && l.Rate == 0 {
		l.InFlight = defaultInFlight
	}
	if l.Sockets == 0 {
		l.Sockets = max(defaultSockets, (l.InFlight+identifiers-1)/identifiers)
	}
	most := l.Sockets * identifiers
	if l.Mode.EAP() {
		most = maxSockets * flightsPerSocket
		if l.InFlight == 0 {
			l.InFlight = l.Sockets * flightsPerSocket
		}
	}
	if l.InFlight == 0 || l.InFlight > most {
		l.InFlight = most
	}
	if l.Mode.EAP() {
		l.Sockets = max(l.Sockets, (l.InFlight+flightsPerSocket-1)/flightsPerSocket)
	}
	l.Sockets = min(l.Sockets, l.InFlight)
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
