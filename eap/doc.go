// Package eap is the authenticator's side of EAP (RFC 3748) without RADIUS:
// octets in, octets out.
//
// It owns packets, the dialog with one peer (identity, method, Nak,
// retransmissions), and the engine that keeps the dialogs of all peers, bounded
// in number and age. It does not own methods, which are packages under it, nor
// what a login may do: a Decider says that.
//
// Nothing here logs. Time, randomness and the longest packet come with each
// request.
package eap
