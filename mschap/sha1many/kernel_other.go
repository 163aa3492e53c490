//go:build !amd64

package sha1many

const (
	wide  = false
	worth = Lanes + 1
)

func blocks(*state, *byte, int, int) { panic("sha1many: no lanes on this architecture") }
