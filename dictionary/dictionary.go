package dictionary

// A Dictionary is read-only once built.
type Dictionary struct{}
