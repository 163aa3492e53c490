// Package rest is the backend of kind "rest": a member system that is asked
// by a POST of JSON for every login, which is the External Authentication
// contract of hosted RADIUS services. It owns the contract's request and
// response, and what an address may be.
//
// The system checks the proof itself. It does not own retries, breaker or
// cache (package backends): one Ask is one call, since a call may cost a
// member a paid pass.
package rest
