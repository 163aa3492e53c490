package main

import "time"

// sessionConfig is [sessions]: what is kept of who was online.
type sessionConfig struct {
	// Keep is for how long a session that has ended is kept.
	Keep time.Duration
}

// Sessions are kept for a year where nobody says: accounts are asked for the
// year that has ended. A day is the least, since quotas count it.
const (
	sessionsKeep  = 365 * 24 * time.Hour
	leastSessions = 24 * time.Hour
)

func (c *config) readSessions(t *table) {
	c.Sessions = sessionConfig{Keep: t.duration("keep", sessionsKeep, leastSessions)}
	t.end()
}
