// Package webhook is the backend of kind "webhook": members that any system
// pushes here, each push signed as Standard Webhooks says. It owns the
// signature and the body of a push, and what is wrong with one.
//
// It does not own the members (the embedded store keeps them, and package local
// answers from it), nor what a push does to them.
package webhook
