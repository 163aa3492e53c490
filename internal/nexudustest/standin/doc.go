// Package standin is a server that behaves as Nexudus does, for tests and for
// people who want to try the product: its token endpoint, its lists with their
// traps, its limits, the members' own sign-in, its webhooks and its Custom ACS
// pushes. What it can be told to do wrong is in faults.go.
//
// It owns what Nexudus looks like from outside, as far as that is documented.
// It does not own any client of it, and knows nothing of memberradius.
package standin
