package radiustest

import "testing"

func open(tb testing.TB, n *NAS) *NAS {
	tb.Helper()
	if err := n.Open(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := n.Close(); err != nil {
			tb.Error(err)
		}
	})
	return n
}
