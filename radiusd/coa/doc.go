// Package coa is the client of Dynamic Authorization (RFC 5176): it asks a NAS to end
// a session, or to change it, and says what the NAS answered.
//
// It owns the packets, their signatures and those of the answers, identifiers and
// source ports, and when a request is sent again. It does not own which session has to
// go and why, what is tried next where a NAS refuses, or what names a session at a
// vendor's NAS: that is radiusd/policy.
//
// A caller waits for its own request, at most Timers.MRD. There is no queue: whoever
// finds no place is told so at once.
package coa
