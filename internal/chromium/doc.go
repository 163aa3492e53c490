// Package chromium is a real browser for tests: Chromium without a head, driven by
// the DevTools protocol, in which nobody's pages run JavaScript. It types and
// clicks as a person does.
//
// It owns no test of its own; web/portal and cmd/memberradius have them.
package chromium
