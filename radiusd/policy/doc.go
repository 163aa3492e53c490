// Package policy turns what a member bought into what her NAS is told: plan and
// member and vendor in, RADIUS attributes out. It is pure: no clock, no
// network, no log.
//
// It does not own the attributes of the protocol itself (Message-Authenticator,
// State, Class, MS-CHAP and MPPE, User-Name, Reply-Message of a refusal):
// package radiusd writes those.
package policy
