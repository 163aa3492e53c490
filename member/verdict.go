package member

// A Verdict is one of three answers, never two. The zero value lets nobody in.
type Verdict uint8

const (
	// Unanswered: the system could not say. It is never a "no": the server
	// stays silent, so that the NAS asks its second server.
	Unanswered Verdict = iota
	// Allow holds for a proved login only.
	Allow
	// Deny is only ever said because a member system or a proof said so.
	Deny
)

// String returns the verdict as the log and the metrics print it.
func (v Verdict) String() string {
	switch v {
	case Allow:
		return "allow"
	case Deny:
		return "deny"
	default:
		return "could not say"
	}
}
