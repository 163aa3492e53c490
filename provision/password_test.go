package provision

import (
	"bytes"
	"crypto/rand"
	"math"
	"regexp"
	"testing"

	"memberradius/member"
)

func TestNewPassword(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^([bcdfghjknprstwxyz]{4}-){4}[bcdfghjknprstwxyz]{4}$`)
	seen, often := map[member.Secret]bool{}, map[rune]int{}
	const many = 5000
	for range many {
		p, err := NewPassword(rand.Reader)
		if err != nil || !form.MatchString(string(p)) || seen[p] {
			t.Fatalf("form %v, again %v, %v", form.MatchString(string(p)), seen[p], err)
		}
		seen[p] = true
		for _, r := range string(p) {
			often[r]++
		}
	}
	if bits := groups * groupSize * math.Log2(float64(len(letters))); bits < 80 {
		t.Errorf("%.1f bits", bits)
	}
	mean := float64(many*groups*groupSize) / float64(len(letters))
	for _, r := range letters {
		if n := float64(often[r]); math.Abs(n-mean) > 6*math.Sqrt(mean) {
			t.Errorf("%c came %.0f times, the mean is %.0f", r, n, mean)
		}
	}
	// The octet that would make a letter more frequent is passed over.
	if p, err := NewPassword(bytes.NewReader(append(bytes.Repeat([]byte{0xff}, 32), make([]byte, 32)...))); err != nil || p != "bbbb-bbbb-bbbb-bbbb-bbbb" {
		t.Error(err)
	}
	if _, err := NewPassword(bytes.NewReader(make([]byte, 16))); err == nil {
		t.Error("16 octets were enough")
	}
}
