package tunnel

import (
	"sync"
	"time"

	"memberradius/eap"
)

// A TicketID is what a device keeps: 16 random octets, and nothing in them.
type TicketID [16]byte

// A Ticket is what this server keeps of a login that was let in.
type Ticket struct {
	// Type is the method that made it, and the only one that it opens.
	Type eap.Type
	// Session is crypto/tls's state of the session.
	Session []byte
	// Decision is what was decided, How the way.
	Decision eap.Decision
	How      string
	// Born is when the full handshake was: a ticket from a resumption does not live longer.
	Born time.Time
}

// Tickets keeps tickets. It is safe for use by many.
type Tickets interface {
	// Keep keeps t, perhaps in the place of the oldest.
	Keep(id TicketID, t *Ticket)
	// Recall returns the ticket, nil where it is not known.
	Recall(id TicketID) *Ticket
}

// Memory is Tickets in memory: as many as it is given, the oldest go first.
type Memory struct {
	mu   sync.Mutex
	all  map[TicketID]*Ticket
	ring []TicketID
	next int
}

var _ Tickets = (*Memory)(nil)

// NewMemory returns a Memory of at most most tickets, about 1 KiB each.
func NewMemory(most int) *Memory {
	return &Memory{all: map[TicketID]*Ticket{}, ring: make([]TicketID, 0, most)}
}

// Keep implements Tickets.
func (m *Memory) Keep(id TicketID, t *Ticket) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.ring) < cap(m.ring) {
		m.ring = append(m.ring, id)
	} else {
		delete(m.all, m.ring[m.next])
		m.ring[m.next] = id
		m.next = (m.next + 1) % len(m.ring)
	}
	m.all[id] = t
}

// Recall implements Tickets.
func (m *Memory) Recall(id TicketID) *Ticket {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.all[id]
}
