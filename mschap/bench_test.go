package mschap

import (
	"crypto/des"
	"slices"
	"strconv"
	"testing"
)

func BenchmarkVerify(b *testing.B) {
	challenge, nt := array[[8]byte](b, rfcChallenge), array[[16]byte](b, rfcNTHash)
	response := array[[24]byte](b, rfcResponse)
	b.ReportAllocs()
	for b.Loop() {
		if !Verify(challenge, nt, response) {
			b.Fatal("refused")
		}
	}
}

// BenchmarkFullExchange is all that the server computes for one login whose NT
// hash it has.
func BenchmarkFullExchange(b *testing.B) {
	peer, auth := array[[16]byte](b, rfcPeer), array[[16]byte](b, rfcAuth)
	nt, response := array[[16]byte](b, rfcNTHash), array[[24]byte](b, rfcResponse)
	b.ReportAllocs()
	for b.Loop() {
		challenge := ChallengeHash(peer, auth, rfcUser)
		if !Verify(challenge, nt, response) {
			b.Fatal("refused")
		}
		hashHash := HashHash(nt)
		AuthenticatorResponse(hashHash, response, challenge)
		MasterKeys(hashHash, response)
	}
}

// BenchmarkChallengeResponse compares ours with three keys and three blocks of
// crypto/des.
func BenchmarkChallengeResponse(b *testing.B) {
	challenge, nt := array[[8]byte](b, rfcChallenge), array[[16]byte](b, rfcNTHash)
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ChallengeResponse(challenge, nt)
		}
	})
	b.Run("crypto-des", func(b *testing.B) {
		keys := [3][]byte{
			withParity([7]byte(nt[0:])), withParity([7]byte(nt[7:])), withParity([7]byte{nt[14], nt[15]}),
		}
		var response [24]byte
		b.ReportAllocs()
		for b.Loop() {
			for i, key := range keys {
				c, err := des.NewCipher(key)
				if err != nil {
					b.Fatal(err)
				}
				c.Encrypt(response[8*i:], challenge[:])
			}
		}
	})
}

func BenchmarkNTHash(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		NTHash(rfcPassword)
	}
}

// BenchmarkSettle compares what follows a right response: one by one, and for a
// full batch together.
func BenchmarkSettle(b *testing.B) {
	a := Accepted{HashHash: HashHash(array[[16]byte](b, rfcNTHash)), Response: array[[24]byte](b, rfcResponse)}
	var s Settler
	for _, n := range []int{1, 3, 16, 64} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			all := slices.Repeat([]Accepted{a}, n)
			b.ReportAllocs()
			for b.Loop() {
				s.Settle(all)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/exchange")
		})
	}
}
