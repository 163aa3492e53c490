// Package web is what memberradius says over HTTP: metrics, health and
// readiness for operators on one address, and other addresses for guests and
// member systems, where nothing is served yet. It sets the limits and headers
// that every later page gets.
//
// It does not own what it shows: package cmd hands in the metrics and the
// answer to whether the server is ready. It does not know RADIUS or storage.
package web
