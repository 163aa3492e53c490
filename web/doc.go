// Package web is what memberradius says over HTTP: metrics, health, readiness
// and the operator's API on one address, and on others what guests and member
// systems need. It sets the limits and headers that every page gets; web/api,
// web/webhook and web/me own the pages.
//
// It does not own what they show: package cmd hands that in. It does not know
// RADIUS or storage.
package web
