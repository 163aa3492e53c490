// Package tunnel is what EAP-TLS, TTLS and PEAP have in common: TLS messages in
// fragments (RFC 5216 §2.1.5), the handshake, the keys, and tickets for fast
// reconnect.
//
// It owns crypto/tls. It does not own what is said inside the tunnel, nor which
// login that proves: the methods do, by way of a Session.
//
// crypto/tls wants a connection that it can read from; EAP brings a flight at
// a time. So a handshake runs in a coroutine (iter.Pull), which stops where it
// would have to wait for the peer. It runs on the goroutine that brings the
// packet, and nowhere else. After the handshake there is no coroutine: an empty
// connection is a temporary error, after which crypto/tls reads on.
package tunnel
