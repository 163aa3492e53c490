// Package eaptest is the other side of EAP for the tests of eap and its
// methods: a device (Peer, Device, Client), the members that it claims to be
// (Members), and certificates whose keys are known.
//
// It owns no test. It does not own radiusd's tests either: those speak RADIUS,
// and have a device of their own in radiusd/radiustest. What it computes it
// computes in its own way, so that a mistake of eap is not made twice.
package eaptest
