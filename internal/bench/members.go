//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
)

// What every contender is set up with, so that all do the same job.
const (
	sharedSecret   = "bench-secret-of-thirty-two-chars"
	vlan           = "101"
	sessionTimeout = 12 * 60 * 60 // seconds
	planName       = "hot-desk"
)

// login and password are those of member n.
func login(n int) string    { return fmt.Sprintf("member%06d@example.com", n) }
func password(n int) string { return fmt.Sprintf("password-%06d", n) }

// writeCSV writes members as `memberradius member import` reads them.
func writeCSV(w io.Writer, members int) error {
	b := bufio.NewWriter(w)
	_, _ = b.WriteString("login,password,plan\n")
	for n := range members {
		_, _ = fmt.Fprintf(b, "%s,%s,%s\n", login(n), password(n), planName)
	}
	return b.Flush()
}
