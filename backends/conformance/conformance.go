package conformance

import (
	"crypto/subtle"
	"encoding/binary"
	"testing"
	"unicode/utf16"

	"memberradius/backends"
	"memberradius/member"

	"golang.org/x/crypto/md4"
)

// A Subject is a backend under test and what is known of its members.
type Subject struct {
	// Backend is what is tested. Whoever opens it closes it with t.Cleanup.
	Backend backends.Backend
	// Login and Password are a member who is let in. What proves her must be
	// the system itself, a password or an NT hash, and no argon2id hash.
	Login    string
	Password member.Secret
	// Unknown is a login that the system does not know.
	Unknown string
	// Disabled is a member whom the right DisabledPassword proves and who is
	// refused all the same; empty where the kind has none.
	Disabled         string
	DisabledPassword member.Secret
	// Break makes the system fail until mend is called; nil for a kind that
	// answers from memory alone and so can't fail.
	Break func(t *testing.T) (mend func())
	// Stall makes the system take a call and never answer, until release is
	// called; nil as for Break.
	Stall func(t *testing.T) (release func())
	// Secrets are texts that no error may hold, as the token. The passwords
	// above belong to them without being named.
	Secrets []member.Secret
}

// Open returns a Subject that nothing else uses.
type Open func(t *testing.T) Subject

// Run runs the suite, each test on a Subject of its own.
func Run(t *testing.T, open Open) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Subject)
	}{
		{"AllowsWhoProves", allowsWhoProves},
		{"WrongPasswordIsNotLetIn", wrongPasswordIsNotLetIn},
		{"LoginsFold", loginsFold},
		{"UnknownIsErrUnknown", unknownIsErrUnknown},
		{"BrokenIsNotUnknown", brokenIsNotUnknown},
		{"DisabledAfterTheProof", disabledAfterTheProof},
		{"NothingProvesNobody", nothingProvesNobody},
		{"EmptyPasswordProvesNobody", emptyPasswordProvesNobody},
		{"HonoursContext", honoursContext},
		{"ManyAtOnce", manyAtOnce},
		{"KeepsNoStrings", keepsNoStrings},
		{"DoesNotChangeTheAttempt", doesNotChangeTheAttempt},
		{"KnownAgreesWithAsk", knownAgreesWithAsk},
		{"KnownAllocatesNothing", knownAllocatesNothing},
		{"SecretsStayOutOfErrors", secretsStayOutOfErrors},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

// attempt is a try with a password, as PAP makes it.
func attempt(login string, password member.Secret) *member.Attempt {
	return &member.Attempt{
		Login: login,
		Proof: member.Proof{Kind: member.Password, Password: password},
		Port:  1812, Site: "main", Client: "lobby", NAS: "ap-1", SSID: "Members", StationMAC: "02:00:00:00:00:01",
	}
}

// admits says whether the server would let a in on this answer: what is proved
// by the system, or by the credential that it handed out.
func admits(a *member.Attempt, ans *member.Answer) bool {
	return ans.Verdict == member.Allow && proves(a, ans)
}

func proves(a *member.Attempt, ans *member.Answer) bool {
	if ans.Proved {
		return true
	}
	c := ans.Credential
	switch {
	case c == nil || a.Proof.Kind != member.Password:
		return false
	case c.Password != "":
		return subtle.ConstantTimeCompare([]byte(c.Password), []byte(a.Proof.Password)) == 1
	case c.NTHash != nil:
		hash := ntHash(a.Proof.Password)
		return subtle.ConstantTimeCompare(c.NTHash[:], hash[:]) == 1
	}
	return false
}

// ntHash is MD4 of the UTF-16LE password (RFC 2759 §8.3).
func ntHash(password member.Secret) (hash member.Hash) {
	h := md4.New()
	for _, u := range utf16.Encode([]rune(string(password))) {
		_, _ = h.Write(binary.LittleEndian.AppendUint16(nil, u))
	}
	h.Sum(hash[:0])
	return hash
}
