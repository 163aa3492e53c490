// Package outward owns the way of our calls to member systems: what an address in the
// configuration may be, to which addresses its name may lead once it is resolved, how a
// system is posted JSON with a token, and what may go wrong on the way.
//
// It does not own what is said: requests and answers are each kind's.
package outward
