// Package file is the backend of kind "file": members in a TOML file, read
// again when it changes. It owns the file's format and the watch over it.
//
// It proves nobody itself: its answers bring the credential that the server
// checks the proof against. Its members live in memory, so that it always
// answers without waiting and can't fail while it runs.
package file
