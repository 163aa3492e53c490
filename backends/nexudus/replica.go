package nexudus

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"memberradius/member"
)

// A replica is what was read of a space last: the customers with the contracts
// that they hold, and what says which network they belong on. It is what makes
// it possible to read changes alone and still to know everything about whom
// they concern. Only Sync touches it, one at a time.
type replica struct {
	// asOf is Nexudus' time when the reading began that this is the result of.
	asOf time.Time
	// officesAt is when the desks were read.
	officesAt time.Time
	people    map[word]*coworker
	// logins finds the first of the coworkers with a folded login; the others hang on it by next.
	logins map[string]*coworker
	// holder finds who holds a contract, so that one that moves to another
	// customer leaves the first.
	holder  map[word]*coworker
	teams   []team // by their ids
	offices offices
	// touched is when it was noticed last that a team, a desk or a check-in
	// changed for a coworker: no list by UpdatedOn names her again.
	touched map[word]time.Time
	// filling says that everybody is new: teams are assigned once, for all.
	filling bool
	// plans holds each plan's name once.
	plans map[word]string
}

func newReplica() *replica {
	return &replica{
		people: map[word]*coworker{}, logins: map[string]*coworker{}, holder: map[word]*coworker{},
		touched: map[word]time.Time{}, plans: map[word]string{},
	}
}

// A coworker is a customer, as far as it matters for the Wi-Fi. There are as
// many of them in memory as members, so that what few have stands elsewhere.
type coworker struct {
	id        word
	login     string // as it is spelled there
	folded    string // as it is compared
	email     string
	name      string
	secret    member.Secret
	inactive  bool // suspended
	archived  bool
	main      bool  // the default profile of whoever signs in by this email
	team      int32 // into teams, from 1; 0 is none
	contracts []contract
	visits    *[]visit  // nil where they do not matter
	next      *coworker // another with the same login
}

// A contract is an active one.
type contract struct {
	id          word
	plan        string
	from, until int64 // in seconds; 0 is no bound
	desks       *[]word
	main        bool
}

// term returns the bounds of a contract.
func (c *contract) term() member.Term { return member.Term{From: unix(c.from), Until: unix(c.until)} }

func unix(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// seconds returns a time of a row; those of Nexudus have no parts of a second.
func seconds(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.Unix()
}

// A visit is a check-in that is open, or ends later.
type visit struct {
	id    word
	until time.Time // zero: it is open
}

// A team is as it stands in the list of teams.
type team struct {
	id      word
	name    string
	vlan    member.VLAN
	members []word
}

// offices are the VLANs of desks, by what ties a desk to a member.
type offices struct{ desk, coworker, contract map[word]member.VLAN }

// readCoworker takes over what matters of a row.
func readCoworker(r *coworkerRow, login, secret field) *coworker {
	c := &coworker{
		id: r.ID, login: login.of(r), email: strings.TrimSpace(string(r.Email)), name: strings.TrimSpace(string(r.FullName)),
		secret:   member.Secret(secret.of(r)),
		inactive: r.Active == no, archived: r.Archived == yes, main: r.IsDefaultProfile == yes,
	}
	if !usableLogin(c.login) {
		c.login = ""
	}
	if c.folded = member.FoldString(c.login); c.folded == c.login {
		c.folded = c.login // one text for both
	}
	if c.email == c.login {
		c.email = c.login
	}
	return c
}

// usableLogin says whether a device could send it: it fits a User-Name and a
// person can type it.
func usableLogin(s string) bool {
	return s != "" && len(s) <= member.MaxLogin && utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}

// put takes a coworker over, with the contracts and visits that are known of
// her, and returns the folded logins that it concerns.
func (r *replica) put(c *coworker) []string {
	concerned := []string{c.folded}
	if old := r.people[c.id]; old != nil {
		concerned = append(concerned, old.folded)
		r.unlink(old)
		c.contracts, c.visits, c.team = old.contracts, old.visits, old.team
		for _, held := range c.contracts {
			r.holder[held.id] = c
		}
	}
	if r.people[c.id] == nil && !r.filling {
		c.team = r.teamOf(c.id)
	}
	r.people[c.id] = c
	if c.folded != "" {
		c.next = r.logins[c.folded]
		r.logins[c.folded] = c
	}
	return concerned
}

// remove forgets a coworker who is no longer there.
func (r *replica) remove(id word) []string {
	c := r.people[id]
	if c == nil {
		return nil
	}
	r.unlink(c)
	delete(r.people, id)
	for _, held := range c.contracts {
		delete(r.holder, held.id)
	}
	return []string{c.folded}
}

// unlink takes a coworker out of the chain of her login.
func (r *replica) unlink(c *coworker) {
	if c.folded == "" {
		return
	}
	at := r.logins[c.folded]
	if at == c {
		if c.next == nil {
			delete(r.logins, c.folded)
		} else {
			r.logins[c.folded] = c.next
		}
	}
	for ; at != nil; at = at.next {
		if at.next == c {
			at.next = c.next
		}
	}
	c.next = nil
}

// hold takes a contract over, whatever it was before, and returns the folded
// logins that it concerns. Only an active one is kept. Its coworker must be known.
func (r *replica) hold(row *contractRow) []string {
	var concerned []string
	if old := r.holder[row.ID]; old != nil {
		old.contracts = slices.DeleteFunc(old.contracts, func(c contract) bool { return c.id == row.ID })
		delete(r.holder, row.ID)
		concerned = append(concerned, old.folded)
	}
	c := r.people[row.CoworkerID]
	if c == nil {
		return concerned
	}
	if row.Active == yes {
		c.contracts = append(c.contracts, r.contract(row))
		r.holder[row.ID] = c
	}
	return append(concerned, c.folded)
}

// contract reads a row. A cancellation that lies ahead is the end of the
// contract; one that was taken back may leave its date behind.
func (r *replica) contract(row *contractRow) contract {
	plan, ok := r.plans[row.TariffName]
	if !ok {
		plan = strings.TrimSpace(string(row.TariffName))
		r.plans[row.TariffName] = plan
	}
	c := contract{id: row.ID, plan: plan, main: row.MainContract == yes}
	c.from, c.until = seconds(row.StartDate.Time), seconds(row.EndDate.Time)
	if end := seconds(row.CancellationDate.Time); end != 0 && row.Cancelled != no && (c.until == 0 || end < c.until) {
		c.until = end
	}
	if n := len(row.FloorPlanDeskIDs.list) + len(row.Desks.list); n > 0 {
		desks := slices.Concat(row.FloorPlanDeskIDs.list, row.Desks.list)
		c.desks = &desks
	}
	return c
}

// visit takes a check-in over and returns the folded logins that it concerns.
func (r *replica) visit(row *checkinRow, now time.Time) []string {
	c := r.people[row.CoworkerID]
	if c == nil {
		return nil
	}
	if c.visits == nil {
		c.visits = new([]visit)
	}
	*c.visits = slices.DeleteFunc(*c.visits, func(v visit) bool { return v.id == row.ID })
	if row.ToTime.IsZero() || row.ToTime.After(now) {
		*c.visits = append(*c.visits, visit{row.ID, row.ToTime.Time})
	}
	return []string{c.folded}
}

// setTeams takes the teams over and returns whom a difference concerns.
func (r *replica) setTeams(now []team) map[word]bool {
	slices.SortFunc(now, func(a, b team) int { return byID(a.id, b.id) })
	if slices.EqualFunc(r.teams, now, team.same) {
		return nil
	}
	concerned := map[word]bool{}
	old := map[word]team{}
	for _, t := range r.teams {
		old[t.id] = t
	}
	for _, t := range now {
		before, was := old[t.id]
		delete(old, t.id)
		switch {
		case was && before.same(t):
		case was && before.name == t.name && before.vlan == t.vlan:
			differing(before.members, t.members, concerned)
		default:
			differing(nil, append(slices.Clone(before.members), t.members...), concerned)
		}
	}
	for _, t := range old {
		differing(nil, t.members, concerned)
	}
	r.teams = now
	r.assign()
	return concerned
}

// assign writes to each coworker which of her teams counts: the first by its
// id, and before it the first that has a VLAN.
func (r *replica) assign() {
	for _, c := range r.people {
		c.team = 0
	}
	for i := range r.teams {
		for _, id := range r.teams[i].members {
			if c := r.people[id]; c != nil && r.counts(i, c.team) {
				c.team = int32(i + 1)
			}
		}
	}
}

// counts says whether a team counts before the one that a coworker has.
func (r *replica) counts(i int, has int32) bool {
	return has == 0 || r.teams[has-1].vlan == "" && r.teams[i].vlan != ""
}

// teamOf finds the team of a coworker who is new.
func (r *replica) teamOf(id word) (has int32) {
	for i := range r.teams {
		if _, in := slices.BinarySearch(r.teams[i].members, id); in && r.counts(i, has) {
			has = int32(i + 1)
		}
	}
	return has
}

func (t team) same(other team) bool {
	return t.id == other.id && t.name == other.name && t.vlan == other.vlan && slices.Compare(t.members, other.members) == 0
}

// differing adds who is in one of two lists and not in both.
func differing(a, b []word, to map[word]bool) {
	in := make(map[word]bool, len(a))
	for _, id := range a {
		in[id] = true
	}
	for _, id := range b {
		if !in[id] {
			to[id] = true
		}
		delete(in, id)
	}
	for id := range in {
		to[id] = true
	}
}

// setOffices takes the desks' VLANs over and returns whom a difference concerns.
func (r *replica) setOffices(now offices, at time.Time) map[word]bool {
	r.officesAt = at
	if maps.Equal(now.desk, r.offices.desk) && maps.Equal(now.coworker, r.offices.coworker) && maps.Equal(now.contract, r.offices.contract) {
		return nil
	}
	old := r.offices
	concerned := map[word]bool{}
	for id, c := range r.people {
		if old.of(c) != now.of(c) {
			concerned[id] = true
		}
	}
	r.offices = now
	return concerned
}

// of returns the VLAN of a coworker's office: of a desk that her contracts
// name, that names one of them, or that names her.
func (o *offices) of(c *coworker) member.VLAN {
	for i := range c.contracts {
		if c.contracts[i].desks != nil {
			for _, desk := range *c.contracts[i].desks {
				if v := o.desk[desk]; v != "" {
					return v
				}
			}
		}
		if v := o.contract[c.contracts[i].id]; v != "" {
			return v
		}
	}
	return o.coworker[c.id]
}

// touch remembers whom a change concerns that no list names again, and returns their logins.
func (r *replica) touch(whom map[word]bool, at time.Time) []string {
	var logins []string
	for id := range whom {
		if c := r.people[id]; c != nil {
			r.touched[id] = at
			logins = append(logins, c.folded)
		}
	}
	return logins
}

// touchedSince returns the logins of those who were touched since then. Whoever
// asked may not have taken over what an earlier reading said.
func (r *replica) touchedSince(then time.Time) []string {
	var logins []string
	for id, at := range r.touched {
		if c := r.people[id]; c != nil && !at.Before(then) {
			logins = append(logins, c.folded)
		}
	}
	return logins
}

// byID orders ids as numbers where they are some.
func byID(a, b word) int {
	m, err1 := strconv.ParseUint(string(a), 10, 64)
	n, err2 := strconv.ParseUint(string(b), 10, 64)
	if err1 == nil && err2 == nil {
		return cmp.Compare(m, n)
	}
	return cmp.Compare(a, b)
}
