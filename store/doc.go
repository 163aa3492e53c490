// Package store owns what memberradius keeps: the members of the local and the
// synced backends with their credentials, the journal of syncs, the outbox of
// what members are to be told, tokens of the operator API and links to members'
// pages, the answers of member systems that a cache wants to find again after a
// restart, and who gets in by a device's address: registered and blocked devices,
// grants and vouchers, and the log of portals. It keeps them in one SQLite
// database in the data directory, and holds the members of a backend (Members)
// and what lets devices in (Doors) in memory for the hot path. The one-time
// logins of hand-offs to controllers (UAMTickets) are in memory alone.
//
// Passwords, NT hashes, argon2id hashes and kept answers are sealed one by one
// with AES-256-GCM before they reach the database. The key file stands beside
// it, so a copy of the database alone opens none of them. Of tokens and links
// only the SHA-256 is there, of vouchers an HMAC whose key is sealed. Names,
// addresses, plans and validity are not sealed, and neither are grants: whoever
// can write to the database can let a device in.
//
// It does not own any member system, any cache policy and any hash function:
// whoever sets a password brings its NT hash along. What a sync does to the
// members is decided elsewhere; here it is done, whole or not at all (Apply).
// Reading and writing members as CSV is the business of store/roster.
package store
