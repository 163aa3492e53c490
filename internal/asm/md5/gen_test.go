package main

import (
	"os"
	"path/filepath"
	"testing"

	"memberradius/internal/asm"
)

// TestAssemblyIsCurrent: what is checked in is what this writes.
func TestAssemblyIsCurrent(t *testing.T) {
	t.Parallel()
	got, err := os.ReadFile(filepath.Join("..", "..", "..", "radiusd", "md5many", output))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(assembly().Bytes()) {
		t.Errorf("%s is not what this writes: run go generate ./radiusd/md5many", output)
	}
}

// TestDescription compares the description of MD5 with values of RFC 1321:
// §A.3 spells out its steps.
func TestDescription(t *testing.T) {
	t.Parallel()
	if sine(0) != 0xd76aa478 || sine(63) != 0xeb86d391 {
		t.Errorf("the table of sines begins with %08x and ends with %08x", sine(0), sine(63))
	}
	all := steps()
	for _, want := range []step{
		{round: 0, number: 1, word: 1, turn: 12, a: 3, b: 0, c: 1, d: 2},
		{round: 1, number: 18, word: 11, turn: 14, a: 2, b: 3, c: 0, d: 1},
		{round: 2, number: 35, word: 14, turn: 23, a: 1, b: 2, c: 3, d: 0},
		{round: 3, number: 63, word: 9, turn: 21, a: 1, b: 2, c: 3, d: 0},
	} {
		if got := all[want.number]; got != want {
			t.Errorf("step %d is %+v, want %+v", want.number+1, got, want)
		}
	}
	for round, want := range []int{0xca, 0xe4, 0x96, 0x39} {
		if got := asm.Truth(functions[round]); got != want {
			t.Errorf("the table of truth of round %d is %#x, want %#x", round+1, got, want)
		}
	}
}
