package api

import "io"

// Shown returns a session as the API shows it, for whoever prints the same JSON.
func Shown(s *Session) any { return sessionOf(s) }

// ShownWhole is Shown with what was tried on the session.
func ShownWhole(s *Session, tried []Attempt) any {
	d := sessionDetail{sessionView: sessionOf(s), Attempts: make([]*attemptView, len(tried))}
	for i := range tried {
		d.Attempts[i] = attemptOf(&tried[i])
	}
	return d
}

// Export writes the sessions that each calls its function for, as "csv" or
// "json": what GET /sessions/export answers with.
func Export(w io.Writer, format string, each func(f func(*Session) error) error) error {
	to := newSheet(w, format)
	n := 0
	err := each(func(s *Session) error {
		if n++; n%exportPage == 0 {
			if err := to.page(); err != nil {
				return err
			}
		}
		return to.row(sessionOf(s))
	})
	if err != nil {
		return err
	}
	return to.close()
}
