// Package ledger keeps what NASes report of sessions (RFC 2866): who is on and
// was on, by which device and access point, and how much was used by whom, by
// plan and day. It owns the file sessions.db in the data directory: a file of
// its own, so that no sync of members ever holds a report up.
//
// A report counts once, in whatever order reports come. Record returns when it
// is on the disk; what comes in at the same time shares one commit. Open
// sessions, and what each member has used this month, are in memory besides, for
// whoever asks for every login.
//
// It does not read packets, and does not decide who may come in or has to leave.
// One process records; others may open the same file to read it.
package ledger
