package radiusd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"memberradius/eap"
	"memberradius/member"

	"github.com/sirupsen/logrus"
)

// What Config's zero values mean.
const (
	defaultPool    = 2048
	defaultQueue   = 8192
	defaultTimeout = 10 * time.Second
	defaultJournal = 10_000

	defaultConversations = 16_384
	// idleConversation is how long a device may take to answer in EAP.
	idleConversation = 30 * time.Second
)

// A Server is a RADIUS server. Make it with New, bind it with Listen, run it
// with Serve.
type Server struct {
	config      Config
	log         *logrus.Logger
	rand        io.Reader
	now         func() time.Time // nil: time.Now
	rejectDelay time.Duration
	timeout     time.Duration
	journalSize int

	tables   atomic.Pointer[Tables]
	sockets  [][]*socket // by Config.Listen
	readers  []*reader
	journals []*journal // one per reader, and the pool's
	pool     *pool
	accounts *pool // of Accounting-Requests
	delay    *delay
	brake    *brake // nil: rejects do not wait
	scribe   *scribe
	engine   *eap.Engine
	turns    *turns
	meters   *meters
	hashes   *argonChecker
	identity *identityKey
	// exchanges are the pool's, for reuse.
	exchanges sync.Pool
	// when these were last logged, Unix seconds
	unknownSaid, refusedSaid, unrecordedSaid atomic.Int64
}

// New checks the configuration and registers the metrics. Nothing is bound yet.
func New(c Config) (*Server, error) {
	switch {
	case c.Log == nil:
		return nil, errors.New("radiusd: Config.Log is nil")
	case c.Tables.Clients == nil:
		return nil, errors.New("radiusd: Config.Tables.Clients is nil: nobody could ask")
	case c.Tables.Members == nil:
		return nil, errors.New("radiusd: Config.Tables.Members is nil: nobody could be let in")
	}
	s := &Server{
		config: c, log: c.Log, rand: c.Rand, now: c.Now, rejectDelay: c.RejectDelay,
		timeout:     orDefault(c.Timeout, defaultTimeout),
		journalSize: orDefault(c.Journal, defaultJournal),
		meters:      newMeters(), delay: newDelay(), hashes: newArgonChecker(),
		brake: newBrake(c.RejectDelay),
	}
	if s.rand == nil {
		s.rand = rand.Reader
	}
	secret := c.IdentityKey
	if len(secret) == 0 {
		secret = make([]byte, 32)
		if _, err := io.ReadFull(s.rand, secret); err != nil {
			return nil, fmt.Errorf("radiusd: no randomness: %w", err)
		}
	}
	s.identity = newIdentityKey(secret)
	s.scribe = newScribe(s)
	conversations := orDefault(c.Conversations, defaultConversations)
	s.engine = eap.NewEngine(eap.Bounds{Conversations: conversations, PerClient: max(conversations/2, 1), Idle: idleConversation}, s.rand)
	s.turns = newTurns(runtime.GOMAXPROCS(0))
	s.pool = newPool(orDefault(c.Pool, defaultPool), orDefault(c.Queue, defaultQueue), s.work)
	s.accounts = newPool(defaultAccounts, defaultAccountsQueue, s.work)
	s.journals = []*journal{newJournal(s.journalSize)}
	s.exchanges.New = func() any {
		x := newExchange(s)
		x.journal = s.journals[0]
		return x
	}
	if err := s.meters.register(c.Metrics, s); err != nil {
		return nil, fmt.Errorf("radiusd: metrics: %w", err)
	}
	s.Swap(c.Tables)
	return s, nil
}

// clock reads the wall clock, with the monotonic one in it.
func (s *Server) clock() time.Time {
	if s.now != nil {
		return s.now()
	}
	return time.Now()
}

func orDefault[T int | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// Swap gives the server new tables at once and as one. Requests in work end with the old ones.
func (s *Server) Swap(t Tables) { s.tables.Store(&t) }

// Listen binds every address. Where one can't be bound none is, and the error
// wraps the cause: syscall.EADDRINUSE for a port in use.
func (s *Server) Listen(ctx context.Context) error {
	count := orDefault(s.config.Readers, runtime.GOMAXPROCS(0))
	for _, l := range s.config.Listen {
		sockets, err := bind(ctx, l, count)
		if err != nil {
			s.close()
			return err
		}
		s.sockets = append(s.sockets, sockets)
		for _, sock := range sockets {
			r, err := newReader(s, sock)
			if err != nil {
				s.close()
				return fmt.Errorf("radiusd: udp %v: %w", l.Address, err)
			}
			s.readers = append(s.readers, r)
			s.journals = append(s.journals, r.x.journal)
		}
	}
	return nil
}

func (s *Server) close() {
	for _, sockets := range s.sockets {
		closeAll(sockets)
	}
	s.sockets, s.readers = nil, nil
}

// Addrs returns the bound addresses in the order of Config.Listen.
func (s *Server) Addrs() []netip.AddrPort {
	addrs := make([]netip.AddrPort, 0, len(s.sockets))
	for _, sockets := range s.sockets {
		addrs = append(addrs, sockets[0].local)
	}
	return addrs
}

// Serve answers until ctx ends; then it takes no more requests, finishes those
// in work, sends the Access-Rejects that wait for their time, and closes the
// sockets. It fails only where a socket does.
func (s *Server) Serve(ctx context.Context) error {
	go s.scribe.serve()
	go s.delay.serve()
	stop := make(chan struct{})
	var expiry sync.WaitGroup
	expiry.Go(func() { s.expire(stop) })
	var readers sync.WaitGroup
	failed := make(chan error, len(s.readers))
	for _, r := range s.readers {
		readers.Go(func() {
			if err := r.run(); err != nil {
				failed <- err
			}
		})
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	for _, r := range s.readers {
		err = errors.Join(err, r.socket.conn.SetReadDeadline(time.Unix(1, 0)))
	}
	readers.Wait()
	s.pool.wait()
	s.accounts.wait()
	close(stop)
	expiry.Wait()
	s.delay.close()
	s.scribe.close()
	s.close()
	return err
}

// work runs one job of the pool.
func (s *Server) work(j *job) {
	x := s.exchanges.Get().(*exchange)
	defer s.exchanges.Put(x)
	defer x.rescue()
	x.resume(j)
	s.scribe.nudge()
}

// panicked counts a panic and logs where it came from. The values of a stack's
// frames are addresses, never text of a packet.
func (s *Server) panicked(p any) {
	s.meters.panics.Inc()
	s.scribe.say(line{logrus.ErrorLevel, "a worker panicked; the request is lost, the server goes on", logrus.Fields{
		"panic": fmt.Sprintf("%T", p), "stack": string(debug.Stack()),
	}})
}

// Why returns the last decisions about a login, or about a device by its MAC
// address in any spelling, at most most, newest first. What EAP says outside
// the tunnel is often "anonymous": who did not get that far is found by the device.
func (s *Server) Why(login string, most int) []Decision {
	folded, station := member.FoldString(login), ""
	var mac [macSize]byte
	if n := readMAC(&mac, []byte(login)); n > 0 && n == len(login) {
		station = string(mac[:])
	}
	var found []Decision
	for _, j := range s.journals {
		n := 0
		j.find(folded, station, func(r *record) bool {
			found = append(found, r.decision())
			n++
			return n < most
		})
	}
	slices.SortStableFunc(found, func(a, b Decision) int { return b.At.Compare(a.At) })
	return found[:min(len(found), most)]
}
