// Package api owns the operator's API, /api/v1: JSON over HTTP with bearer
// tokens that have scopes, and the OpenAPI document that describes it. Its
// portal_login is spoken as another service wrote it first, so that portals
// which know that one work with this one.
//
// It does not own what it shows and changes: members, plans, member systems
// and the journal of their runs, sessions, devices, vouchers and portal logins
// are handed in (Config). It serves no page for people and takes nothing from
// member systems; web/webhook does.
package api
