// Package supplicant owns the proof that real devices get through: the program
// as it is built, certificates and members made for the run, and the programs
// that Linux devices join a network with.
//
// The matrix runs wpa_supplicant's eapol_test over a recording wire against one
// server per setting, and believes eapol_test's own verdict, the packets on the
// wire and what `memberradius why` says of a refusal. The 802.1X tests put
// hostapd and wpa_supplicant into network namespaces of their own: they join,
// and then hostapd's accounting and its Dynamic Authorization Server are the NAS
// of sessions that are listed, changed and ended. Where a program is not
// installed, its tests are skipped and say what to install; with CI=true they fail.
//
// The same table runs against FreeRADIUS with `go test ./internal/supplicant
// -server=freeradius`: an oracle for the table itself. A row that FreeRADIUS is
// known to fail says so.
//
// It does not own any EAP: tests of the methods stand with the methods, and the
// EAP client of `memberradius test` in radiusd/radiustest.
package supplicant
