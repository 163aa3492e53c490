// Package peer is an EAP peer, what a device calls its supplicant: it answers
// the EAP requests of a server until one side has had enough, checks what the
// server says as a strict device would, derives the keys, and tells in a
// sentence where a login broke and who is to look at it.
//
// It speaks PEAP version 0, EAP-TTLS, EAP-TLS and EAP-MSCHAPv2:
//
//	Peer        packets of RFC 3748: identity, Nak, method, success, failure
//	tlsMethod   fragments of RFC 5216 §3, the handshake, then a phase
//	phase       what runs in the tunnel: ttls, peap, or nothing (EAP-TLS)
//	inner       a method inside the phase: MSCHAPv2 or GTC
//
// It is written from the RFCs and knows nothing of RADIUS, nor of package eap,
// whose tests it serves: what both got wrong in the same way would never be
// found.
package peer
