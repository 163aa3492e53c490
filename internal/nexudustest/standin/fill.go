package standin

import (
	"fmt"
	"time"
)

// Fill adds n members, a contract each, of three plans, and a team for each
// thousand of them. What lists show of them is written ahead.
func (s *Server) Fill(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	long := s.Now().AddDate(0, -1, 0).UTC().Truncate(time.Second)
	plans := [...]string{"Hot Desk", "Dedicated Desk", "Private Office"}
	var team *Team
	for i := range n {
		c := &Coworker{
			ID: s.next(), Name: fmt.Sprintf("Member %06d", i), Email: fmt.Sprintf("member%06d@example.com", i), Main: true,
			Password: fmt.Sprintf("own-password-%06d", i), Pincode: fmt.Sprintf("%06d", i), Created: long, Updated: long,
		}
		s.coworkers.all = append(s.coworkers.all, c)
		k := &Contract{ID: s.next(), Coworker: c.ID, Plan: plans[i%len(plans)], Active: true, Main: true, Start: long, Created: long, Updated: long}
		s.contracts.all = append(s.contracts.all, k)
		if i%1000 == 0 {
			team = &Team{ID: s.next(), Name: fmt.Sprintf("Team %03d", i/1000), VLAN: fmt.Sprint(1000 + i/1000), Created: long, Updated: long}
			s.teams.all = append(s.teams.all, team)
		}
		team.Members = append(team.Members, c.ID)
		s.coworkers.line(s, c)
		s.contracts.line(s, k)
	}
}
