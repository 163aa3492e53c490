// Package nexudus is the backend of kind "nexudus": the members of a coworking
// space at Nexudus, read ahead by its REST API and kept in the store. It owns
// how Nexudus is signed in to, asked, listed and understood, what its hooks and
// its access-control pushes mean, and how a member's own password is checked
// there where it is the password for the Wi-Fi too.
//
// It does not own what a sync does to the store (provision), when it runs
// (cmd), or the HTTP server that hooks come in by (web). It knows members and
// nothing of RADIUS.
package nexudus
