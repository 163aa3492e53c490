package eap_test

import (
	"bytes"
	"crypto/rand"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"memberradius/eap"
	"memberradius/eap/eaptest"
	"memberradius/member"
)

// A bench is an engine with one scripted method and a clock.
type bench struct {
	*eap.Engine
	method  *script
	now     time.Time
	decider eap.Decider
}

func newBench(b eap.Bounds, m *script) *bench {
	if m == nil {
		m = &script{kind: eap.PEAP}
	}
	return &bench{Engine: eap.NewEngine(b, rand.Reader), method: m, now: eaptest.Now()}
}

func roomy() eap.Bounds {
	return eap.Bounds{Conversations: 100, PerClient: 100, Idle: 30 * time.Second}
}

// send takes a packet to the engine, on behalf of this client.
func (b *bench) send(client string, state, packet []byte) eap.Outcome {
	a := eap.Arrival{State: state, Packet: packet, Methods: []eap.Method{b.method}, Client: client, About: func() any { return "about " + client }}
	return b.Handle(&a, &eap.Exchange{Decider: b.decider, Limit: 1024, Now: b.now})
}

// response is a Response's octets.
func response(id byte, kind eap.Type, data string) []byte {
	return eap.Packet{Code: eap.Response, ID: id, Type: kind, Data: []byte(data)}.Append(nil)
}

// begin starts a conversation.
func (b *bench) begin(t *testing.T, client string) eap.Outcome {
	t.Helper()
	o := b.send(client, nil, response(1, eap.Identity, "anna"))
	if o.Kind != eap.Ask {
		t.Fatalf("a conversation began with %+v", o)
	}
	return o
}

// goOn answers the Request that is out.
func (b *bench) goOn(client string, o eap.Outcome) eap.Outcome {
	return b.send(client, o.State[:], response(o.Packet[1], eap.PEAP, "go on"))
}

// knows says whether a conversation is open.
func (b *bench) knows(o eap.Outcome) bool { return b.goOn("ap", o).Kind == eap.Ask }

func TestEngineState(t *testing.T) {
	t.Parallel()
	b := newBench(roomy(), nil)
	seen := map[eap.State]bool{}
	for range 50 {
		o := b.begin(t, "ap")
		if seen[o.State] || o.State == (eap.State{}) {
			t.Fatalf("State %x for the second time", o.State)
		}
		seen[o.State] = true
		state := o.State
		for range 5 {
			if o = b.goOn("ap", o); o.State != state || o.Kind != eap.Ask {
				t.Fatalf("State %x became %x", state, o.State)
			}
		}
		if o.Identity != "anna" || o.Doing != eap.PEAP {
			t.Errorf("identity %q, doing %s", o.Identity, o.Doing)
		}
	}
	if n, evicted := b.Open(); n != 50 || evicted != 0 {
		t.Errorf("%d conversations, %d evicted", n, evicted)
	}
}

// TestE4Start: an EAP-Start is asked who it is (RFC 3579 §2.1).
func TestE4Start(t *testing.T) {
	t.Parallel()
	b := newBench(roomy(), nil)
	o := b.send("ap", nil, nil)
	p := asks(t, o.Step, eap.Identity)
	if o = b.send("ap", o.State[:], response(p.ID, eap.Identity, "anna")); o.Kind != eap.Ask || o.Doing != eap.PEAP {
		t.Errorf("after the identity: %+v", o)
	}
	// In the middle it is a device that has heard nothing of the last Request.
	again := b.send("ap", o.State[:], nil)
	if again.Kind != eap.Ask || !again.Again || !bytes.Equal(again.Packet, o.Packet) || again.State != o.State {
		t.Errorf("an EAP-Start in the middle: %+v, want %x again", again, o.Packet)
	}
	if !b.knows(o) {
		t.Error("it broke the conversation")
	}
}

func TestEngineUnknownState(t *testing.T) {
	t.Parallel()
	b := newBench(roomy(), nil)
	o := b.begin(t, "ap")
	const unknown = "its State is unknown here: the conversation ran out, or began before a restart"
	for _, state := range [][]byte{{}, o.State[:15], append(o.State[:], 0), make([]byte, eap.StateSize)} {
		got := b.send("ap", state, response(2, eap.PEAP, ""))
		fails(t, got.Step, 2, member.ReasonEAP, unknown)
		if got.State != (eap.State{}) {
			t.Errorf("State %x got another one", state)
		}
	}
	if n, _ := b.Open(); n != 1 {
		t.Errorf("%d conversations, want the first alone", n)
	}
	if !b.knows(o) {
		t.Error("the first conversation is gone")
	}
}

// TestE5RoleReversal: a Request of the NAS gets a Nak in a refusal (RFC 3579 §2.6.2).
func TestE5RoleReversal(t *testing.T) {
	t.Parallel()
	b := newBench(roomy(), nil)
	open := b.begin(t, "ap")
	for _, state := range [][]byte{nil, open.State[:]} {
		o := b.send("ap", state, eap.Packet{Code: eap.Request, ID: 3, Type: eap.MD5, Data: []byte("x")}.Append(nil))
		if p, err := eap.Parse(o.Packet); err != nil || o.Kind != eap.Reject || p.Code != eap.Response || p.Type != eap.Nak || p.ID != 3 || !bytes.Equal(p.Data, []byte{0}) {
			t.Errorf("a Request was answered with %+v, %v, %+v", p, err, o)
		}
	}
	// And what this server sent comes back: CVE-2019-11235's kind.
	if o := b.send("ap", open.State[:], open.Packet); o.Kind != eap.Reject {
		t.Errorf("our own Request, sent back, was answered with %+v", o)
	}
}

func TestEngineMalformed(t *testing.T) {
	t.Parallel()
	b := newBench(roomy(), nil)
	for _, c := range []struct {
		packet string
		id     byte
	}{{"02", 0}, {"0209", 9}, {"02 09 0009 01", 9}, {"07 09 0005 01", 9}} {
		fails(t, b.send("ap", nil, unhex(t, c.packet)).Step, c.id, member.ReasonEAP, "what came is no EAP packet")
	}
	if n, _ := b.Open(); n != 0 {
		t.Errorf("%d conversations began with nonsense", n)
	}
}

func TestEngineForgetsWhatEnded(t *testing.T) {
	t.Parallel()
	for _, turn := range []eap.Turn{{Kind: eap.Accept}, {Kind: eap.Unanswered}, eap.Refuse(member.ReasonTLS, "x")} {
		ended := make(chan struct{}, 9)
		b := newBench(roomy(), &script{kind: eap.PEAP, ended: ended, next: func(n int, _ []byte, _ *eap.Exchange) eap.Turn {
			if n == 0 {
				return eap.Turn{Kind: eap.Ask}
			}
			return turn
		}})
		o := b.begin(t, "ap")
		if last := b.goOn("ap", o); last.Kind != turn.Kind || last.State != o.State {
			t.Errorf("ended with %+v", last)
		}
		if n, _ := b.Open(); n != 0 || len(ended) != 1 {
			t.Errorf("after the end %d conversations are open, ended %d times", n, len(ended))
		}
		if b.knows(o) {
			t.Error("a conversation goes on after its end")
		}
	}
}

// TestEngineEvicts: of those that have not gone beyond their first flight the
// oldest goes first, and only then one that is under way.
func TestEngineEvicts(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{}, 99)
	bounds := roomy()
	bounds.Conversations = 3
	b := newBench(bounds, &script{kind: eap.PEAP, ended: ended})
	under := b.begin(t, "ap")
	for range 3 {
		under = b.goOn("ap", under)
	}
	first, second := b.begin(t, "ap"), b.begin(t, "ap")
	third := b.begin(t, "ap") // first has to go
	if n, evicted := b.Open(); n != 3 || evicted != 1 || len(ended) != 1 {
		t.Fatalf("%d conversations, %d evicted, %d ended; want 3, 1, 1", n, evicted, len(ended))
	}
	if b.knows(first) {
		t.Error("the oldest is still there")
	}
	if !b.knows(second) || !b.knows(third) || !b.knows(under) {
		t.Error("another one than the oldest went")
	}
	// All three get under way; the one that has waited longest for its peer goes.
	for range 3 {
		under = b.goOn("ap", under)
	}
	for _, o := range []*eap.Outcome{&third, &second} {
		*o = b.send("ap", o.State[:], response(o.Packet[1]+1, eap.PEAP, ""))
		*o = b.goOn("ap", *o)
	}
	b.begin(t, "ap")
	if n, evicted := b.Open(); n != 3 || evicted != 2 {
		t.Errorf("%d conversations, %d evicted; want 3, 2", n, evicted)
	}
	if b.goOn("ap", under).Kind == eap.Ask {
		t.Error("the one that waited longest is still there")
	}
}

func TestEngineQuota(t *testing.T) {
	t.Parallel()
	bounds := roomy()
	bounds.PerClient = 2
	b := newBench(bounds, nil)
	other := b.begin(t, "other")
	first, second, third := b.begin(t, "ap"), b.begin(t, "ap"), b.begin(t, "ap")
	if n, evicted := b.Open(); n != 3 || evicted != 1 {
		t.Errorf("%d conversations, %d evicted; want 3, 1", n, evicted)
	}
	if b.knows(first) || !b.knows(second) || !b.knows(third) || !b.knows(other) {
		t.Error("another one than the client's oldest went")
	}
	// One that is under way stays, though it is the oldest.
	under := second
	for range 2 {
		under = b.send("ap", under.State[:], response(under.Packet[1], eap.PEAP, "again"))
		under = b.goOn("ap", under)
	}
	fourth := b.begin(t, "ap")
	if b.knows(third) || !b.knows(fourth) || b.goOn("ap", under).Kind != eap.Ask {
		t.Error("a flood from a NAS ends the conversations that are under way there")
	}
	// A quota of one, many times: the client's row is made anew each time.
	bounds.PerClient = 1
	b = newBench(bounds, nil)
	var last eap.Outcome
	for range 10 {
		last = b.begin(t, "ap")
	}
	if n, evicted := b.Open(); n != 1 || evicted != 9 || !b.knows(last) {
		t.Errorf("%d conversations, %d evicted; want the last alone", n, evicted)
	}
}

func TestEngineExpires(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{}, 9)
	b := newBench(roomy(), &script{kind: eap.PEAP, ended: ended})
	start := b.send("ap", nil, nil)
	offered, talking := b.begin(t, "cafe"), b.begin(t, "hall")
	b.now = b.now.Add(20 * time.Second)
	talking = b.goOn("hall", talking)
	if losses := b.Expire(b.now); len(losses) != 0 {
		t.Errorf("after 20 s of 30: %+v", losses)
	}
	b.now = b.now.Add(10*time.Second + 1)
	for _, o := range []eap.Outcome{start, offered} {
		if b.goOn("ap", o).Kind != eap.Reject {
			t.Error("a conversation goes on after its time")
		}
	}
	losses := b.Expire(b.now)
	want := []eap.Loss{
		{About: "about ap", Where: "before it said who it is"},
		{About: "about cafe", Identity: "anna", Doing: eap.PEAP, Where: "when it was offered PEAP"},
	}
	if !slices.Equal(losses, want) {
		t.Errorf("lost %+v, want %+v", losses, want)
	}
	if len(ended) != 1 { // the first had no method
		t.Errorf("%d methods were ended", len(ended))
	}
	if talking = b.goOn("hall", talking); talking.Kind != eap.Ask {
		t.Errorf("the one that talked was answered with %+v", talking)
	}
	b.now = b.now.Add(time.Hour)
	if losses = b.Expire(b.now); len(losses) != 1 || losses[0].Where != "in the middle of PEAP" {
		t.Errorf("lost %+v", losses)
	}
	if n, evicted := b.Open(); n != 0 || evicted != 0 {
		t.Errorf("%d conversations, %d evicted", n, evicted)
	}
}

// TestLossSaysWhatWasDenied: many a device hangs up as soon as it reads inside
// the tunnel that its password is wrong.
func TestLossSaysWhatWasDenied(t *testing.T) {
	t.Parallel()
	b := newBench(roomy(), &script{kind: eap.PEAP, next: func(n int, _ []byte, x *eap.Exchange) eap.Turn {
		if n > 0 {
			x.Decider.Decide(x.Identity, &member.Proof{})
		}
		return eap.Turn{Kind: eap.Ask}
	}})
	b.decider = &eaptest.Members{Passwords: map[string]string{"anna": password}}
	b.begin(t, "ap")
	b.goOn("ap", b.begin(t, "ap"))
	losses := b.Expire(b.now.Add(time.Hour))
	if len(losses) != 2 || losses[0].Denied != nil || losses[1].Denied == nil || losses[1].Denied.Reason != member.ReasonWrongProof {
		for _, l := range losses {
			t.Errorf("lost %+v, denied %+v", l, l.Denied)
		}
	}
}

func TestEngineCloses(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{}, 9)
	b := newBench(roomy(), &script{kind: eap.PEAP, ended: ended})
	o := b.begin(t, "ap")
	b.begin(t, "cafe")
	b.Close()
	if n, _ := b.Open(); n != 0 || len(ended) != 2 || b.knows(o) {
		t.Errorf("%d conversations, %d ended", n, len(ended))
	}
}

// TestEngineWithoutRandomness: a State that can be guessed is worse than none.
func TestEngineWithoutRandomness(t *testing.T) {
	t.Parallel()
	e := eap.NewEngine(roomy(), iotest.ErrReader(iotest.ErrTimeout))
	defer func() {
		if recover() == nil {
			t.Error("a conversation began without a random State")
		}
	}()
	e.Handle(&eap.Arrival{About: func() any { return nil }}, &eap.Exchange{})
}
