// Package provision owns what a sync does to the store: it takes what a member
// system says of its members, compares it with what is kept, makes passwords,
// holds a list that has shrunk too far to be believed, and applies the
// difference whole or not at all, with a row in the journal of runs and events
// for the outbox.
//
// The way of a run is runner.go (whose turn it is), read.go (what the system
// says), list.go and fit.go (what of that can be kept), compare.go, grant.go and
// edit.go (what that changes), settle.go (all of it into the store).
//
// It does not own any member system (backends/<kind> reads it), any table (store
// has them), any letter (whoever takes the events out of the outbox sends them)
// and any decision about who gets on the network: an unknown plan is kept as it
// is named, and policy refuses it or not.
package provision
