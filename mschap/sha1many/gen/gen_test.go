package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestAssemblyIsCurrent: what is checked in is what gen writes.
func TestAssemblyIsCurrent(t *testing.T) {
	t.Parallel()
	got, err := os.ReadFile(filepath.Join("..", output))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, assembly().Bytes()) {
		t.Errorf("%s is not what gen writes: run go generate ./mschap/sha1many", output)
	}
}
