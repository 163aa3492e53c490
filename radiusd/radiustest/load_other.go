//go:build !linux

package radiustest

func openTransport(l *Load) (transport, func() error, error) { return openPortable(l) }
