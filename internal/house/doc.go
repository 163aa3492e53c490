// Package house holds the rules of this house as tests: who may import whom,
// what every file, snippet and document owes its reader. A test that fails says
// which rule was broken, where, and what to do.
//
// It reads files and does not ask the go command for packages, so that go
// test's cache knows what the outcome hangs on. It owns no code that ships.
package house
