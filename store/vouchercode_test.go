package store

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"

	"memberradius/member"
)

// TestVoucherKey: what is kept of a code is the same after a restart, and says
// nothing to whoever has the database and not the key.
func TestVoucherKey(t *testing.T) {
	t.Parallel()
	bare, ok := bareCode("bcdf-ghjk-mnpq")
	if !ok {
		t.Fatal("no code")
	}
	dir, other := t.TempDir(), t.TempDir()
	var digests [][]byte
	for _, dir := range []string{dir, dir, other} {
		s, err := Open(t.Context(), Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, s.codeDigest(&bare))
		if s.voucherKey == s.digestKey || s.voucherKey == ([32]byte{}) {
			t.Error("vouchers have no key of their own")
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	plain := sha256.Sum256(bare[:])
	if !bytes.Equal(digests[0], digests[1]) || bytes.Equal(digests[0], digests[2]) || bytes.Equal(digests[0], plain[:]) {
		t.Error("the digest does not hang on the key file, or on more than that")
	}
}

// TestNewCode wants every character to come as often as another.
func TestNewCode(t *testing.T) {
	t.Parallel()
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	s := &Store{random: bytes.NewReader(bytes.Repeat(all, codeLength))}
	count := map[rune]int{}
	for range 256 / len(codeCharacters) * len(codeCharacters) {
		code, err := s.newCode()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range strings.ReplaceAll(string(code), "-", "") {
			count[r]++
		}
	}
	for r, n := range count {
		if n != count['b'] {
			t.Errorf("%q comes %d times, 'b' %d times", r, n, count['b'])
		}
	}
	if len(count) != len(codeCharacters) {
		t.Errorf("%d characters come", len(count))
	}
	if _, err := s.newCode(); err == nil {
		t.Error("a code without randomness")
	}
}

func TestBareCode(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"bcdf-ghjk-mnpq": "bcdfghjkmnpq", "BCDF GHJK MNPQ": "bcdfghjkmnpq", " bcdf\u2014ghjk\u00a0mnpq\r\n": "bcdfghjkmnpq", "bcdfghjkmnpq": "bcdfghjkmnpq",
		"": "", "bcdf-ghjk-mnp": "", "bcdf-ghjk-mnpqr": "", "acdf-ghjk-mnpq": "", "bcdf_ghjk_mnpq": "", "bcdf-ghjk-mnp\u0142": "", "bcdf-ghjk-mnp\xff": "",
		"\u212acdf-ghjk-mnpq": "kcdfghjkmnpq", // the sign of Kelvin is a K
	} {
		bare, ok := bareCode(member.Secret(typed))
		if ok != (want != "") || ok && string(bare[:]) != want {
			t.Errorf("%q is read as %q, %t", typed, bare, ok)
		}
	}
}

func FuzzCode_NoPanic(f *testing.F) {
	f.Add("bcdf-ghjk-mnpq")
	f.Add("\u2014BCDF \u212a\xff")
	f.Fuzz(func(t *testing.T, typed string) {
		bare, ok := bareCode(member.Secret(typed))
		for _, c := range bare {
			if ok && strings.IndexByte(codeCharacters, c) < 0 {
				t.Errorf("%q is read as %q", typed, bare)
			}
		}
	})
}

func FuzzCode_RoundTrip(f *testing.F) {
	f.Add([]byte("some random octets"))
	f.Fuzz(func(t *testing.T, random []byte) {
		s := &Store{random: bytes.NewReader(random)}
		code, err := s.newCode()
		if err != nil {
			return // too little of it
		}
		bare, ok := bareCode(code)
		upper, okUpper := bareCode(member.Secret(strings.ToUpper(string(code))))
		if !ok || !okUpper || upper != bare || string(bare[:]) != strings.ReplaceAll(string(code), "-", "") {
			t.Errorf("%q is read as %q", string(code), bare)
		}
	})
}
