// Package radiustest is a NAS in Go: it sends RADIUS requests as a Wi-Fi access
// point does, checks every reply as a strict one would, and puts a server under
// load. It serves tests, `memberradius test`, `memberradius load` and the
// benchmarks.
//
//   - NAS sends a Request (PAP, CHAP, MS-CHAP, MS-CHAPv2, MAC authentication,
//     Status-Server) with retransmission, and returns a Reply that it has verified. With an EAP method
//     (PEAP, TTLS, TLS, EAP-MSCHAPv2) it holds the whole conversation, in which
//     package peer is the device.
//   - Packet builds any packet octet by octet, right or wrong, and Wire sends it:
//     for tests of what a server must drop.
//   - UAM is a hotspot's gateway (MikroTik, CoovaChilli) between a browser, a
//     captive portal and the server; ReadDynamic takes Disconnect-Requests as a
//     strict NAS does.
//   - Load drives a server with many requests in flight and measures it.
//   - Radclient runs Debian's radclient, so that a server is tried by a NAS that
//     is not ours.
//
// It does not own the server's side of the protocol and knows nothing of the
// packages radiusd and eap, whose tests import it: what both got wrong in the
// same way would never be found.
package radiustest
