package md5many

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestBounds lays texts against pages that can't be read, before and behind: to
// read one octet too many ends the test program.
func TestBounds(t *testing.T) {
	t.Parallel()
	page := unix.Getpagesize()
	room, err := unix.Mmap(-1, 0, 3*page, unix.PROT_NONE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Munmap(room); err != nil {
			t.Error(err)
		}
	})
	text := room[page : 2*page]
	// Writable first, so that it holds more than zeros.
	if err := unix.Mprotect(text, unix.PROT_READ|unix.PROT_WRITE); err != nil {
		t.Fatal(err)
	}
	copy(text, random(8, page))
	if err := unix.Mprotect(text, unix.PROT_READ); err != nil {
		t.Fatal(err)
	}
	for _, k := range available() { // one after the other: the page goes at the end
		for n := range 200 {
			sums := make([]Sum, 0, 20)
			for range 10 {
				sums = append(sums, Sum{From: Start(), Data: text[:n:n]}, Sum{From: Start(), Data: text[page-n:]})
			}
			k.compute(sums)
			check(t, sums)
		}
	}
}
