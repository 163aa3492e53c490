package eaptest

import (
	"crypto/hmac"
	"crypto/md5"
	"slices"
	"sync"

	"memberradius/eap"
	"memberradius/member"
	"memberradius/mschap"
)

// Members decide by passwords. They are safe for use by many.
type Members struct {
	// Passwords are by login, as sent. A login without one is proved by a
	// certificate alone.
	Passwords map[string]string

	mu       sync.Mutex
	refused  map[string]member.Reason
	silent   bool
	asked    []string
	recalled []string
}

var _ eap.Decider = (*Members)(nil)

// Refuse denies a login from now on, though its proof be right; ReasonNone
// lets it in again.
func (m *Members) Refuse(login string, why member.Reason) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refused == nil {
		m.refused = map[string]member.Reason{}
	}
	m.refused[login] = why
}

// Silence makes all of them unable to say.
func (m *Members) Silence() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.silent = true
}

// Asked are the logins that were decided, in their order.
func (m *Members) Asked() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.asked)
}

// Recalled are the logins of fast reconnects.
func (m *Members) Recalled() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.recalled)
}

// Decide implements eap.Decider.
func (m *Members) Decide(login string, p *member.Proof) eap.Decision {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, login)
	d := eap.Decision{Verdict: member.Deny, Login: login, At: Now()}
	password, known := m.Passwords[login]
	d.Answer.Member.Login = login
	d.HashHash = member.Hash(mschap.HashHash(mschap.NTHash(password)))
	switch {
	case m.silent:
		d.Verdict, d.Reason = member.Unanswered, member.ReasonTimeout
	case !known:
		d.Reason = member.ReasonUnknownLogin
	case !proves(p, password):
		d.Reason = member.ReasonWrongProof
	case m.refused[login] != member.ReasonNone:
		d.Reason, d.Proved = m.refused[login], true
	default:
		d.Verdict, d.Proved = member.Allow, true
	}
	return d
}

func proves(p *member.Proof, password string) bool {
	switch p.Kind {
	case member.Certificate:
		return true
	case member.Password:
		return string(p.Password) == password
	case member.CHAP:
		text := append(append([]byte{p.CHAP.ID}, password...), p.CHAP.Challenge...)
		sum := md5.Sum(text)
		return hmac.Equal(sum[:], p.CHAP.Response[:])
	case member.MSCHAPv1, member.MSCHAPv2:
		return mschap.Verify(p.MSCHAP.ChallengeHash, mschap.NTHash(password), p.MSCHAP.NTResponse)
	}
	return false
}

// Recall implements eap.Decider.
func (m *Members) Recall(before *eap.Decision) eap.Decision {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.recalled = append(m.recalled, before.Login)
	d := *before
	switch {
	case m.silent:
		d.Verdict = member.Unanswered
	case m.refused[before.Login] != member.ReasonNone:
		d.Verdict, d.Reason = member.Deny, m.refused[before.Login]
	}
	return d
}
