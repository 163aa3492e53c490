// Package standin is a coworking space to try the backend of kind "coworks"
// against: a server that takes a login, a password and an API key, as the guide
// for Coworks' users says. What that guide leaves open can be set.
//
// It owns no truth about the real Coworks, whose interface is not public.
package standin
