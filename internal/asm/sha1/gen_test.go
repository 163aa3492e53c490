package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestAssemblyIsCurrent: what is checked in is what this writes.
func TestAssemblyIsCurrent(t *testing.T) {
	t.Parallel()
	got, err := os.ReadFile(filepath.Join("..", "..", "..", "mschap", "sha1many", output))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, assembly().Bytes()) {
		t.Errorf("%s is not what this writes: run go generate ./mschap/sha1many", output)
	}
}
