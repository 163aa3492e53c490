package sha1many

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
)

func fill(r *rand.Rand, b []byte) {
	for i := range b {
		b[i] = byte(r.Uint32())
	}
}

// check compares the first n digests with crypto/sha1.
func check(t *testing.T, s *Sheet, n int) {
	t.Helper()
	for i := range n {
		if want := sha1.Sum(s.Row(i)); *s.Digest(i) != want {
			t.Fatalf("text %d of %d, %d octets: %x, want %x", i, n, s.length, *s.Digest(i), want)
		}
	}
}

// needWide skips what only lanes can show.
func needWide(t *testing.T) {
	t.Helper()
	if !wide {
		t.Skip("this CPU has no AVX-512: crypto/sha1 does all the work")
	}
}

// TestVectors has the messages of FIPS 180-2 appendix A and the empty one.
func TestVectors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
		"abc": "a9993e364706816aba3e25717850c26c9cd0d89d",
		"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq": "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
	} {
		s := NewSheet([]byte(text))
		s.Compute(Lanes)
		for i := range Lanes {
			if got := hex.EncodeToString(s.Digest(i)[:]); got != want {
				t.Errorf("%q in row %d: %s, want %s", text, i, got, want)
			}
		}
	}
}

// TestLengths takes every length up to several blocks, by lanes and without.
func TestLengths(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		s := NewSheet(make([]byte, n))
		for range 3 { // the same sheet again
			for i := range Lanes {
				fill(r, s.Row(i))
			}
			s.Compute(Lanes)
			check(t, s, Lanes)
		}
	}
}

// TestNumbers: on both sides of where lanes begin, and what is no longer in use
// harms nobody.
func TestNumbers(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	s := NewSheet(bytes.Repeat([]byte("x"), 100))
	for n := Lanes; n >= 0; n-- {
		for i := range n {
			fill(r, s.Row(i))
		}
		s.Compute(n)
		check(t, s, n)
	}
}

// TestLanesAreUsed: both ways are there to be compared.
func TestLanesAreUsed(t *testing.T) {
	t.Parallel()
	needWide(t)
	s := NewSheet([]byte("form"))
	s.sideBySide()
	check(t, s, Lanes)
	s.Row(Lanes - 1)[0] = 'F'
	s.Compute(worth) // computes all sixteen where it is by lanes
	check(t, s, Lanes)
}

// TestRowsEnd: a row can't grow into its padding.
func TestRowsEnd(t *testing.T) {
	t.Parallel()
	s := NewSheet([]byte("form"))
	_ = append(s.Row(0), "longer"...)
	s.Compute(Lanes)
	check(t, s, Lanes)
}

func TestNoAllocations(t *testing.T) { // not parallel: it counts the whole program's
	s := NewSheet(make([]byte, 100))
	if n := testing.AllocsPerRun(100, func() { s.Compute(1); s.Compute(Lanes) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestMovingStack computes on young goroutines of many depths, so that stacks
// grow, and move, at every place where they can.
func TestMovingStack(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for depth := range 100 {
		wg.Go(func() { deep(t, depth) })
	}
	wg.Wait()
}

func deep(t *testing.T, depth int) byte {
	var room [200]byte
	if depth > 0 {
		room[0] = deep(t, depth-1)
		return room[0]
	}
	s := NewSheet(room[:70])
	s.Compute(Lanes)
	check(t, s, Lanes)
	return room[1]
}

// FuzzCompute_NoPanic compares sixteen texts of any form with crypto/sha1.
func FuzzCompute_NoPanic(f *testing.F) {
	f.Add([]byte("a form"), uint8(1))
	f.Add(bytes.Repeat([]byte{7}, 200), uint8(16))
	f.Fuzz(func(t *testing.T, form []byte, n uint8) {
		s := NewSheet(form)
		for i := range Lanes {
			if row := s.Row(i); len(row) > 0 {
				row[i%len(row)] ^= byte(i)
			}
		}
		s.Compute(int(n) % (Lanes + 1))
		check(t, s, int(n)%(Lanes+1))
	})
}

// BenchmarkCompute shows from how many texts on lanes pay: worth.
func BenchmarkCompute(b *testing.B) {
	for _, size := range []int{70, 180} {
		s := NewSheet(make([]byte, size))
		perSum := func(b *testing.B, n int) {
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/sum")
		}
		b.Run(fmt.Sprintf("octets=%d/crypto", size), func(b *testing.B) {
			for b.Loop() {
				s.digests[0] = sha1.Sum(s.Row(0))
			}
			perSum(b, 1)
		})
		if !wide {
			continue
		}
		b.Run(fmt.Sprintf("octets=%d/lanes", size), func(b *testing.B) {
			for b.Loop() {
				s.sideBySide()
			}
			perSum(b, Lanes)
		})
	}
}
