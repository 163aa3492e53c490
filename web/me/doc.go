// Package me owns a member's personal page, /me: behind a one-time link her
// user name, her password and what sets her devices up. It is made for phones,
// and works without JavaScript.
//
// It does not own links, sessions or members: they are handed in (Config). The
// profiles that it offers are package onboard's.
package me
