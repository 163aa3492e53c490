//go:build !linux

package radiustest

func openTransport(l *Load) (*opened, error) { return openPortable(l) }
