// Package radiusd is the spine of memberradius: from the socket to the reply.
// It reads RADIUS requests, knows which NAS speaks, finds and checks the proof
// of the member's login, asks the member systems through Members and Gates,
// and answers with what the member's plan buys. Read handle.go first: it is
// the way of a packet, one line a station.
//
// It does not own member systems (package backends), plans and vendor
// attributes (radiusd/policy), storage, configuration, or HTTP: it declares
// what it needs of the world, and whoever embeds it hands that in.
package radiusd
