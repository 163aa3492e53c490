// Package outward owns where a call of ours to a member system may go: what an
// address in the configuration may be, and to which addresses its name may
// lead once it is resolved.
//
// It does not own the calls: tokens, timeouts and answers are each kind's.
package outward
