package standin

import (
	"slices"
	"time"
)

// A table keeps the records of one entity in the order of their ids, with each
// as lists show it: 100,000 of them must be served quickly.
type table[R any, P interface {
	*R
	record
}] struct {
	all   []P
	lines map[int][]byte
}

func (t *table[R, P]) find(id int) (int, bool) {
	return slices.BinarySearchFunc(t.all, id, func(r P, id int) int { return r.stamps().id - id })
}

func (t *table[R, P]) get(id int) P {
	if i, ok := t.find(id); ok {
		return t.all[i]
	}
	return nil
}

func (t *table[R, P]) put(r P) {
	delete(t.lines, r.stamps().id)
	i, ok := t.find(r.stamps().id)
	if ok {
		t.all[i] = r
		return
	}
	t.all = slices.Insert(t.all, i, r)
}

// line returns a record as lists show it.
func (t *table[R, P]) line(s *Server, r record) []byte {
	if b, ok := t.lines[r.stamps().id]; ok {
		return b
	}
	if t.lines == nil {
		t.lines = map[int][]byte{}
	}
	b := r.encode(s, false)
	t.lines[r.stamps().id] = b
	return b
}

// records returns those that are there.
func (t *table[R, P]) records() []record {
	list := make([]record, 0, len(t.all))
	for _, r := range t.all {
		if !r.stamps().gone {
			list = append(list, r)
		}
	}
	return list
}

// one returns a record that is there.
func (t *table[R, P]) one(id int) record {
	if r := t.get(id); r != nil && !r.stamps().gone {
		return r
	}
	return nil
}

// A shelf is a table as the API sees it.
type shelf interface {
	records() []record
	one(id int) record
	line(s *Server, r record) []byte
}

// next returns an id that was not used.
func (s *Server) next() int {
	s.last++
	return s.last
}

// stamp sets the dates of a record that is put.
func (s *Server) stamp(created, updated *time.Time) {
	s.version++
	now := s.Now().UTC().Truncate(time.Second)
	if created.IsZero() {
		*created = now
	}
	*updated = now
}

// put adds a record, or changes the one with that id, and returns the id.
func put[R any, P interface {
	*R
	record
	marks() (id *int, created, updated *time.Time)
}](s *Server, t *table[R, P], r P) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, created, updated := r.marks()
	if *id == 0 {
		*id = s.next()
	}
	s.stamp(created, updated)
	t.put(r)
	return *id
}

// PutCoworker adds a coworker, or changes the one with that ID, and returns the ID.
func (s *Server) PutCoworker(c Coworker) int { return put(s, &s.coworkers, &c) }

// PutContract adds or changes a contract. It leaves the coworker's UpdatedOn as it is.
func (s *Server) PutContract(c Contract) int { return put(s, &s.contracts, &c) }

// PutTeam adds or changes a team.
func (s *Server) PutTeam(t Team) int { return put(s, &s.teams, &t) }

// PutDesk adds or changes a desk.
func (s *Server) PutDesk(d Desk) int { return put(s, &s.desks, &d) }

// PutCheckin adds or changes a check-in.
func (s *Server) PutCheckin(c Checkin) int { return put(s, &s.checkins, &c) }

// PutHook adds or changes a webhook.
func (s *Server) PutHook(h Hook) int { return put(s, &s.hooks, &h) }

// Coworker returns a copy of a coworker.
func (s *Server) Coworker(id int) Coworker {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.coworkers.get(id); c != nil {
		return *c
	}
	return Coworker{}
}

// Contract returns a copy of a contract.
func (s *Server) Contract(id int) Contract {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.contracts.get(id); c != nil {
		return *c
	}
	return Contract{}
}

// Hooks returns copies of the webhooks.
func (s *Server) Hooks() []Hook {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Hook
	for _, h := range s.hooks.all {
		list = append(list, *h)
	}
	return list
}

// Cancel ends a contract now.
func (s *Server) Cancel(contract int) {
	c := s.Contract(contract)
	c.Active, c.Cancelled, c.End = false, true, s.Now()
	s.PutContract(c)
}

// Remove deletes a coworker with her contracts: their ids give 500 from now on.
func (s *Server) Remove(coworker int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	if c := s.coworkers.get(coworker); c != nil {
		c.Gone = true
	}
	for _, c := range s.contracts.all {
		if c.Coworker == coworker {
			c.Gone = true
		}
	}
}

// Delete deletes a contract without a trace.
func (s *Server) Delete(contract int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	if c := s.contracts.get(contract); c != nil {
		c.Gone = true
	}
}

// Join adds a coworker with an active contract and returns both ids.
func (s *Server) Join(c Coworker, plan string) (coworker, contract int) {
	coworker = s.PutCoworker(c)
	return coworker, s.PutContract(Contract{Coworker: coworker, Plan: plan, Active: true, Main: true})
}

// Find returns the customer with an email.
func (s *Server) Find(email string) (Coworker, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.coworkers.all {
		if c.Email == email && !c.Gone {
			return *c, true
		}
	}
	return Coworker{}, false
}

// FindTeam returns the team with a name.
func (s *Server) FindTeam(name string) (Team, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.teams.all {
		if t.Name == name && !t.Gone {
			return *t, true
		}
	}
	return Team{}, false
}

// Coworkers returns copies of those who are there.
func (s *Server) Coworkers() []Coworker {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Coworker
	for _, c := range s.coworkers.all {
		if !c.Gone {
			list = append(list, *c)
		}
	}
	return list
}

// ContractsOf returns copies of a coworker's contracts.
func (s *Server) ContractsOf(coworker int) []Contract {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Contract
	for _, c := range s.contracts.all {
		if c.Coworker == coworker && !c.Gone {
			list = append(list, *c)
		}
	}
	return list
}

// CheckOut ends a coworker's open check-ins now.
func (s *Server) CheckOut(coworker int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.checkins.all {
		if c.Coworker == coworker && c.To.IsZero() {
			c.To = s.Now()
			s.stamp(&c.Created, &c.Updated)
			s.checkins.put(c)
		}
	}
}

// Open counts the check-ins that are open.
func (s *Server) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, c := range s.checkins.all {
		if c.To.IsZero() && !c.Gone {
			n++
		}
	}
	return n
}

// Last returns the id that was given last.
func (s *Server) Last() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}
