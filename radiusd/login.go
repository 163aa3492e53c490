package radiusd

import (
	"context"
	"crypto/rand"
	"time"

	"memberradius/member"
)

// PortalClient is the name under which logins by a web page stand in journal,
// log and metrics, where those by RADIUS have their [[client]].
const PortalClient = "portal"

// A Login is a try to come in by a web page: with a password, and without a NAS.
type Login struct {
	Site, Login string
	Password    member.Secret
	// StationMAC is the device as "aa:bb:cc:dd:ee:ff", SSID its network; empty
	// where that is not known.
	StationMAC, SSID string
}

// A Judgement is what became of a Login. The zero value could not say.
type Judgement struct {
	Verdict member.Verdict
	// Proved says that the password was right: only then may she hear why she may not come in.
	Proved bool
	Reason member.Reason
	// Member is who she is and Source the backend that answered. Plan and Session
	// are what she would get; 0 is no bound.
	Member       member.Member
	Source, Plan string
	Session      time.Duration
	// Message is what her member system wants her to read.
	Message string
	// Status is the HTTP status by which it answered; 0: none.
	Status int
}

// Login walks the stations of a login by PAP for whoever is no NAS: the member
// systems, the proof, the gates, the policy, the limits. Each member system is asked
// once at the most. It may wait until ctx ends.
func (s *Server) Login(ctx context.Context, l *Login) Judgement {
	client, err := NewClient(ClientConfig{Name: PortalClient, Secret: member.Secret(rand.Text()), Site: l.Site})
	if err != nil {
		s.trouble(err)
		return Judgement{Reason: member.ReasonInternal}
	}
	x := s.exchanges.Get().(*exchange)
	defer s.exchanges.Put(x)
	defer x.rescue()
	x.alone = arrived{client: client, out: x.alone.out[:0]}
	x.begin(&x.alone)
	x.received, x.tables, x.work, x.mayWait = s.clock(), s.tables.Load(), &work{}, true
	x.now, x.deadline = x.received, time.Now().Add(s.timeout)
	if until, ok := ctx.Deadline(); ok && until.Before(x.deadline) {
		x.deadline = until
	}
	x.used = methodPAP
	x.attempt = member.Attempt{
		Login: l.Login, Proof: member.Proof{Kind: member.Password, Password: l.Password}, Site: l.Site, Client: PortalClient,
		SSID: l.SSID, StationMAC: l.StationMAC, Received: x.received,
	}
	_ = x.ask() && x.prove() && x.gates() && x.policy()
	x.identify()
	x.record()
	s.scribe.nudge()
	j := Judgement{Verdict: x.verdict, Proved: x.proved, Reason: x.reason, Source: x.answer.Source, Message: x.words, Status: x.answer.Status}
	if x.proved {
		j.Member = x.answer.Member
	}
	if x.verdict == member.Allow && x.tables.Book != nil {
		j.Plan, j.Session = x.attributes.Plan(), x.attributes.SessionTimeout()
	}
	return j
}
