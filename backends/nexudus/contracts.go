package nexudus

import (
	"context"
	"maps"
	"slices"
	"time"

	"memberradius/backends"
)

// activeContracts reads the list that says who is a member. A contract that is
// cancelled leaves that list and moves all behind it forward, so that one of them
// may never be read. The changes since the beginning tell whether one left
// that had been read already, and then the list is read again.
func (u *update) activeContracts(ctx context.Context) error {
	active := all(contracts()).only("CoworkerContract_Active", "true")
	known := map[word]bool{} // who came in an attempt before
	for range rereads {
		began := u.s.admin.clock().Add(-2 * time.Second) // stamps are whole seconds
		pass, there, err := u.contractsOnce(ctx, active)
		if err != nil {
			return err
		}
		left, recent := 0, map[word]bool{}
		err = read(ctx, u.reading, since(contracts(), began), func() {}, func(row *contractRow) error {
			switch {
			case there[row.ID] && row.Active != yes:
				left++
			case row.Active == yes && row.CreatedOn.After(began):
				recent[row.ID] = true
			}
			u.take(row)
			return nil
		})
		if err != nil {
			return err
		}
		maps.DeleteFunc(recent, func(id word, _ bool) bool { return known[id] })
		maps.Copy(known, recent)
		came := len(recent)
		// One that was deleted leaves no trace but that the list did not grow by those that came.
		if left == 0 && (came == 0 || pass.last < 0 || pass.last >= pass.first+came) {
			return nil
		}
	}
	return u.c.fault(backends.Faulty, active.path, errMoves)
}

// contractsOnce reads the list of contracts until its pages agree, and returns
// which were active.
func (u *update) contractsOnce(ctx context.Context, l list) (extent, map[word]bool, error) {
	for range rereads {
		there := map[word]bool{}
		clear(u.r.holder)
		u.orphans = nil
		for _, c := range u.r.people {
			c.contracts = nil
		}
		e, err := readOnce(ctx, u.reading, l, func(row *contractRow) error {
			if row.Active == yes {
				there[row.ID] = true
			}
			u.take(row)
			return nil
		})
		if err != nil || e.settled() {
			return e, there, err
		}
	}
	return extent{}, nil, u.c.fault(backends.Faulty, l.path, errMoves)
}

// take puts a contract to its customer, or aside until she is read.
func (u *update) take(row *contractRow) {
	u.concern(u.r.hold(row))
	if row.Active == yes && u.r.people[row.CoworkerID] == nil {
		u.orphans = append(u.orphans, *row)
	}
}

// adopt reads the customers whose contracts came without them. One that
// is not there any more takes her contracts with her.
func (u *update) adopt(ctx context.Context) error {
	missing := map[word]bool{}
	for i := range u.orphans {
		missing[u.orphans[i].CoworkerID] = true
	}
	found, err := u.coworkersByID(ctx, slices.Collect(maps.Keys(missing)))
	if err != nil {
		return err
	}
	for _, c := range found {
		u.concern(u.r.put(c))
	}
	for i := range u.orphans {
		u.concern(u.r.hold(&u.orphans[i]))
	}
	u.orphans = nil
	return nil
}
